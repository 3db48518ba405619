-- Moves rows of undeclared categories to the declared category of that name, else to the primary category that the name
-- begins with, else to OTHER, where money in does not count as a refund.
WITH declared AS (
    SELECT c.*
    FROM spendsense.categories c
    JOIN unnest(%(primary_name)s::text[], %(detailed_name)s::text[]) AS d (primary_name, detailed_name)
        USING (primary_name, detailed_name)
),
homes AS (
    SELECT
        c.category_id,
        coalesce(same.category_id, alike.category_id, other.category_id) AS home,
        money_in.category_id AS home_in
    FROM spendsense.categories c
    LEFT JOIN declared same ON same.detailed_name = c.detailed_name
    LEFT JOIN declared alike
        ON alike.primary_name = alike.detailed_name AND c.detailed_name LIKE alike.primary_name || '\_%%'
    JOIN declared other ON other.detailed_name = 'OTHER_OTHER'
    JOIN declared money_in ON money_in.detailed_name = 'OTHER_MONEY_IN'
    WHERE c.category_id NOT IN (SELECT category_id FROM declared)
),
moved AS (
    UPDATE spendsense.transactions t
    SET category_id = CASE
        WHEN t.amount_cents < 0 AND d.detailed_name IN ('OTHER_OTHER', 'OTHER') THEN h.home_in ELSE h.home
    END
    FROM homes h
    JOIN declared d ON d.category_id = h.home
    WHERE t.category_id = h.category_id
    RETURNING t.user_id
),
due AS (
    UPDATE spendsense.standings SET features_due = true
    WHERE consented AND user_id IN (SELECT user_id FROM moved)
)
SELECT count(*) AS rows FROM moved

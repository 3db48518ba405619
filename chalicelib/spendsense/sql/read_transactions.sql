-- With `spending`, only the rows that read_spending adds up, by the condition in spends.sql.
SELECT
    t.external_id AS transaction_id, a.external_id AS account_id, t.posted_on, t.amount_cents,
    coalesce(t.foreign_currency, a.currency) AS currency, t.name, m.name AS merchant, c.detailed_name AS category,
    t.channel, t.pending, t.transaction_id AS position
FROM spendsense.transactions t
JOIN spendsense.accounts a USING (user_id, account_id)
JOIN spendsense.categories c USING (category_id)
LEFT JOIN spendsense.merchants m USING (user_id, merchant_id)
WHERE t.user_id = (SELECT user_id FROM spendsense.profiles WHERE subject = %(subject)s)
    AND (%(account_id)s::text IS NULL OR a.external_id = %(account_id)s)
    AND (%(category)s::text IS NULL OR %(category)s IN (c.primary_name, c.detailed_name))
    AND (%(merchant)s::text IS NULL OR m.key = %(merchant)s)
    AND (
        %(text)s::text IS NULL
        OR position(lower(%(text)s) IN lower(concat_ws(' ', t.name, m.name))) > 0
    )
    AND (%(at_least_cents)s::bigint IS NULL OR t.amount_cents >= %(at_least_cents)s)
    AND (%(at_most_cents)s::bigint IS NULL OR t.amount_cents <= %(at_most_cents)s)
    AND (%(since)s::date IS NULL OR t.posted_on >= %(since)s)
    AND (%(until)s::date IS NULL OR t.posted_on <= %(until)s)
    AND (%(after_day)s::date IS NULL OR (t.posted_on, t.transaction_id) < (%(after_day)s, %(after_position)s::bigint))
    AND (NOT %(spending)s OR true /*spends*/)
ORDER BY t.posted_on DESC, t.transaction_id DESC
LIMIT %(limit)s + 1

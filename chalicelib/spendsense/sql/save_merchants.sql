-- A person's new merchants, by the person's own spelling, with the person's next numbers.
WITH given AS (
    SELECT key, min(name) AS name
    FROM unnest(%(key)s::text[], %(name)s::text[]) AS m (key, name)
    GROUP BY key
),
last AS (
    SELECT coalesce(max(merchant_id), 0) AS number FROM spendsense.merchants WHERE user_id = %(user_id)s
)
INSERT INTO spendsense.merchants (user_id, merchant_id, key, name)
SELECT %(user_id)s, last.number + row_number() OVER (ORDER BY given.key), given.key, given.name
FROM last, given
LEFT JOIN spendsense.merchants known ON known.user_id = %(user_id)s AND known.key = given.key
WHERE known.key IS NULL

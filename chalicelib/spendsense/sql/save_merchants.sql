-- In the order of their keys, so that two imports never wait for each other in a circle.
WITH given AS (
    SELECT key, min(name) AS name
    FROM unnest(%(key)s::text[], %(name)s::text[]) AS m (key, name)
    GROUP BY key
),
fresh AS (
    INSERT INTO spendsense.merchants (key, name)
    SELECT given.key, given.name FROM given
    LEFT JOIN spendsense.merchants known USING (key)
    WHERE known.key IS NULL
    ORDER BY given.key
    ON CONFLICT (key) DO NOTHING
)
SELECT 1

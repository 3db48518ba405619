-- Writes the declared categories; returns the number of undeclared ones.
WITH declared AS (
    INSERT INTO spendsense.categories AS old (primary_name, detailed_name, flow)
    SELECT * FROM unnest(%(primary_name)s::text[], %(detailed_name)s::text[], %(flow)s::text[])
    ON CONFLICT (primary_name, detailed_name) DO UPDATE SET flow = excluded.flow WHERE old.flow <> excluded.flow
)
SELECT count(*) AS undeclared
FROM spendsense.categories
WHERE (primary_name, detailed_name) NOT IN (
    SELECT * FROM unnest(%(primary_name)s::text[], %(detailed_name)s::text[])
)

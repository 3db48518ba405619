INSERT INTO spendsense.categories (primary_name, detailed_name, flow)
SELECT given.primary_name, given.detailed_name, given.flow
FROM unnest(%(primary_name)s::text[], %(detailed_name)s::text[], %(flow)s::text[])
    AS given (primary_name, detailed_name, flow)
LEFT JOIN spendsense.categories known USING (detailed_name)
WHERE known.detailed_name IS NULL
ORDER BY given.detailed_name
ON CONFLICT (detailed_name) DO NOTHING

DELETE FROM spendsense.categories
WHERE (primary_name, detailed_name) NOT IN (
    SELECT * FROM unnest(%(primary_name)s::text[], %(detailed_name)s::text[])
)

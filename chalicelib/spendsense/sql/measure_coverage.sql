WITH with_data AS MATERIALIZED (
    SELECT s.user_id
    FROM spendsense.standings s
    WHERE s.consented AND EXISTS (SELECT FROM spendsense.transactions t WHERE t.user_id = s.user_id)
)
SELECT
    (SELECT count(*) FROM spendsense.profiles) AS users,
    (SELECT count(*) FROM spendsense.standings WHERE consented) AS consented,
    count(*) AS with_data,
    avg((a.persona IS NOT NULL)::int)::double precision AS persona_coverage,
    avg((coalesce(cardinality(a.behaviours), 0) >= 3)::int)::double precision AS behaviour_coverage
FROM with_data
LEFT JOIN spendsense.persona_assignments a ON a.user_id = with_data.user_id AND a.window_days = 180

-- Each persona's share in each cohort.
SELECT
    cohort,
    persona,
    count(*) / sum(count(*)) OVER (PARTITION BY cohort)::double precision AS share,
    (sum(count(*)) OVER (PARTITION BY cohort))::bigint AS people
FROM spendsense.persona_assignments
JOIN spendsense.profiles USING (user_id)
WHERE window_days = 180 AND cohort <> ''
GROUP BY cohort, persona
ORDER BY cohort, persona

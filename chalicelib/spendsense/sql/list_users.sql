SELECT
    p.user_id AS position, p.subject AS user_id, p.display_name, s.consented, a.persona,
    (
        SELECT count(*)
        FROM spendsense.recommendations r
        WHERE r.user_id = p.user_id AND r.window_days = %(window)s
    ) AS recommendations
FROM spendsense.profiles p
JOIN spendsense.standings s USING (user_id)
LEFT JOIN spendsense.persona_assignments a ON a.user_id = p.user_id AND a.window_days = %(window)s
WHERE p.user_id > coalesce(%(after)s::bigint, 0)
    AND (%(persona)s::text IS NULL OR a.persona = %(persona)s)
    AND (
        %(search)s::text IS NULL
        OR position(lower(%(search)s) IN lower(p.display_name)) > 0
        OR starts_with(p.subject::text, lower(%(search)s))
    )
ORDER BY p.user_id
LIMIT %(limit)s + 1

SELECT
    r.recommendation_id, p.subject AS user_id, p.display_name, r.window_days, r.kind, r.item_id, r.persona,
    r.rationale AS because, r.status
FROM spendsense.recommendations r
JOIN spendsense.profiles p USING (user_id)
WHERE (%(status)s::text IS NULL OR r.status = %(status)s)
    AND (%(persona)s::text IS NULL OR r.persona = %(persona)s)
    AND (%(subject)s::uuid IS NULL OR p.subject = %(subject)s)
    AND (%(window)s::smallint IS NULL OR r.window_days = %(window)s)
    AND (%(after)s::uuid IS NULL OR r.recommendation_id > %(after)s)
ORDER BY r.recommendation_id
LIMIT %(limit)s + 1

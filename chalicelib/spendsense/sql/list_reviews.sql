SELECT
    r.recommendation_id, p.subject AS user_id, r.window_days, r.item_id, r.persona, r.rationale AS because, r.status
FROM spendsense.recommendations r
JOIN spendsense.profiles p USING (user_id)
WHERE r.status = %(status)s AND (%(after)s::uuid IS NULL OR r.recommendation_id > %(after)s)
ORDER BY r.recommendation_id
LIMIT %(limit)s + 1

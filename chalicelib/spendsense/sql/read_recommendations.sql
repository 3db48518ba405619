-- Checks consent again: after a revocation nothing is shown, even if a row is still stored.
SELECT r.recommendation_id, r.kind, r.item_id, r.persona, r.rationale, r.created_at
FROM spendsense.recommendations r
JOIN spendsense.standings s ON s.user_id = r.user_id AND s.consented
WHERE r.user_id = (SELECT user_id FROM spendsense.profiles WHERE subject = %(subject)s)
    AND (%(window)s::smallint IS NULL OR r.window_days = %(window)s)
    AND (%(recommendation_id)s::uuid IS NULL OR r.recommendation_id = %(recommendation_id)s)
    AND r.status IN ('active', 'approved')
ORDER BY r.window_days, r.kind, r.position

INSERT INTO spendsense.feedback (user_id, recommendation_id, item_id, helpful, comment, given_at)
SELECT r.user_id, r.recommendation_id, r.item_id, %(helpful)s, %(comment)s, %(given_at)s
FROM spendsense.recommendations r
JOIN spendsense.standings s ON s.user_id = r.user_id AND s.consented
WHERE r.recommendation_id = %(recommendation_id)s
    AND r.user_id = (SELECT user_id FROM spendsense.profiles WHERE subject = %(subject)s)
    AND r.status IN ('active', 'approved')
ON CONFLICT (user_id, recommendation_id) DO UPDATE SET
    helpful = excluded.helpful, comment = excluded.comment, given_at = excluded.given_at
RETURNING 1

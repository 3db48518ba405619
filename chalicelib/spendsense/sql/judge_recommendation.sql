WITH judged AS (
    UPDATE spendsense.recommendations SET status = %(status)s
    WHERE recommendation_id = %(recommendation_id)s
    RETURNING user_id
)
INSERT INTO spendsense.operator_actions (
    operator, action, subject, recommendation_id, reason, request_id, acted_at
)
SELECT %(operator)s, %(action)s, p.subject, %(recommendation_id)s, %(reason)s, %(request_id)s, %(acted_at)s
FROM judged
JOIN spendsense.profiles p USING (user_id)
RETURNING 1

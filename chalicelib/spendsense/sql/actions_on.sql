SELECT operator, action, recommendation_id, reason, acted_at
FROM spendsense.operator_actions
WHERE subject = %(subject)s
ORDER BY action_id DESC
LIMIT 100

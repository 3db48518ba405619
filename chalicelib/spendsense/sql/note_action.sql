INSERT INTO spendsense.operator_actions (operator, action, subject, recommendation_id, reason, request_id, acted_at)
VALUES (
    %(operator)s, %(action)s, %(subject)s, %(recommendation_id)s, %(reason)s, %(request_id)s, %(acted_at)s
)

WITH features AS (DELETE FROM spendsense.computed_features WHERE user_id = %(user_id)s),
personas AS (DELETE FROM spendsense.persona_assignments WHERE user_id = %(user_id)s),
recommended AS (DELETE FROM spendsense.recommendations WHERE user_id = %(user_id)s),
said AS (DELETE FROM spendsense.feedback WHERE user_id = %(user_id)s)
DELETE FROM spendsense.decision_traces WHERE user_id = %(user_id)s

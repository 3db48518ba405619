SELECT
    t.recommendation_id, t.window_days, t.item_id, t.template_id, t.outcome, t.reasons, t.signals_used, t.guardrails,
    t.run_id, t.created_at
FROM spendsense.decision_traces t
WHERE t.recommendation_id = %(recommendation_id)s
    AND t.user_id = (SELECT user_id FROM spendsense.profiles WHERE subject = %(subject)s)

UPDATE spendsense.standings
SET features_due = false,
    features_as_of = %(as_of)s,
    features_run_id = %(run_id)s,
    persona_due = persona_due OR user_id = ANY(%(changed)s)
WHERE user_id = ANY(%(users)s)

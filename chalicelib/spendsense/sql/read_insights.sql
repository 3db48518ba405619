SELECT
    p.currency, f.as_of, to_jsonb(f) AS signals, a.persona, a.matched, a.evidence, a.behaviours
FROM spendsense.profiles p
LEFT JOIN spendsense.computed_features f ON f.user_id = p.user_id AND f.window_days = %(window)s
LEFT JOIN spendsense.persona_assignments a ON a.user_id = p.user_id AND a.window_days = %(window)s
WHERE p.subject = %(subject)s

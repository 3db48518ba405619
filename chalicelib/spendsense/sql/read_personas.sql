SELECT a.window_days, a.persona, a.matched, a.evidence, a.behaviours, a.as_of
FROM spendsense.persona_assignments a
JOIN spendsense.profiles p USING (user_id)
WHERE p.subject = %(subject)s
ORDER BY a.window_days

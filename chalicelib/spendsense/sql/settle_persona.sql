UPDATE spendsense.standings
SET persona_due = false, recommendations_due = true
WHERE user_id = ANY(%(users)s)

UPDATE spendsense.standings
SET recommendations_due = false
WHERE user_id = ANY(%(users)s)

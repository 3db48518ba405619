SELECT persona, count(*) FROM spendsense.persona_assignments WHERE window_days = 180 GROUP BY persona ORDER BY persona

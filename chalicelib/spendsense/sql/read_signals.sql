SELECT to_jsonb(f) - 'user_id' AS signals
FROM spendsense.computed_features f
JOIN spendsense.profiles p USING (user_id)
WHERE p.subject = %(subject)s
ORDER BY f.window_days

SELECT c.granted, c.policy_version, c.recorded_at
FROM spendsense.profiles p
JOIN spendsense.consent_records c USING (user_id)
WHERE p.subject = %(subject)s
ORDER BY c.consent_id DESC

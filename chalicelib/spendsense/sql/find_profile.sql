SELECT p.subject AS user_id, p.display_name, p.currency, s.consented, p.created_at, p.updated_at
FROM spendsense.profiles p
JOIN spendsense.standings s USING (user_id)
WHERE p.subject = %(subject)s

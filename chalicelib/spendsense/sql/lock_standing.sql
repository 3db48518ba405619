-- Waits for a job that is working on the person; no other job claims them until this transaction ends.
SELECT s.user_id, s.consented, p.currency
FROM spendsense.standings s
JOIN spendsense.profiles p USING (user_id)
WHERE p.subject = %(subject)s
FOR UPDATE OF s

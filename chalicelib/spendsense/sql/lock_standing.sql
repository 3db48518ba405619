-- Waits for a job that works on the person; from here on no job takes them up until this transaction is over.
SELECT s.user_id, s.consented, p.currency
FROM spendsense.standings s
JOIN spendsense.profiles p USING (user_id)
WHERE p.subject = %(subject)s
FOR UPDATE OF s

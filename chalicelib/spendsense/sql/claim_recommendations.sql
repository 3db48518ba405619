-- People with recommendations due, locked until the batch is done.
SELECT user_id
FROM spendsense.standings
WHERE consented
    AND recommendations_due
    AND (%(subject)s::uuid IS NULL OR user_id = (SELECT user_id FROM spendsense.profiles WHERE subject = %(subject)s))
ORDER BY user_id
LIMIT %(size)s
FOR UPDATE

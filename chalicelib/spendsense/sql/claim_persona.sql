-- People with persona due, locked until the batch is done.
SELECT user_id
FROM spendsense.standings
WHERE consented
    AND persona_due
    AND (%(subject)s::uuid IS NULL OR user_id = (SELECT user_id FROM spendsense.profiles WHERE subject = %(subject)s))
ORDER BY user_id
LIMIT %(size)s
FOR UPDATE

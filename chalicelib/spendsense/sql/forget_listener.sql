DELETE FROM spendsense.listeners
WHERE user_id = (SELECT user_id FROM spendsense.profiles WHERE subject = %(subject)s)
    AND connection_id = %(connection_id)s

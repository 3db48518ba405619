SELECT 1
FROM spendsense.accounts
WHERE external_id = %(account_id)s
    AND user_id = (SELECT user_id FROM spendsense.profiles WHERE subject = %(subject)s)

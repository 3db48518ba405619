SELECT 1 FROM spendsense.profiles WHERE subject = %(subject)s

-- Everything about a person hangs on the profile. What operators did to them keeps the action, and loses the words.
WITH forgotten AS (
    UPDATE spendsense.operator_actions SET reason = '' WHERE subject = %(subject)s
)
DELETE FROM spendsense.profiles WHERE subject = %(subject)s

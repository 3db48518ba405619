-- Deleting the profile deletes everything about the person. Operators' actions on them stay, without their texts.
WITH forgotten AS (
    UPDATE spendsense.operator_actions SET reason = '' WHERE subject = %(subject)s
)
DELETE FROM spendsense.profiles WHERE subject = %(subject)s

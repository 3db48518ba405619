SELECT s.consented, s.features_due, s.persona_due, s.recommendations_due, s.features_as_of AS as_of
FROM spendsense.standings s
WHERE s.user_id = (SELECT user_id FROM spendsense.profiles WHERE subject = %(subject)s)

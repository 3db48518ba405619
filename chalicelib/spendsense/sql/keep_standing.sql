-- A statement of its own, after the profile's: row-level security must find the profile.
INSERT INTO spendsense.standings AS s (user_id)
VALUES (%(user_id)s)
ON CONFLICT (user_id) DO UPDATE SET features_due = s.features_due OR s.consented AND %(is_other_currency)s
RETURNING consented

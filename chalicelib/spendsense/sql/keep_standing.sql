-- After the profile, in a statement of its own: row-level security looks the profile up.
INSERT INTO spendsense.standings AS s (user_id)
VALUES (%(user_id)s)
ON CONFLICT (user_id) DO UPDATE SET features_due = s.features_due OR s.consented AND %(is_other_currency)s
RETURNING consented

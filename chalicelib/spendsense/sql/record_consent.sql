WITH kept AS (
    INSERT INTO spendsense.consent_records (user_id, granted, policy_version, recorded_at)
    VALUES (%(user_id)s, %(granted)s, %(policy_version)s, %(recorded_at)s)
)
UPDATE spendsense.standings
SET consented = %(granted)s,
    features_due = %(granted)s,
    persona_due = %(granted)s,
    recommendations_due = %(granted)s,
    features_as_of = CASE WHEN %(granted)s THEN features_as_of END,
    features_run_id = CASE WHEN %(granted)s THEN features_run_id END
WHERE user_id = %(user_id)s

-- Marks more people as due at the start of a run of compute_features.
UPDATE spendsense.standings
SET features_due = true,
    persona_due = persona_due OR %(everyone)s,
    recommendations_due = recommendations_due OR %(everyone)s
WHERE consented
    AND (
        %(everyone)s AND NOT (features_due AND persona_due AND recommendations_due)
        OR %(nightly)s AND NOT features_due AND features_as_of <= %(as_of)s::date - %(refresh_days)s::int
    )

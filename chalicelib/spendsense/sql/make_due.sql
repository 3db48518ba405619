-- What a run of compute_features starts with: whose features are due that were not.
UPDATE spendsense.standings
SET features_due = true,
    persona_due = persona_due OR %(everyone)s,
    recommendations_due = recommendations_due OR %(everyone)s
WHERE consented
    AND (
        %(everyone)s AND NOT (features_due AND persona_due AND recommendations_due)
        OR %(nightly)s AND NOT features_due AND features_as_of <= %(as_of)s::date - %(refresh_days)s::int
    )

-- `xmax = 0` tells a new row from a changed one. A change of the home currency changes every feature.
WITH before AS (
    SELECT currency FROM spendsense.profiles WHERE subject = %(subject)s
),
saved AS (
    INSERT INTO spendsense.profiles (subject, display_name, currency, created_at, updated_at)
    VALUES (%(subject)s, %(display_name)s, %(currency)s, %(now)s, %(now)s)
    ON CONFLICT (subject) DO UPDATE SET
        display_name = excluded.display_name, currency = excluded.currency, updated_at = excluded.updated_at
    RETURNING *, xmax = 0 AS is_new
),
standing AS (
    INSERT INTO spendsense.standings AS s (user_id)
    SELECT user_id FROM saved
    ON CONFLICT (user_id) DO UPDATE SET features_due = s.features_due OR s.consented AND EXISTS (
        SELECT FROM before WHERE before.currency <> %(currency)s
    )
    RETURNING s.consented
)
SELECT
    saved.subject AS user_id, saved.display_name, saved.currency, standing.consented, saved.created_at,
    saved.updated_at, saved.is_new
FROM saved, standing

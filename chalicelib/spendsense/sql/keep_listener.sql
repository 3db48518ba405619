-- Returns whether the socket was kept, which it is not beyond the person's limit; no row without a profile.
WITH person AS (
    SELECT user_id FROM spendsense.profiles WHERE subject = %(subject)s
),
expired AS (
    DELETE FROM spendsense.listeners
    WHERE user_id = (SELECT user_id FROM person) AND expires_at <= %(now)s
),
kept AS (
    INSERT INTO spendsense.listeners (user_id, connection_id, endpoint, expires_at)
    SELECT user_id, %(connection_id)s, %(endpoint)s, %(expires_at)s
    FROM person
    WHERE (
        SELECT count(*) FROM spendsense.listeners l WHERE l.user_id = person.user_id AND l.expires_at > %(now)s
    ) < %(most)s
    ON CONFLICT (user_id, connection_id) DO UPDATE SET expires_at = excluded.expires_at
    RETURNING user_id
)
SELECT EXISTS (SELECT FROM kept) AS kept FROM person

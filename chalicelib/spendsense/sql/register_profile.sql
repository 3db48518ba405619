-- `xmax = 0` tells a new row from a changed one. A change of the home currency changes every feature.
WITH before AS (
    SELECT currency FROM spendsense.profiles WHERE subject = %(subject)s
)
INSERT INTO spendsense.profiles (subject, display_name, currency, created_at, updated_at)
VALUES (%(subject)s, %(display_name)s, %(currency)s, %(now)s, %(now)s)
ON CONFLICT (subject) DO UPDATE SET
    display_name = excluded.display_name, currency = excluded.currency, updated_at = excluded.updated_at
RETURNING
    user_id, created_at, updated_at, xmax = 0 AS is_new,
    EXISTS (SELECT FROM before WHERE before.currency <> %(currency)s) AS is_other_currency

-- A new account takes the person's next number.
WITH given AS (
    SELECT *
    FROM unnest(
        %(external_id)s::text[], %(name)s::text[], %(mask)s::text[], %(type)s::text[], %(subtype)s::text[],
        %(available_cents)s::bigint[], %(current_cents)s::bigint[], %(limit_cents)s::bigint[], %(currency)s::text[],
        %(holder_category)s::text[]
    ) WITH ORDINALITY AS a (
        external_id, name, mask, type, subtype, available_cents, current_cents, limit_cents, currency, holder_category,
        place
    )
),
last AS (
    SELECT coalesce(max(account_id), 0) AS number FROM spendsense.accounts WHERE user_id = %(user_id)s
),
written AS (
    INSERT INTO spendsense.accounts AS old (
        user_id, account_id, external_id, name, mask, type, subtype, available_cents, current_cents, limit_cents,
        currency, holder_category, updated_at
    )
    SELECT
        %(user_id)s, last.number + place, external_id, name, mask, type, subtype, available_cents, current_cents,
        limit_cents, currency, holder_category, %(now)s
    FROM given, last
    ON CONFLICT (user_id, external_id) DO UPDATE SET (
        name, mask, type, subtype, available_cents, current_cents, limit_cents, currency, holder_category, updated_at
    ) = ROW (
        excluded.name, excluded.mask, excluded.type, excluded.subtype, excluded.available_cents,
        excluded.current_cents, excluded.limit_cents, excluded.currency, excluded.holder_category, excluded.updated_at
    )
    WHERE (
        old.name, old.mask, old.type, old.subtype, old.available_cents, old.current_cents, old.limit_cents,
        old.currency, old.holder_category
    ) IS DISTINCT FROM (
        excluded.name, excluded.mask, excluded.type, excluded.subtype, excluded.available_cents,
        excluded.current_cents, excluded.limit_cents, excluded.currency, excluded.holder_category
    )
    RETURNING external_id
)
SELECT count(*) AS saved FROM written

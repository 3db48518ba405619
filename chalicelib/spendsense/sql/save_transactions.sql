-- A new row takes the person's next number.
WITH last AS (
    SELECT coalesce(max(transaction_id), 0) AS number FROM spendsense.transactions WHERE user_id = %(user_id)s
),
written AS (
    INSERT INTO spendsense.transactions AS old (
        user_id, account_id, external_id, posted_on, amount_cents, foreign_currency, name, merchant_id, category_id,
        channel, pending, replaces, transaction_id
    )
    SELECT
        %(user_id)s, account_id, external_id, posted_on, amount_cents, foreign_currency, name, merchant_id, category_id,
        channel, pending, replaces, last.number + place
    FROM last, unnest(
        %(account_id)s::int[], %(external_id)s::text[], %(posted_on)s::date[], %(amount_cents)s::bigint[],
        %(foreign_currency)s::text[], %(name)s::text[], %(merchant_id)s::int[], %(category_id)s::smallint[],
        %(channel)s::text[], %(pending)s::boolean[], %(replaces)s::text[]
    ) WITH ORDINALITY AS given (
        account_id, external_id, posted_on, amount_cents, foreign_currency, name, merchant_id, category_id, channel,
        pending, replaces, place
    )
    ON CONFLICT (user_id, account_id, external_id) DO UPDATE SET (
        posted_on, amount_cents, foreign_currency, name, merchant_id, category_id, channel, pending
    ) = ROW (
        excluded.posted_on, excluded.amount_cents, excluded.foreign_currency, excluded.name, excluded.merchant_id,
        excluded.category_id, excluded.channel, excluded.pending
    )
    WHERE (
        old.posted_on, old.amount_cents, old.foreign_currency, old.name, old.merchant_id, old.category_id, old.channel,
        old.pending
    ) IS DISTINCT FROM (
        excluded.posted_on, excluded.amount_cents, excluded.foreign_currency, excluded.name, excluded.merchant_id,
        excluded.category_id, excluded.channel, excluded.pending
    )
    RETURNING 1
)
SELECT count(*) AS saved FROM written

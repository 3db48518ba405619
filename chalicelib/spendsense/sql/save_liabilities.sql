WITH given AS (
    SELECT *
    FROM unnest(
        %(account_id)s::int[], %(kind)s::text[], %(apr_percent)s::numeric[], %(interest_rate_percent)s::numeric[],
        %(minimum_payment_cents)s::bigint[], %(last_payment_cents)s::bigint[], %(last_payment_on)s::date[],
        %(last_statement_cents)s::bigint[], %(last_statement_on)s::date[], %(next_payment_due_on)s::date[], %(is_overdue)s::boolean[]
    ) AS l (
        account_id, kind, apr_percent, interest_rate_percent, minimum_payment_cents, last_payment_cents,
        last_payment_on, last_statement_cents, last_statement_on, next_payment_due_on, is_overdue
    )
),
paid AS (
    INSERT INTO spendsense.liability_payments (user_id, account_id, paid_on, payment_cents)
    SELECT %(user_id)s, account_id, last_payment_on, last_payment_cents
    FROM given
    WHERE kind = 'credit' AND last_payment_on IS NOT NULL AND last_payment_cents IS NOT NULL
    ON CONFLICT (user_id, account_id, paid_on) DO UPDATE SET payment_cents = excluded.payment_cents
),
-- Plaid's minimum is that of the last statement. Without a date, a statement was issued about 25 days before its due date.
stated AS (
    INSERT INTO spendsense.liability_statements (user_id, account_id, issued_on, statement_cents, minimum_cents)
    SELECT
        %(user_id)s, account_id, coalesce(last_statement_on, next_payment_due_on - 25), last_statement_cents,
        minimum_payment_cents
    FROM given
    WHERE kind = 'credit'
        AND coalesce(last_statement_on, next_payment_due_on) IS NOT NULL
        AND last_statement_cents IS NOT NULL
        AND minimum_payment_cents IS NOT NULL
    ON CONFLICT (user_id, account_id, issued_on) DO UPDATE SET
        statement_cents = excluded.statement_cents, minimum_cents = excluded.minimum_cents
),
written AS (
    INSERT INTO spendsense.liabilities AS old (
        user_id, account_id, kind, apr_percent, interest_rate_percent, minimum_payment_cents, last_payment_cents,
        last_payment_on, last_statement_cents, last_statement_on, next_payment_due_on, is_overdue, updated_at
    )
    SELECT %(user_id)s, given.*, %(now)s FROM given
    ON CONFLICT (user_id, account_id) DO UPDATE SET (
        kind, apr_percent, interest_rate_percent, minimum_payment_cents, last_payment_cents, last_payment_on,
        last_statement_cents, last_statement_on, next_payment_due_on, is_overdue, updated_at
    ) = ROW (
        excluded.kind, excluded.apr_percent, excluded.interest_rate_percent, excluded.minimum_payment_cents,
        excluded.last_payment_cents, excluded.last_payment_on, excluded.last_statement_cents,
        excluded.last_statement_on, excluded.next_payment_due_on, excluded.is_overdue, excluded.updated_at
    )
    WHERE (
        old.kind, old.apr_percent, old.interest_rate_percent, old.minimum_payment_cents, old.last_payment_cents,
        old.last_payment_on, old.last_statement_cents, old.last_statement_on,
        old.next_payment_due_on, old.is_overdue
    ) IS DISTINCT FROM (
        excluded.kind, excluded.apr_percent, excluded.interest_rate_percent, excluded.minimum_payment_cents,
        excluded.last_payment_cents, excluded.last_payment_on, excluded.last_statement_cents,
        excluded.last_statement_on, excluded.next_payment_due_on, excluded.is_overdue
    )
    RETURNING 1
)
SELECT count(*) AS saved FROM written

-- The features of %(users)s as of %(as_of)s, for windows of 30, 90 and 180 days: one statement, however many they are.
-- It writes only what changed, so that a second run writes nothing; it returns the users whose features changed.
-- A month is a calendar month back from the day: it holds each monthly charge once, which 30 days need not.
WITH people AS (
    SELECT user_id, currency FROM spendsense.profiles WHERE user_id = ANY(%(users)s)
),
usable AS (
    SELECT
        a.user_id,
        a.account_id,
        a.currency = p.currency AS at_home,
        CASE
            WHEN a.type = 'credit' THEN 'card'
            WHEN a.type = 'depository' AND a.subtype = 'checking' THEN 'checking'
            WHEN a.type IN ('depository', 'investment') AND a.subtype = 'cash management' THEN 'either'
            WHEN a.type IN ('depository', 'investment') AND a.subtype IN ('savings', 'money market', 'hsa')
                THEN 'savings'
            WHEN a.type = 'depository' THEN 'cash'
            ELSE 'other'
        END AS role,
        a.subtype IN ('money market', 'cash management') OR a.name ~* 'high[ -]?yield|hysa' AS high_yield,
        a.subtype = 'hsa' AS for_health,
        coalesce(nullif(concat_ws(' ending ', nullif(a.name, ''), nullif(a.mask, '')), ''), 'card') AS label,
        a.limit_cents,
        coalesce(a.current_cents, a.available_cents) AS balance_cents,
        coalesce(a.current_cents, a.limit_cents - a.available_cents) AS owed_cents
    FROM spendsense.accounts a
    JOIN people p USING (user_id)
    WHERE a.user_id = ANY(%(users)s) AND a.holder_category IS DISTINCT FROM 'business'
),
-- One pass over the rows, which leaves a few groups for each account.
-- Sums of cents are double precision: exact up to 90 trillion, and a sixth faster in all than numeric.
totals AS MATERIALIZED (
    SELECT
        user_id,
        account_id,
        flow,
        foreign_currency IS NOT NULL AS elsewhere,
        count(*) FILTER (WHERE posted_on > %(as_of)s::date - 180) AS n180,
        count(*) FILTER (WHERE posted_on > %(as_of)s::date - 90) AS n90,
        count(*) FILTER (WHERE posted_on > %(as_of)s::date - 30) AS n30,
        sum(amount_cents::float8) FILTER (WHERE posted_on > %(as_of)s::date - 180) AS s180,
        sum(amount_cents::float8) FILTER (WHERE posted_on > %(as_of)s::date - 90) AS s90,
        sum(amount_cents::float8) FILTER (WHERE posted_on > %(as_of)s::date - 30) AS s30,
        sum(amount_cents::float8) AS m6,
        sum(amount_cents::float8) FILTER (WHERE posted_on > (%(as_of)s::date - interval '5 months')::date) AS m5,
        sum(amount_cents::float8) FILTER (WHERE posted_on > (%(as_of)s::date - interval '4 months')::date) AS m4,
        sum(amount_cents::float8) FILTER (WHERE posted_on > (%(as_of)s::date - interval '3 months')::date) AS m3,
        sum(amount_cents::float8) FILTER (WHERE posted_on > (%(as_of)s::date - interval '2 months')::date) AS m2,
        sum(amount_cents::float8) FILTER (WHERE posted_on > (%(as_of)s::date - interval '1 month')::date) AS m1,
        min(posted_on) AS first_on
    FROM spendsense.transactions
    JOIN spendsense.categories USING (category_id)
    WHERE user_id = ANY(%(users)s)
        AND NOT pending
        AND posted_on > (%(as_of)s::date - interval '6 months')::date
        AND posted_on <= %(as_of)s::date
    GROUP BY user_id, account_id, flow, foreign_currency IS NOT NULL
),
-- A cash management account counts as checking if money is spent from it or pay comes to it, otherwise as savings.
lived_from AS (
    SELECT DISTINCT t.user_id, t.account_id
    FROM totals t
    JOIN usable u USING (user_id, account_id)
    WHERE u.role = 'either' AND t.flow IN ('wages', 'spend', 'service', 'obligation', 'payment')
),
placed AS MATERIALIZED (
    SELECT
        u.user_id, u.account_id, u.at_home, u.for_health, u.label, u.limit_cents, u.balance_cents, u.owed_cents,
        u.high_yield,
        CASE
            WHEN u.role <> 'either' THEN u.role
            WHEN l.account_id IS NOT NULL THEN 'checking'
            ELSE 'savings'
        END AS role
    FROM usable u
    LEFT JOIN lived_from l USING (user_id, account_id)
),
counted AS MATERIALIZED (
    SELECT
        p.at_home AND NOT t.elsewhere AS at_home,
        p.role,
        p.role <> 'other' AND t.flow IN ('spend', 'service', 'obligation', 'payment', 'interest') AS spends,
        t.*
    FROM totals t
    JOIN placed p USING (user_id, account_id)
),
flows AS MATERIALIZED (
    SELECT
        user_id,
        least(180, %(as_of)s::date - min(first_on) + 1) AS observed,
        least(6, (%(as_of)s::date - min(first_on) + 1) / 30) AS months,
        (sum(n180) FILTER (WHERE at_home))::int AS n180,
        (sum(n90) FILTER (WHERE at_home))::int AS n90,
        (sum(n30) FILTER (WHERE at_home))::int AS n30,
        (sum(n180) FILTER (WHERE NOT at_home))::int AS e180,
        (sum(n90) FILTER (WHERE NOT at_home))::int AS e90,
        (sum(n30) FILTER (WHERE NOT at_home))::int AS e30,
        (sum(s180) FILTER (WHERE at_home AND spends))::bigint AS s180,
        (sum(s90) FILTER (WHERE at_home AND spends))::bigint AS s90,
        (sum(s30) FILTER (WHERE at_home AND spends))::bigint AS s30,
        (-sum(s180) FILTER (WHERE at_home AND role = 'savings'))::bigint AS in180,
        (-sum(s90) FILTER (WHERE at_home AND role = 'savings'))::bigint AS in90,
        (-sum(s30) FILTER (WHERE at_home AND role = 'savings'))::bigint AS in30,
        (sum(s180) FILTER (WHERE at_home AND role = 'card' AND flow = 'interest'))::bigint AS interest180,
        (sum(s90) FILTER (WHERE at_home AND role = 'card' AND flow = 'interest'))::bigint AS interest90,
        (sum(s30) FILTER (WHERE at_home AND role = 'card' AND flow = 'interest'))::bigint AS interest30,
        ARRAY[
            sum(m1) FILTER (WHERE at_home AND spends), sum(m2) FILTER (WHERE at_home AND spends),
            sum(m3) FILTER (WHERE at_home AND spends), sum(m4) FILTER (WHERE at_home AND spends),
            sum(m5) FILTER (WHERE at_home AND spends), sum(m6) FILTER (WHERE at_home AND spends)
        ]::bigint[] AS spent_in_months,
        ARRAY[
            -sum(m1) FILTER (WHERE at_home AND role = 'savings'), -sum(m2) FILTER (WHERE at_home AND role = 'savings'),
            -sum(m3) FILTER (WHERE at_home AND role = 'savings'), -sum(m4) FILTER (WHERE at_home AND role = 'savings'),
            -sum(m5) FILTER (WHERE at_home AND role = 'savings'), -sum(m6) FILTER (WHERE at_home AND role = 'savings')
        ]::bigint[] AS saved_in_months
    FROM counted
    GROUP BY user_id
),
-- The rows behind subscriptions and income: charges of services over a year and a half, pay, and pay taken back.
looked_at AS MATERIALIZED (
    SELECT t.user_id, t.merchant_id, t.posted_on, t.amount_cents, c.flow, p.role
    FROM spendsense.transactions t
    JOIN placed p USING (user_id, account_id)
    JOIN spendsense.categories c USING (category_id)
    WHERE t.user_id = ANY(%(users)s)
        AND NOT t.pending
        AND t.posted_on > %(as_of)s::date - 558
        AND t.posted_on <= %(as_of)s::date
        AND t.foreign_currency IS NULL
        AND p.at_home AND p.role <> 'other' AND c.flow IN ('service', 'wages', 'income')
        AND CASE c.flow WHEN 'service' THEN t.amount_cents > 0 ELSE t.posted_on > %(as_of)s::date - 180 END
),
-- Subscriptions: the charges of merchants that charged lately, and at most 60 times.
charged AS MATERIALIZED (
    SELECT l.user_id, l.merchant_id, l.posted_on, l.amount_cents
    FROM looked_at l
    JOIN (
        SELECT user_id, merchant_id
        FROM looked_at
        WHERE flow = 'service' AND merchant_id IS NOT NULL
        GROUP BY user_id, merchant_id
        HAVING count(*) >= 2
            AND count(*) FILTER (WHERE posted_on > (%(as_of)s::date - interval '6 months')::date) BETWEEN 1 AND 60
    ) AS candidates USING (user_id, merchant_id)
    WHERE l.flow = 'service'
),
-- Each merchant is examined as a whole (plan 0), and plan by plan: a plan is an amount that is charged repeatedly.
plans AS (
    SELECT user_id, merchant_id, amount_cents
    FROM charged
    GROUP BY user_id, merchant_id, amount_cents
    HAVING count(*) >= 2
),
charges AS (
    SELECT user_id, merchant_id, 0::bigint AS plan, posted_on, sum(amount_cents::float8)::bigint AS amount_cents
    FROM charged
    GROUP BY user_id, merchant_id, posted_on
    UNION ALL
    SELECT user_id, merchant_id, amount_cents, posted_on, sum(amount_cents::float8)::bigint
    FROM charged
    JOIN plans USING (user_id, merchant_id, amount_cents)
    GROUP BY user_id, merchant_id, amount_cents, posted_on
),
backwards AS (
    SELECT
        *,
        row_number() OVER latest_first AS place,
        lag(posted_on) OVER latest_first - posted_on AS gap,
        lag(amount_cents) OVER latest_first AS next_cents
    FROM charges
    WINDOW latest_first AS (PARTITION BY user_id, merchant_id, plan ORDER BY posted_on DESC)
),
-- The pace is the median of the last five gaps. A pace close to 7, 14, 30, 91 or 365 days is a cadence.
paced AS (
    SELECT
        user_id,
        merchant_id,
        plan,
        CASE
            WHEN pace BETWEEN 6 AND 8 THEN 7
            WHEN pace BETWEEN 12 AND 16 THEN 14
            WHEN pace BETWEEN 27 AND 33 THEN 30
            WHEN pace BETWEEN 86 AND 96 THEN 91
            WHEN pace BETWEEN 351 AND 379 THEN 365
        END AS days
    FROM (
        SELECT user_id, merchant_id, plan, (array_agg(gap ORDER BY gap))[(count(*) + 1) / 2] AS pace
        FROM backwards
        WHERE place BETWEEN 2 AND 6
        GROUP BY user_id, merchant_id, plan
    ) AS median
),
cadences (days, slack) AS (VALUES (7, 1), (14, 2), (30, 3), (91, 5), (365, 14)),
-- Back from the last charge, the charges that keep the cadence; one may be missing, and the price may change once.
kept AS (
    SELECT
        b.user_id, b.merchant_id, b.plan, b.place, b.posted_on, b.amount_cents, c.days, c.slack,
        bool_and(
            b.place = 1 OR b.gap BETWEEN c.days - c.slack AND c.days + c.slack
            OR b.gap BETWEEN 2 * (c.days - c.slack) AND 2 * (c.days + c.slack)
        ) OVER backwards_from_last
        AND count(*) FILTER (WHERE b.gap > c.days + c.slack) OVER backwards_from_last <= 1
        AND bool_and(b.place = 1 OR greatest(b.amount_cents, b.next_cents) <= 2 * least(b.amount_cents, b.next_cents))
            OVER backwards_from_last
        AND count(*) FILTER (
            WHERE greatest(b.amount_cents, b.next_cents) * 5 > least(b.amount_cents, b.next_cents) * 6
        ) OVER backwards_from_last <= 1 AS fits
    FROM backwards b
    JOIN paced p USING (user_id, merchant_id, plan)
    JOIN cadences c USING (days)
    WINDOW backwards_from_last AS (PARTITION BY b.user_id, b.merchant_id, b.plan ORDER BY b.place)
),
runs AS (
    SELECT
        user_id,
        merchant_id,
        plan,
        days,
        (min(amount_cents) FILTER (WHERE place = 1)) AS price_cents,
        coalesce(sum(amount_cents) FILTER (WHERE posted_on > %(as_of)s::date - 180), 0)::bigint AS r180,
        coalesce(sum(amount_cents) FILTER (WHERE posted_on > %(as_of)s::date - 90), 0)::bigint AS r90,
        coalesce(sum(amount_cents) FILTER (WHERE posted_on > %(as_of)s::date - 30), 0)::bigint AS r30
    FROM kept
    WHERE fits
    GROUP BY user_id, merchant_id, plan, days, slack
    HAVING count(*) >= CASE days WHEN 365 THEN 2 ELSE 3 END
        AND max(posted_on) > %(as_of)s::date - CASE days WHEN 365 THEN 180 ELSE days * 3 / 2 + slack END
),
subscribed AS (
    SELECT
        r.user_id,
        r.merchant_id,
        min(r.days) <= 30 AS often,
        sum(price.monthly_cents)::bigint AS monthly180,
        coalesce(sum(price.monthly_cents) FILTER (WHERE r.days <= 30), 0)::bigint AS monthly,
        sum(r.r180)::bigint AS r180,
        coalesce(sum(r.r90) FILTER (WHERE r.days <= 30), 0)::bigint AS r90,
        coalesce(sum(r.r30) FILTER (WHERE r.days <= 30), 0)::bigint AS r30
    FROM runs r
    CROSS JOIN LATERAL (
        SELECT CASE r.days
            WHEN 7 THEN r.price_cents * 52 / 12
            WHEN 14 THEN r.price_cents * 26 / 12
            WHEN 30 THEN r.price_cents
            WHEN 91 THEN r.price_cents / 3
            ELSE r.price_cents / 12
        END
    ) AS price (monthly_cents)
    LEFT JOIN runs w ON w.user_id = r.user_id AND w.merchant_id = r.merchant_id AND w.plan = 0
    WHERE r.plan = 0 OR w.plan IS NULL
    GROUP BY r.user_id, r.merchant_id
),
subscriptions AS (
    SELECT
        s.user_id,
        count(*) AS merchants180,
        count(*) FILTER (WHERE s.often) AS merchants,
        sum(s.monthly180)::bigint AS monthly180,
        sum(s.monthly)::bigint AS monthly,
        sum(s.r180)::bigint AS r180,
        sum(s.r90)::bigint AS r90,
        sum(s.r30)::bigint AS r30,
        (array_agg(m.name ORDER BY s.monthly180 DESC, m.key))[1] AS dearest180,
        (array_agg(m.name ORDER BY s.monthly DESC, m.key) FILTER (WHERE s.often))[1] AS dearest
    FROM subscribed s
    JOIN spendsense.merchants m ON m.user_id = s.user_id AND m.merchant_id = s.merchant_id
    WHERE m.user_id = ANY(%(users)s)
    GROUP BY s.user_id
),
-- Income, always over 180 days: a month cannot hold a gap of 45 days. A reversal cancels the payment it took back.
received AS MATERIALIZED (
    SELECT
        user_id,
        coalesce(merchant_id, 0) AS payer,
        posted_on,
        -amount_cents AS amount_cents,
        flow,
        row_number() OVER (PARTITION BY user_id, merchant_id, amount_cents ORDER BY posted_on DESC) AS place
    FROM looked_at
    WHERE amount_cents < 0 AND role IN ('checking', 'savings', 'cash') AND flow IN ('wages', 'income')
),
taken_back AS (
    SELECT DISTINCT ON (v.user_id, v.merchant_id, v.amount_cents, v.posted_on)
        v.user_id, v.merchant_id AS payer, v.amount_cents, r.place
    FROM looked_at v
    JOIN received r
        ON r.user_id = v.user_id AND r.payer = v.merchant_id AND r.amount_cents = v.amount_cents
        AND r.posted_on <= v.posted_on
    WHERE v.amount_cents > 0 AND v.flow IN ('wages', 'income') AND v.role IN ('checking', 'savings', 'cash')
    ORDER BY v.user_id, v.merchant_id, v.amount_cents, v.posted_on, r.place
),
by_payer AS (
    SELECT
        r.user_id, r.payer, r.posted_on, bool_or(r.flow = 'wages') AS wages, sum(r.amount_cents)::bigint AS amount_cents
    FROM received r
    LEFT JOIN (SELECT DISTINCT * FROM taken_back) b USING (user_id, payer, amount_cents, place)
    WHERE b.user_id IS NULL
    GROUP BY r.user_id, r.payer, r.posted_on
),
-- A payer of three payments or more, 45 days or less apart, is regular. Wages of all other payers are combined, like
-- those of a freelancer's clients. Income other than wages counts if a payer sends it three times, 6 to 95 days apart.
payers AS (
    SELECT
        user_id,
        payer,
        count(*) >= 3 AND percentile_cont(0.5) WITHIN GROUP (ORDER BY gap::double precision) <= 45 AS regular,
        bool_or(wages) OR count(*) >= 3 AND min(gap) >= 6 AND max(gap) <= 95 AS counts
    FROM (
        SELECT *, posted_on - lag(posted_on) OVER (PARTITION BY user_id, payer ORDER BY posted_on) AS gap
        FROM by_payer
    ) AS in_order
    GROUP BY user_id, payer
),
paydays AS (
    SELECT
        user_id,
        payer,
        posted_on,
        amount_cents,
        (posted_on - lag(posted_on) OVER (PARTITION BY user_id, payer ORDER BY posted_on))::double precision AS gap
    FROM (
        SELECT
            b.user_id,
            CASE WHEN p.regular THEN b.payer ELSE -1 END AS payer,
            b.posted_on,
            sum(b.amount_cents)::bigint AS amount_cents
        FROM by_payer b
        JOIN payers p USING (user_id, payer)
        WHERE p.counts
        GROUP BY b.user_id, CASE WHEN p.regular THEN b.payer ELSE -1 END, b.posted_on
    ) AS put_together
),
medians AS (
    SELECT
        user_id,
        payer,
        count(*) AS times,
        max(posted_on) AS last_on,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) AS gap,
        percentile_cont(0.75) WITHIN GROUP (ORDER BY gap) AS long_gap,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY amount_cents::double precision) AS typical
    FROM paydays
    GROUP BY user_id, payer
),
-- A payment above three times the payer's median is a bonus, which counts neither as variation nor as monthly income.
paid AS (
    SELECT
        d.user_id,
        d.payer,
        CASE WHEN count(*) > 1
            THEN (stddev_pop(d.amount_cents) / avg(d.amount_cents))::double precision * sum(d.amount_cents)::double precision
        END AS deviation,
        (sum(d.amount_cents) FILTER (WHERE d.posted_on > (%(as_of)s::date - f.months * interval '1 month')::date))::bigint
            / nullif(max(f.months), 0) AS over_months,
        sum(d.amount_cents)::double precision AS usual
    FROM paydays d
    JOIN medians m USING (user_id, payer)
    JOIN flows f USING (user_id)
    WHERE d.payer = -1 OR m.times < 4 OR d.amount_cents <= 3 * m.typical
    GROUP BY d.user_id, d.payer
),
payer_sums AS (
    SELECT
        m.user_id,
        sum(p.deviation) / nullif(sum(p.usual) FILTER (WHERE p.deviation IS NOT NULL), 0) AS variation,
        sum(
            CASE
                WHEN m.payer = -1 THEN coalesce(p.over_months, 0)
                WHEN m.last_on <= %(as_of)s::date - ceil(m.gap * 1.5 + 3)::int THEN 0
                WHEN m.gap BETWEEN 6 AND 8 THEN floor(m.typical * 52 / 12)::bigint
                WHEN m.gap BETWEEN 12 AND 17 AND m.long_gap >= 15.5 THEN floor(m.typical * 2)::bigint
                WHEN m.gap BETWEEN 12 AND 17 THEN floor(m.typical * 26 / 12)::bigint
                WHEN m.gap BETWEEN 27 AND 33 THEN floor(m.typical)::bigint
                ELSE coalesce(p.over_months, 0)
            END
        )::bigint AS monthly_cents
    FROM medians m
    JOIN paid p USING (user_id, payer)
    GROUP BY m.user_id
),
pay AS (
    SELECT
        d.user_id,
        count(DISTINCT d.posted_on) AS pay_dates,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY d.gap) AS median_gap
    FROM paydays d
    GROUP BY d.user_id
),
-- Credit. A card without a positive limit has no utilization. Plaid gives the minimum of the open statement, so a
-- payment is compared with the statement before it, and only if that asked for more than was paid.
minimum_only AS (
    SELECT user_id, account_id
    FROM (
        SELECT DISTINCT ON (p.user_id, p.account_id, p.paid_on)
            p.user_id, p.account_id, p.payment_cents, s.statement_cents, s.minimum_cents
        FROM spendsense.liability_payments p
        JOIN spendsense.liability_statements s USING (user_id, account_id)
        WHERE p.user_id = ANY(%(users)s)
            AND s.user_id = ANY(%(users)s)
            AND p.paid_on > %(as_of)s::date - 180
            AND p.paid_on <= %(as_of)s::date
            AND s.issued_on BETWEEN p.paid_on - 35 AND p.paid_on
        ORDER BY p.user_id, p.account_id, p.paid_on, s.issued_on DESC
    ) AS answered
    WHERE minimum_cents > 0 AND abs(payment_cents - minimum_cents) <= 500 AND statement_cents > payment_cents
    GROUP BY user_id, account_id
    HAVING count(*) >= 2
),
cards AS (
    SELECT
        u.user_id,
        u.label,
        greatest(u.owed_cents, 0) AS owed_cents,
        CASE WHEN u.limit_cents > 0 AND u.owed_cents IS NOT NULL THEN u.limit_cents END AS limit_cents,
        u.owed_cents <= 0 AS nothing_owed,
        m.account_id IS NOT NULL AS minimum_only,
        coalesce(l.is_overdue, false) AS overdue
    FROM placed u
    LEFT JOIN spendsense.liabilities l
        ON l.user_id = u.user_id AND l.account_id = u.account_id AND l.kind = 'credit' AND l.user_id = ANY(%(users)s)
    LEFT JOIN minimum_only m ON m.user_id = u.user_id AND m.account_id = u.account_id
    WHERE u.role = 'card' AND u.at_home
),
credit AS (
    SELECT
        user_id,
        count(*) AS cards,
        count(*) FILTER (WHERE limit_cents IS NULL AND nothing_owed IS NOT TRUE) AS unmeasured,
        max(owed_cents / limit_cents::double precision) AS max_utilization,
        (sum(owed_cents) FILTER (WHERE limit_cents IS NOT NULL))::double precision
            / sum(limit_cents)::double precision AS total_utilization,
        count(*) FILTER (WHERE owed_cents * 100 >= limit_cents * 30) AS at_30,
        count(*) FILTER (WHERE owed_cents * 100 >= limit_cents * 50) AS at_50,
        count(*) FILTER (WHERE owed_cents * 100 >= limit_cents * 80) AS at_80,
        (array_agg(label ORDER BY owed_cents / limit_cents::double precision DESC NULLS LAST, label)
            FILTER (WHERE limit_cents IS NOT NULL))[1] AS top_card,
        count(*) FILTER (WHERE minimum_only) AS minimum_only,
        count(*) FILTER (WHERE overdue) AS overdue
    FROM cards
    GROUP BY user_id
),
held AS (
    SELECT
        user_id,
        count(*) FILTER (WHERE role = 'savings') AS savings_accounts,
        count(*) FILTER (WHERE role = 'savings' AND high_yield) AS high_yield_accounts,
        (sum(balance_cents) FILTER (WHERE role = 'savings'))::bigint AS savings_cents,
        (sum(balance_cents) FILTER (WHERE role = 'savings' AND NOT for_health))::bigint AS fund_cents,
        (sum(balance_cents) FILTER (WHERE role = 'checking'))::bigint AS checking_cents
    FROM placed
    WHERE at_home
    GROUP BY user_id
),
-- Everything by window; monthly figures are null during the first month.
windowed AS (
    SELECT
        p.user_id,
        p.currency,
        w.window_days,
        least(w.window_days, coalesce(f.observed, 0)) AS days,
        coalesce(w.n, 0) AS n,
        coalesce(w.elsewhere, 0) AS elsewhere,
        greatest(coalesce(w.spend, 0), 0) AS spend,
        CASE WHEN f.months > 0
            THEN greatest(coalesce(f.spent_in_months[least(w.months, f.months)], 0), 0) / least(w.months, f.months)
        END AS monthly_spend,
        coalesce(w.inflow, 0) AS inflow,
        CASE WHEN f.months > 0
            THEN coalesce(f.saved_in_months[least(w.months, f.months)], 0) / least(w.months, f.months)
        END AS monthly_inflow,
        greatest(coalesce(w.interest, 0), 0) AS interest,
        coalesce(w.merchants, 0) AS merchants,
        coalesce(w.recurring, 0) AS recurring,
        coalesce(w.monthly_recurring, 0) AS monthly_recurring,
        w.dearest,
        f.months
    FROM people p
    LEFT JOIN flows f USING (user_id)
    LEFT JOIN subscriptions s USING (user_id)
    CROSS JOIN LATERAL (
        VALUES
            (30, 1, f.n30, f.e30, f.s30, f.in30, f.interest30, s.merchants, s.r30, s.monthly, s.dearest),
            (90, 3, f.n90, f.e90, f.s90, f.in90, f.interest90, s.merchants, s.r90, s.monthly, s.dearest),
            (180, 6, f.n180, f.e180, f.s180, f.in180, f.interest180, s.merchants180, s.r180, s.monthly180, s.dearest180)
    ) AS w (
        window_days, months, n, elsewhere, spend, inflow, interest, merchants, recurring, monthly_recurring, dearest
    )
),
measured AS (
    SELECT
        w.*,
        h.savings_cents,
        h.fund_cents,
        h.checking_cents,
        coalesce(h.savings_accounts, 0) AS savings_accounts,
        coalesce(h.high_yield_accounts, 0) AS high_yield_accounts,
        CASE WHEN w.monthly_spend > 0
            THEN h.fund_cents::double precision / w.monthly_spend::double precision
        END AS emergency_months
    FROM windowed w
    LEFT JOIN held h USING (user_id)
),
written AS (
    INSERT INTO spendsense.computed_features AS old (
        user_id, window_days, as_of, currency, observed_days, transactions, other_currency_transactions, spend_cents,
        monthly_expenses_cents, recurring_merchants, recurring_spend_cents, monthly_recurring_cents, subscription_share,
        top_subscription, savings_accounts, high_yield_accounts, savings_balance_cents, savings_inflow_cents,
        monthly_savings_inflow_cents, savings_growth, emergency_months, emergency_band, cards, cards_unmeasured,
        max_utilization, total_utilization, cards_at_30, cards_at_50, cards_at_80, top_card, minimum_only_cards,
        interest_cents, overdue_cards, income_lookback_days, pay_dates, median_pay_gap_days, pay_variation,
        monthly_income_cents, checking_balance_cents, buffer_months, emergency_fund_cents
    )
    SELECT
        m.user_id,
        m.window_days,
        %(as_of)s::date,
        m.currency,
        m.days,
        m.n,
        m.elsewhere,
        m.spend,
        m.monthly_spend,
        m.merchants,
        m.recurring,
        m.monthly_recurring,
        CASE WHEN m.monthly_spend > 0
            THEN m.monthly_recurring::double precision / m.monthly_spend::double precision
        END,
        m.dearest,
        m.savings_accounts,
        m.high_yield_accounts,
        m.savings_cents,
        m.inflow,
        m.monthly_inflow,
        CASE WHEN m.savings_cents - m.inflow > 0
            THEN m.inflow::double precision / (m.savings_cents - m.inflow)::double precision
        END,
        m.emergency_months,
        CASE
            WHEN m.emergency_months >= 6 THEN '6 or more'
            WHEN m.emergency_months >= 3 THEN '3 to 6'
            WHEN m.emergency_months >= 1 THEN '1 to 3'
            WHEN m.emergency_months IS NOT NULL THEN 'below 1'
            ELSE 'unknown'
        END,
        coalesce(c.cards, 0),
        coalesce(c.unmeasured, 0),
        c.max_utilization,
        c.total_utilization,
        coalesce(c.at_30, 0),
        coalesce(c.at_50, 0),
        coalesce(c.at_80, 0),
        c.top_card,
        coalesce(c.minimum_only, 0),
        m.interest,
        coalesce(c.overdue, 0),
        180,
        coalesce(y.pay_dates, 0),
        y.median_gap,
        v.variation,
        CASE WHEN m.months > 0 THEN coalesce(v.monthly_cents, 0) END,
        m.checking_cents,
        CASE WHEN m.monthly_spend > 0
            THEN m.checking_cents::double precision / m.monthly_spend::double precision
        END,
        m.fund_cents
    FROM measured m
    LEFT JOIN credit c USING (user_id)
    LEFT JOIN pay y USING (user_id)
    LEFT JOIN payer_sums v USING (user_id)
    ON CONFLICT (user_id, window_days) DO UPDATE SET (
        user_id, window_days, as_of, currency, observed_days, transactions, other_currency_transactions, spend_cents,
        monthly_expenses_cents, recurring_merchants, recurring_spend_cents, monthly_recurring_cents, subscription_share,
        top_subscription, savings_accounts, high_yield_accounts, savings_balance_cents, savings_inflow_cents,
        monthly_savings_inflow_cents, savings_growth, emergency_months, emergency_band, cards, cards_unmeasured,
        max_utilization, total_utilization, cards_at_30, cards_at_50, cards_at_80, top_card, minimum_only_cards,
        interest_cents, overdue_cards, income_lookback_days, pay_dates, median_pay_gap_days, pay_variation,
        monthly_income_cents, checking_balance_cents, buffer_months, emergency_fund_cents
    ) = (SELECT excluded.*)
    WHERE old.* IS DISTINCT FROM excluded.*
    RETURNING old.user_id
)
SELECT DISTINCT user_id FROM written

-- The features of %(users)s as of %(as_of)s, for windows of 30, 90 and 180 days: one statement, however many they are.
-- It writes only what changed, so that a second run writes nothing; it returns the users whose features changed.
WITH people AS (
    SELECT user_id, currency FROM spendsense.profiles WHERE user_id = ANY(%(users)s)
),
usable AS (
    SELECT
        a.account_id,
        a.user_id,
        a.currency = p.currency AS at_home,
        CASE
            WHEN a.type = 'credit' THEN 'card'
            WHEN a.type = 'depository' AND a.subtype = 'checking' THEN 'checking'
            WHEN a.type IN ('depository', 'investment')
                AND a.subtype IN ('savings', 'money market', 'cash management', 'hsa') THEN 'savings'
            WHEN a.type = 'depository' THEN 'cash'
            ELSE 'other'
        END AS role,
        a.subtype IN ('money market', 'cash management') OR a.name ~* 'high[ -]?yield|hysa' AS high_yield,
        coalesce(nullif(concat_ws(' ending ', nullif(a.name, ''), nullif(a.mask, '')), ''), 'card') AS label,
        a.limit_cents,
        coalesce(a.current_cents, a.available_cents) AS balance_cents,
        coalesce(a.current_cents, a.limit_cents - a.available_cents) AS owed_cents
    FROM spendsense.accounts a
    JOIN people p USING (user_id)
    WHERE a.user_id = ANY(%(users)s) AND a.holder_category IS DISTINCT FROM 'business'
),
-- One pass over the rows, grouped by integers; everything after it works on a fraction of them.
totals AS MATERIALIZED (
    SELECT
        account_id,
        category_id,
        merchant_id,
        foreign_currency IS NOT NULL AS elsewhere,
        count(*) AS n180,
        count(*) FILTER (WHERE posted_on > %(as_of)s::date - 90) AS n90,
        count(*) FILTER (WHERE posted_on > %(as_of)s::date - 30) AS n30,
        sum(amount_cents)::bigint AS s180,
        (sum(amount_cents) FILTER (WHERE posted_on > %(as_of)s::date - 90))::bigint AS s90,
        (sum(amount_cents) FILTER (WHERE posted_on > %(as_of)s::date - 30))::bigint AS s30,
        count(*) FILTER (WHERE posted_on > %(as_of)s::date - 90 AND amount_cents > 0) AS charges90,
        min(amount_cents) FILTER (WHERE posted_on > %(as_of)s::date - 90 AND amount_cents > 0) AS least90,
        max(amount_cents) FILTER (WHERE posted_on > %(as_of)s::date - 90) AS most90,
        min(posted_on) AS first180,
        max(posted_on) AS last180
    FROM spendsense.transactions
    WHERE user_id = ANY(%(users)s)
        AND NOT pending
        AND posted_on > %(as_of)s::date - 180
        AND posted_on <= %(as_of)s::date
    GROUP BY account_id, category_id, merchant_id, foreign_currency IS NOT NULL
),
counted AS MATERIALIZED (
    SELECT
        u.user_id,
        u.at_home AND NOT t.elsewhere AS at_home,
        CASE
            WHEN u.role = 'savings' THEN 'saving'
            WHEN u.role = 'other' THEN 'none'
            WHEN c.flow IN ('spend', 'obligation', 'interest') THEN c.flow
            ELSE 'none'
        END AS use,
        t.*
    FROM totals t
    JOIN usable u USING (account_id)
    JOIN spendsense.categories c USING (category_id)
),
-- Subscriptions. Steady: the dearest charge is at most a fifth above the cheapest. First what sums can rule out ...
steady AS (
    SELECT user_id, merchant_id
    FROM counted
    WHERE use = 'spend' AND at_home AND merchant_id IS NOT NULL
    GROUP BY user_id, merchant_id
    HAVING sum(charges90) >= 3 AND max(most90) * 5 <= min(least90) * 6
),
charges AS (
    SELECT t.user_id, t.merchant_id, t.posted_on, sum(t.amount_cents)::bigint AS amount_cents
    FROM steady s
    JOIN spendsense.transactions t USING (user_id, merchant_id)
    JOIN usable u USING (account_id)
    JOIN spendsense.categories c USING (category_id)
    WHERE t.user_id = ANY(%(users)s)
        AND NOT t.pending
        AND t.posted_on > %(as_of)s::date - 180
        AND t.posted_on <= %(as_of)s::date
        AND t.amount_cents > 0
        AND t.foreign_currency IS NULL
        AND u.at_home AND u.role IN ('checking', 'cash', 'card') AND c.flow = 'spend'
    GROUP BY t.user_id, t.merchant_id, t.posted_on
),
gaps AS (
    SELECT
        user_id, merchant_id, posted_on,
        posted_on - lag(posted_on) OVER (PARTITION BY user_id, merchant_id ORDER BY posted_on) AS gap
    FROM charges
    WHERE posted_on > %(as_of)s::date - 90
),
-- ... then every gap must be a week (7 +- 1 days) or a month (30 +- 3 days).
cadent AS (
    SELECT user_id, merchant_id
    FROM gaps
    GROUP BY user_id, merchant_id
    HAVING count(*) >= 3
        AND ((min(gap) >= 6 AND max(gap) <= 8) OR (min(gap) >= 27 AND max(gap) <= 33))
),
-- Annual: the one charge of the window, and another of a like amount a year (365 +- 14 days) before it.
single AS (
    SELECT user_id, merchant_id, max(last180) AS posted_on, sum(s180)::bigint AS amount_cents
    FROM counted
    WHERE use = 'spend' AND at_home AND merchant_id IS NOT NULL
    GROUP BY user_id, merchant_id
    HAVING sum(n180) = 1 AND sum(s180) > 0
),
annual AS (
    SELECT DISTINCT l.user_id, l.merchant_id, l.amount_cents
    FROM spendsense.transactions e
    JOIN single l USING (user_id, merchant_id)
    JOIN usable u USING (account_id)
    WHERE e.user_id = ANY(%(users)s)
        AND NOT e.pending
        AND e.posted_on BETWEEN %(as_of)s::date - 558 AND %(as_of)s::date - 351
        AND e.posted_on BETWEEN l.posted_on - 379 AND l.posted_on - 351
        AND e.amount_cents > 0
        AND e.foreign_currency IS NULL
        AND u.at_home
        AND greatest(e.amount_cents, l.amount_cents) * 5 <= least(e.amount_cents, l.amount_cents) * 6
),
recurring AS (
    SELECT
        user_id,
        merchant_id,
        30 AS longest,
        sum(amount_cents)::bigint AS r180,
        coalesce(sum(amount_cents) FILTER (WHERE posted_on > %(as_of)s::date - 90), 0)::bigint AS r90,
        coalesce(sum(amount_cents) FILTER (WHERE posted_on > %(as_of)s::date - 30), 0)::bigint AS r30
    FROM cadent
    JOIN charges USING (user_id, merchant_id)
    GROUP BY user_id, merchant_id
    UNION ALL
    SELECT user_id, merchant_id, 180, amount_cents, 0, 0 FROM annual
),
subscriptions AS (
    SELECT
        user_id,
        count(*) AS merchants180,
        count(*) FILTER (WHERE longest = 30) AS merchants,
        sum(r180)::bigint AS r180,
        sum(r90)::bigint AS r90,
        sum(r30)::bigint AS r30,
        (array_agg(merchant_id ORDER BY r180 DESC, merchant_id))[1] AS dearest180,
        (array_agg(merchant_id ORDER BY r180 DESC, merchant_id) FILTER (WHERE longest = 30))[1] AS dearest
    FROM recurring
    GROUP BY user_id
),
-- Income, always over 180 days: a month cannot hold a gap of 45. Wages are pay; other income is, if it comes regularly.
received AS (
    SELECT t.user_id, t.merchant_id, t.posted_on, c.flow, -sum(t.amount_cents)::bigint AS amount_cents
    FROM spendsense.transactions t
    JOIN usable u USING (account_id)
    JOIN spendsense.categories c USING (category_id)
    WHERE t.user_id = ANY(%(users)s)
        AND t.amount_cents < 0
        AND NOT t.pending
        AND t.posted_on > %(as_of)s::date - 180
        AND t.posted_on <= %(as_of)s::date
        AND t.foreign_currency IS NULL
        AND u.at_home AND u.role IN ('checking', 'savings', 'cash') AND c.flow IN ('wages', 'income')
    GROUP BY t.user_id, t.merchant_id, t.posted_on, c.flow
),
intervals AS (
    SELECT
        user_id, merchant_id,
        posted_on - lag(posted_on) OVER (PARTITION BY user_id, merchant_id ORDER BY posted_on) AS gap
    FROM received
    WHERE flow = 'income' AND merchant_id IS NOT NULL
),
payers AS (
    SELECT user_id, merchant_id
    FROM intervals
    GROUP BY user_id, merchant_id
    HAVING count(*) >= 3 AND min(gap) >= 6 AND max(gap) <= 35
),
paydays AS (
    SELECT r.user_id, r.posted_on, sum(r.amount_cents)::bigint AS amount_cents
    FROM received r
    LEFT JOIN payers p ON p.user_id = r.user_id AND p.merchant_id = r.merchant_id
    WHERE r.flow = 'wages' OR p.user_id IS NOT NULL
    GROUP BY r.user_id, r.posted_on
),
pay AS (
    SELECT
        user_id,
        count(*) AS pay_dates,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) AS median_gap,
        CASE WHEN count(*) > 1 THEN (stddev_pop(amount_cents) / avg(amount_cents))::double precision END AS variation,
        sum(amount_cents)::bigint AS amount_cents
    FROM (
        SELECT *, (posted_on - lag(posted_on) OVER (PARTITION BY user_id ORDER BY posted_on))::double precision AS gap
        FROM paydays
    ) AS in_order
    GROUP BY user_id
),
-- Credit. A card without a positive limit has no utilization.
minimum_only AS (
    SELECT account_id
    FROM spendsense.liability_payments
    WHERE user_id = ANY(%(users)s)
        AND paid_on > %(as_of)s::date - 180
        AND paid_on <= %(as_of)s::date
        AND minimum_cents > 0
        AND abs(payment_cents - minimum_cents) <= 500
    GROUP BY account_id
    HAVING count(*) >= 2
),
cards AS (
    SELECT
        u.user_id,
        u.label,
        greatest(u.owed_cents, 0) AS owed_cents,
        CASE WHEN u.limit_cents > 0 AND u.owed_cents IS NOT NULL THEN u.limit_cents END AS limit_cents,
        m.account_id IS NOT NULL AS minimum_only,
        coalesce(l.is_overdue, false) AS overdue
    FROM usable u
    LEFT JOIN spendsense.liabilities l
        ON l.account_id = u.account_id AND l.kind = 'credit' AND l.user_id = ANY(%(users)s)
    LEFT JOIN minimum_only m ON m.account_id = u.account_id
    WHERE u.role = 'card' AND u.at_home
),
credit AS (
    SELECT
        user_id,
        count(*) AS cards,
        count(*) FILTER (WHERE limit_cents IS NULL) AS unmeasured,
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
        (sum(balance_cents) FILTER (WHERE role = 'checking'))::bigint AS checking_cents
    FROM usable
    WHERE at_home
    GROUP BY user_id
),
flows AS (
    SELECT
        user_id,
        least(180, greatest(30, %(as_of)s::date - min(first180) + 1)) AS observed,
        sum(n180) FILTER (WHERE at_home) AS n180,
        sum(n90) FILTER (WHERE at_home) AS n90,
        sum(n30) FILTER (WHERE at_home) AS n30,
        sum(n180) FILTER (WHERE NOT at_home) AS e180,
        sum(n90) FILTER (WHERE NOT at_home) AS e90,
        sum(n30) FILTER (WHERE NOT at_home) AS e30,
        (sum(s180) FILTER (WHERE at_home AND use IN ('spend', 'obligation', 'interest')))::bigint AS s180,
        (sum(s90) FILTER (WHERE at_home AND use IN ('spend', 'obligation', 'interest')))::bigint AS s90,
        (sum(s30) FILTER (WHERE at_home AND use IN ('spend', 'obligation', 'interest')))::bigint AS s30,
        (-sum(s180) FILTER (WHERE at_home AND use = 'saving'))::bigint AS in180,
        (-sum(s90) FILTER (WHERE at_home AND use = 'saving'))::bigint AS in90,
        (-sum(s30) FILTER (WHERE at_home AND use = 'saving'))::bigint AS in30,
        (sum(s180) FILTER (WHERE at_home AND use = 'interest'))::bigint AS interest180,
        (sum(s90) FILTER (WHERE at_home AND use = 'interest'))::bigint AS interest90,
        (sum(s30) FILTER (WHERE at_home AND use = 'interest'))::bigint AS interest30
    FROM counted
    GROUP BY user_id
),
-- Everything by window; `days` is what was observed of it.
windowed AS (
    SELECT
        p.user_id,
        p.currency,
        w.window_days,
        least(w.window_days, coalesce(f.observed, 30)) AS days,
        coalesce(w.n, 0) AS n,
        coalesce(w.elsewhere, 0) AS elsewhere,
        greatest(coalesce(w.spend, 0), 0) AS spend,
        coalesce(w.inflow, 0) AS inflow,
        greatest(coalesce(w.interest, 0), 0) AS interest,
        coalesce(w.merchants, 0) AS merchants,
        coalesce(w.recurring, 0) AS recurring,
        w.dearest
    FROM people p
    LEFT JOIN flows f USING (user_id)
    LEFT JOIN subscriptions s USING (user_id)
    CROSS JOIN LATERAL (
        VALUES
            (30, f.n30, f.e30, f.s30, f.in30, f.interest30, s.merchants, s.r30, s.dearest),
            (90, f.n90, f.e90, f.s90, f.in90, f.interest90, s.merchants, s.r90, s.dearest),
            (180, f.n180, f.e180, f.s180, f.in180, f.interest180, s.merchants180, s.r180, s.dearest180)
    ) AS w (window_days, n, elsewhere, spend, inflow, interest, merchants, recurring, dearest)
),
measured AS (
    SELECT
        w.*,
        h.savings_cents,
        h.checking_cents,
        coalesce(h.savings_accounts, 0) AS savings_accounts,
        coalesce(h.high_yield_accounts, 0) AS high_yield_accounts,
        CASE WHEN w.spend > 0
            THEN (h.savings_cents * w.days)::double precision / (w.spend * 30)::double precision
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
        monthly_income_cents, checking_balance_cents, buffer_months
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
        m.spend * 30 / m.days,
        m.merchants,
        m.recurring,
        m.recurring * 30 / m.days,
        CASE WHEN m.spend > 0 THEN m.recurring::double precision / m.spend::double precision END,
        (SELECT name FROM spendsense.merchants WHERE merchant_id = m.dearest),
        m.savings_accounts,
        m.high_yield_accounts,
        m.savings_cents,
        m.inflow,
        m.inflow * 30 / m.days,
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
        y.variation,
        coalesce(y.amount_cents, 0) * 30 / least(180, coalesce(f.observed, 30)),
        m.checking_cents,
        CASE WHEN m.spend > 0
            THEN (m.checking_cents * m.days)::double precision / (m.spend * 30)::double precision
        END
    FROM measured m
    LEFT JOIN flows f USING (user_id)
    LEFT JOIN credit c USING (user_id)
    LEFT JOIN pay y USING (user_id)
    ON CONFLICT (user_id, window_days) DO UPDATE SET (
        user_id, window_days, as_of, currency, observed_days, transactions, other_currency_transactions, spend_cents,
        monthly_expenses_cents, recurring_merchants, recurring_spend_cents, monthly_recurring_cents, subscription_share,
        top_subscription, savings_accounts, high_yield_accounts, savings_balance_cents, savings_inflow_cents,
        monthly_savings_inflow_cents, savings_growth, emergency_months, emergency_band, cards, cards_unmeasured,
        max_utilization, total_utilization, cards_at_30, cards_at_50, cards_at_80, top_card, minimum_only_cards,
        interest_cents, overdue_cards, income_lookback_days, pay_dates, median_pay_gap_days, pay_variation,
        monthly_income_cents, checking_balance_cents, buffer_months
    ) = (SELECT excluded.*)
    WHERE old.* IS DISTINCT FROM excluded.*
    RETURNING old.user_id
)
SELECT DISTINCT user_id FROM written

-- What is derived from the bank's data; all of it goes when consent is revoked.

CREATE TABLE spendsense.computed_features (
    user_id integer NOT NULL REFERENCES spendsense.profiles ON DELETE CASCADE,
    window_days smallint NOT NULL CHECK (window_days IN (30, 90, 180)),
    as_of date NOT NULL,
    currency text NOT NULL,
    -- coverage
    observed_days smallint NOT NULL,                   -- of the window, since the first row; at least 30
    transactions integer NOT NULL,
    other_currency_transactions integer NOT NULL,
    -- spending
    spend_cents bigint NOT NULL,
    monthly_expenses_cents bigint NOT NULL,
    -- subscriptions
    recurring_merchants integer NOT NULL,
    recurring_spend_cents bigint NOT NULL,
    monthly_recurring_cents bigint NOT NULL,
    subscription_share double precision,
    top_subscription text,
    -- savings
    savings_accounts integer NOT NULL,
    high_yield_accounts integer NOT NULL,
    savings_balance_cents bigint,
    savings_inflow_cents bigint NOT NULL,
    monthly_savings_inflow_cents bigint NOT NULL,
    savings_growth double precision,
    emergency_months double precision,
    emergency_band text NOT NULL CHECK (emergency_band IN ('6 or more', '3 to 6', '1 to 3', 'below 1', 'unknown')),
    -- credit
    cards integer NOT NULL,
    cards_unmeasured integer NOT NULL,
    max_utilization double precision,
    total_utilization double precision,
    cards_at_30 integer NOT NULL,
    cards_at_50 integer NOT NULL,
    cards_at_80 integer NOT NULL,
    top_card text,
    minimum_only_cards integer NOT NULL,
    interest_cents bigint NOT NULL,
    overdue_cards integer NOT NULL,
    -- income
    income_lookback_days smallint NOT NULL,
    pay_dates integer NOT NULL,
    median_pay_gap_days double precision,
    pay_variation double precision,
    monthly_income_cents bigint NOT NULL,
    checking_balance_cents bigint,
    buffer_months double precision,
    PRIMARY KEY (user_id, window_days)
);

CREATE TABLE spendsense.persona_assignments (
    user_id integer NOT NULL REFERENCES spendsense.profiles ON DELETE CASCADE,
    window_days smallint NOT NULL CHECK (window_days IN (30, 90, 180)),
    persona text NOT NULL,
    matched text[] NOT NULL,
    evidence jsonb NOT NULL,                           -- [{persona, signal, value, threshold}]
    behaviours text[] NOT NULL,                        -- what was noticed, persona or not
    as_of date NOT NULL,
    run_id text NOT NULL,
    assigned_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, window_days)
);
CREATE INDEX persona_assignments_by_persona ON spendsense.persona_assignments (persona, window_days);

CREATE TABLE spendsense.recommendations (
    recommendation_id uuid PRIMARY KEY,
    user_id integer NOT NULL REFERENCES spendsense.profiles ON DELETE CASCADE,
    window_days smallint NOT NULL CHECK (window_days IN (30, 90, 180)),
    item_id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('education', 'offer')),
    persona text NOT NULL,
    position smallint NOT NULL,
    rationale text NOT NULL,
    run_id text NOT NULL,
    created_at timestamptz NOT NULL,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'approved', 'flagged', 'overridden'))
);
CREATE INDEX recommendations_of_user ON spendsense.recommendations (user_id, window_days, position);
CREATE INDEX recommendations_in_review ON spendsense.recommendations (status, recommendation_id) WHERE status <> 'active';

-- Why an item was recommended, or withheld: one row for each item that was considered.
CREATE TABLE spendsense.decision_traces (
    recommendation_id uuid PRIMARY KEY,
    user_id integer NOT NULL REFERENCES spendsense.profiles ON DELETE CASCADE,
    window_days smallint,
    item_id text,
    template_id text,
    outcome text NOT NULL CHECK (outcome IN ('recommended', 'withheld')),
    reasons text[] NOT NULL,
    signals_used jsonb NOT NULL,
    guardrails jsonb NOT NULL,
    run_id text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX decision_traces_of_user ON spendsense.decision_traces (user_id);

CREATE TABLE spendsense.feedback (
    feedback_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id integer NOT NULL REFERENCES spendsense.profiles ON DELETE CASCADE,
    recommendation_id uuid NOT NULL,
    item_id text NOT NULL,
    helpful boolean NOT NULL,
    comment text NOT NULL DEFAULT '' CHECK (length(comment) <= 2000),
    given_at timestamptz NOT NULL,
    UNIQUE (user_id, recommendation_id)
);

-- How signals are written for a person. Ratios and numbers are cut, not rounded: 49.96 % is not said to be 50 %.
CREATE FUNCTION spendsense.as_money(cents bigint, currency text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE WHEN cents < 0 THEN '-' ELSE '' END
    || CASE currency WHEN 'USD' THEN '$' WHEN 'EUR' THEN '€' WHEN 'GBP' THEN '£' ELSE currency || ' ' END
    || to_char(abs(cents) / 100.0, 'FM999,999,999,999,990.00');

CREATE FUNCTION spendsense.as_number(number double precision) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN trim_scale(trunc(number::numeric, 1))::text;

CREATE FUNCTION spendsense.as_percent(ratio double precision) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN trim_scale(trunc((ratio * 100)::numeric, 1))::text || '%';

-- What the bank says: accounts, transactions, liabilities, in Plaid's shapes with integer keys.

CREATE TABLE spendsense.accounts (
    account_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id integer NOT NULL REFERENCES spendsense.profiles ON DELETE CASCADE,
    external_id text NOT NULL UNIQUE CHECK (length(external_id) BETWEEN 1 AND 100), -- Plaid's account_id
    name text NOT NULL DEFAULT '',
    mask text NOT NULL DEFAULT '',
    type text NOT NULL,
    subtype text NOT NULL DEFAULT '',
    available_cents bigint,
    current_cents bigint,
    limit_cents bigint,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    holder_category text CHECK (holder_category IN ('business', 'personal', 'unrecognized')),
    updated_at timestamptz NOT NULL
);
CREATE INDEX accounts_of_user ON spendsense.accounts (user_id);

CREATE TABLE spendsense.merchants (
    merchant_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL UNIQUE CHECK (length(key) BETWEEN 1 AND 200), -- without case and store number
    name text NOT NULL
);

-- What a category's money means. `flow` is decided at ingest by chalicelib.spendsense.taxonomy.
CREATE TABLE spendsense.categories (
    category_id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    primary_name text NOT NULL,
    detailed_name text NOT NULL UNIQUE,
    flow text NOT NULL CHECK (flow IN ('spend', 'obligation', 'interest', 'wages', 'income', 'transfer', 'card_payment'))
);

CREATE TABLE spendsense.transactions (
    amount_cents bigint NOT NULL,                      -- positive is money out
    transaction_id bigint GENERATED ALWAYS AS IDENTITY,
    user_id integer NOT NULL REFERENCES spendsense.profiles ON DELETE CASCADE,
    account_id integer NOT NULL REFERENCES spendsense.accounts ON DELETE CASCADE,
    merchant_id integer REFERENCES spendsense.merchants,
    posted_on date NOT NULL,
    category_id smallint NOT NULL REFERENCES spendsense.categories,
    pending boolean NOT NULL,
    channel text NOT NULL CHECK (channel IN ('online', 'in store', 'other')),
    external_id text NOT NULL CHECK (length(external_id) BETWEEN 1 AND 100), -- Plaid's transaction_id
    name text NOT NULL DEFAULT '',
    foreign_currency text CHECK (foreign_currency ~ '^[A-Z]{3}$'), -- null: the account's own
    PRIMARY KEY (account_id, external_id)
);
-- Everything that features are made of is in this index: a person's half year is read in order, without the table.
CREATE INDEX transactions_of_user ON spendsense.transactions (user_id, posted_on, transaction_id)
    INCLUDE (account_id, merchant_id, category_id, amount_cents, pending, foreign_currency);
CREATE INDEX transactions_in ON spendsense.transactions (user_id, posted_on) WHERE amount_cents < 0 AND NOT pending;

CREATE TABLE spendsense.liabilities (
    account_id integer PRIMARY KEY REFERENCES spendsense.accounts ON DELETE CASCADE,
    user_id integer NOT NULL REFERENCES spendsense.profiles ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('credit', 'mortgage', 'student')),
    apr_percent numeric(6, 3),                         -- the purchase APR of a card
    interest_rate_percent numeric(6, 3),               -- of a mortgage or a student loan
    minimum_payment_cents bigint,
    last_payment_cents bigint,
    last_payment_on date,
    last_statement_cents bigint,
    next_payment_due_on date,
    is_overdue boolean,
    updated_at timestamptz NOT NULL
);
CREATE INDEX liabilities_of_user ON spendsense.liabilities (user_id);

-- Plaid tells the last payment only; "minimum only, twice" needs the ones before it.
CREATE TABLE spendsense.liability_payments (
    account_id integer NOT NULL REFERENCES spendsense.accounts ON DELETE CASCADE,
    paid_on date NOT NULL,
    user_id integer NOT NULL REFERENCES spendsense.profiles ON DELETE CASCADE,
    payment_cents bigint NOT NULL,
    minimum_cents bigint NOT NULL,
    PRIMARY KEY (account_id, paid_on)
);
CREATE INDEX liability_payments_of_user ON spendsense.liability_payments (user_id, paid_on);

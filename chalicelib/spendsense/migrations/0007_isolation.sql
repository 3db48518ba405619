-- What belongs to one person depends on nobody else: every key begins with the person, numbers are given out within the
-- person, merchants are the person's own, and categories are declared by the application instead of by whoever came
-- first. Row-level security backs the filters of the statements.

CREATE TABLE spendsense.mended (
    version integer NOT NULL,
    what text NOT NULL,
    rows bigint NOT NULL,
    PRIMARY KEY (version, what)
);

-- Accounts. Two people may name accounts alike; each has their own.
ALTER TABLE spendsense.transactions DROP CONSTRAINT transactions_account_id_fkey;
ALTER TABLE spendsense.liabilities DROP CONSTRAINT liabilities_account_id_fkey;
ALTER TABLE spendsense.liability_payments DROP CONSTRAINT liability_payments_account_id_fkey;
ALTER TABLE spendsense.accounts
    ALTER COLUMN account_id DROP IDENTITY,
    DROP CONSTRAINT accounts_external_id_key,
    DROP CONSTRAINT accounts_pkey,
    ADD PRIMARY KEY (user_id, account_id),
    ADD UNIQUE (user_id, external_id);
DROP INDEX spendsense.accounts_of_user;

-- Merchants. Their shared names may be another's spelling, so each person starts from the key, which is nobody's.
CREATE TABLE spendsense.own_merchants (
    user_id integer NOT NULL REFERENCES spendsense.profiles ON DELETE CASCADE,
    merchant_id integer NOT NULL,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 200), -- without case and store number
    name text NOT NULL,
    PRIMARY KEY (user_id, merchant_id),
    UNIQUE (user_id, key)
);
WITH own AS (
    INSERT INTO spendsense.own_merchants (user_id, merchant_id, key, name)
    SELECT t.user_id, m.merchant_id, m.key, initcap(m.key)
    FROM (SELECT DISTINCT user_id, merchant_id FROM spendsense.transactions WHERE merchant_id IS NOT NULL) t
    JOIN spendsense.merchants m USING (merchant_id)
    RETURNING 1
)
INSERT INTO spendsense.mended SELECT 7, 'merchants given to the people who have them', count(*) FROM own;
ALTER TABLE spendsense.transactions DROP CONSTRAINT transactions_merchant_id_fkey;
DROP TABLE spendsense.merchants;
ALTER TABLE spendsense.own_merchants RENAME TO merchants;
ALTER INDEX spendsense.own_merchants_pkey RENAME TO merchants_pkey;

-- Transactions: `transaction_id` tells a person's rows of one day apart.
ALTER TABLE spendsense.transactions
    ALTER COLUMN transaction_id DROP IDENTITY,
    DROP CONSTRAINT transactions_pkey,
    ADD PRIMARY KEY (user_id, account_id, external_id),
    ADD FOREIGN KEY (user_id, account_id) REFERENCES spendsense.accounts ON DELETE CASCADE,
    ADD FOREIGN KEY (user_id, merchant_id) REFERENCES spendsense.merchants;
ALTER TABLE spendsense.liabilities
    DROP CONSTRAINT liabilities_pkey,
    ADD PRIMARY KEY (user_id, account_id),
    ADD FOREIGN KEY (user_id, account_id) REFERENCES spendsense.accounts ON DELETE CASCADE;
DROP INDEX spendsense.liabilities_of_user;
ALTER TABLE spendsense.liability_payments
    DROP CONSTRAINT liability_payments_pkey,
    ADD PRIMARY KEY (user_id, account_id, paid_on),
    ADD FOREIGN KEY (user_id, account_id) REFERENCES spendsense.accounts ON DELETE CASCADE;

-- Categories: `migrate` declares them after the migrations, and brings rows of undeclared ones home.
ALTER TABLE spendsense.categories
    DROP CONSTRAINT categories_detailed_name_key,
    DROP CONSTRAINT categories_flow_check,
    ADD UNIQUE (primary_name, detailed_name),
    ADD CHECK (flow IN (
        'spend', 'service', 'obligation', 'payment', 'interest', 'wages', 'income', 'passive', 'transfer', 'card_payment'
    ));
WITH money_in AS (
    INSERT INTO spendsense.categories (primary_name, detailed_name, flow)
    VALUES ('OTHER', 'OTHER_MONEY_IN', 'transfer')
    RETURNING category_id
),
moved AS (
    UPDATE spendsense.transactions t SET category_id = money_in.category_id
    FROM money_in
    WHERE t.amount_cents < 0
        AND t.category_id IN (SELECT category_id FROM spendsense.categories WHERE detailed_name = 'OTHER_OTHER')
    RETURNING 1
)
INSERT INTO spendsense.mended SELECT 7, 'uncategorised rows of money in, no longer negative spending', count(*) FROM moved;

-- The rest of what hangs on a person.
ALTER TABLE spendsense.consent_records DROP CONSTRAINT consent_records_pkey, ADD PRIMARY KEY (user_id, consent_id);
DROP INDEX spendsense.consent_records_of_user;
ALTER TABLE spendsense.recommendations
    DROP CONSTRAINT recommendations_pkey, ADD PRIMARY KEY (user_id, recommendation_id);
CREATE INDEX recommendations_by_id ON spendsense.recommendations (recommendation_id);
ALTER TABLE spendsense.decision_traces
    DROP CONSTRAINT decision_traces_pkey, ADD PRIMARY KEY (user_id, recommendation_id);
DROP INDEX spendsense.decision_traces_of_user;
ALTER TABLE spendsense.feedback DROP CONSTRAINT feedback_pkey, ADD PRIMARY KEY (user_id, feedback_id);

-- Two roles that can neither log in nor pass row-level security. Every transaction of the application runs as one of
-- them: as the person whom it serves, or, for jobs and operators, as the staff who see everybody.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['spendsense_person', 'spendsense_staff'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', name);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- of another database of this server
        END;
        EXECUTE format('GRANT %I TO CURRENT_USER', name);
    END LOOP;
END $$;

CREATE FUNCTION spendsense.this_person() RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE RETURN (
    SELECT user_id FROM spendsense.profiles WHERE subject = nullif(current_setting('spendsense.subject', true), '')::uuid
);

GRANT USAGE ON SCHEMA spendsense TO spendsense_person, spendsense_staff;
GRANT SELECT ON spendsense.categories TO spendsense_person, spendsense_staff;
DO $$
DECLARE name text;
BEGIN
    FOR name IN
        SELECT c.table_name FROM information_schema.columns c
        WHERE c.table_schema = 'spendsense' AND c.column_name = 'user_id'
    LOOP
        EXECUTE format('ALTER TABLE spendsense.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON spendsense.%I TO spendsense_person, spendsense_staff', name);
        EXECUTE format('CREATE POLICY everybody ON spendsense.%I TO spendsense_staff USING (true)', name);
        IF name <> 'profiles' THEN
            EXECUTE format(
                'CREATE POLICY oneself ON spendsense.%I TO spendsense_person '
                'USING (user_id = (SELECT spendsense.this_person()))', name
            );
        END IF;
    END LOOP;
END $$;
CREATE POLICY oneself ON spendsense.profiles TO spendsense_person
    USING (subject = nullif(current_setting('spendsense.subject', true), '')::uuid);

-- What operators did to a person loses its words when the person goes; who was refused is on record.
ALTER TABLE spendsense.operator_actions ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON spendsense.operator_actions TO spendsense_staff USING (true);
CREATE POLICY oneself ON spendsense.operator_actions TO spendsense_person
    USING (subject = nullif(current_setting('spendsense.subject', true), '')::uuid);
GRANT SELECT (subject), UPDATE (reason) ON spendsense.operator_actions TO spendsense_person;
GRANT INSERT ON spendsense.access_denials TO spendsense_person;
GRANT SELECT, INSERT, UPDATE, DELETE
    ON spendsense.operator_actions, spendsense.access_denials, spendsense.job_runs, spendsense.survey TO spendsense_staff;

-- Signals as a finance analyst sees them: what cannot be told yet is null, the emergency fund is apart from health
-- savings, and a card's payment is compared with the statement that it paid.

TRUNCATE spendsense.computed_features;
ALTER TABLE spendsense.computed_features
    ALTER COLUMN monthly_expenses_cents DROP NOT NULL,
    ALTER COLUMN monthly_savings_inflow_cents DROP NOT NULL,
    ALTER COLUMN monthly_income_cents DROP NOT NULL,
    ADD COLUMN emergency_fund_cents bigint;

ALTER TABLE spendsense.liabilities ADD COLUMN last_statement_on date;
CREATE TABLE spendsense.liability_statements (
    user_id integer NOT NULL REFERENCES spendsense.profiles ON DELETE CASCADE,
    account_id integer NOT NULL,
    issued_on date NOT NULL,
    statement_cents bigint NOT NULL,
    minimum_cents bigint NOT NULL,
    PRIMARY KEY (user_id, account_id, issued_on),
    FOREIGN KEY (user_id, account_id) REFERENCES spendsense.accounts ON DELETE CASCADE
);
ALTER TABLE spendsense.liability_statements ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON spendsense.liability_statements TO spendsense_staff USING (true);
CREATE POLICY oneself ON spendsense.liability_statements TO spendsense_person
    USING (user_id = (SELECT spendsense.this_person()));
GRANT SELECT, INSERT, UPDATE, DELETE ON spendsense.liability_statements TO spendsense_person, spendsense_staff;

-- The minimum that came with a payment was that of the statement after it.
INSERT INTO spendsense.mended
SELECT 8, 'card payments parted from the next statement''s minimum', count(*) FROM spendsense.liability_payments;
ALTER TABLE spendsense.liability_payments DROP COLUMN minimum_cents;

WITH due AS (
    UPDATE spendsense.standings SET features_due = true, persona_due = true, recommendations_due = true WHERE consented
    RETURNING 1
)
INSERT INTO spendsense.mended SELECT 8, 'people to compute anew', count(*) FROM due;

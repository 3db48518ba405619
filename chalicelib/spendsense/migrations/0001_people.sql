-- People, what they consented to, and what is due to be computed for them.
-- Amounts everywhere are integer hundredths of the currency ("cents"): exact, and sums of them are cheap.

CREATE SCHEMA IF NOT EXISTS spendsense;

CREATE TABLE spendsense.profiles (
    user_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject uuid NOT NULL UNIQUE,                      -- the `sub` of the identity token; the only id that leaves
    display_name text NOT NULL DEFAULT '' CHECK (length(display_name) <= 200),
    currency text NOT NULL DEFAULT 'USD' CHECK (currency ~ '^[A-Z]{3}$'),
    cohort text NOT NULL DEFAULT '' CHECK (length(cohort) <= 50), -- a synthetic group, for the fairness report alone
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE spendsense.consent_records (
    consent_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id integer NOT NULL REFERENCES spendsense.profiles ON DELETE CASCADE,
    granted boolean NOT NULL,
    policy_version text NOT NULL CHECK (length(policy_version) <= 50),
    recorded_at timestamptz NOT NULL
);
CREATE INDEX consent_records_of_user ON spendsense.consent_records (user_id, consent_id DESC);

-- One row a person: the latest consent, and which job has work to do. A job locks the rows that it works on, and so
-- does whoever changes consent or data: that one lock is what keeps a revoked consent out of a running job.
CREATE TABLE spendsense.standings (
    user_id integer PRIMARY KEY REFERENCES spendsense.profiles ON DELETE CASCADE,
    consented boolean NOT NULL DEFAULT false,
    features_due boolean NOT NULL DEFAULT false,
    persona_due boolean NOT NULL DEFAULT false,
    recommendations_due boolean NOT NULL DEFAULT false,
    features_as_of date,
    features_run_id text
) WITH (fillfactor = 80);
CREATE INDEX standings_features_due ON spendsense.standings (user_id) WHERE consented AND features_due;
CREATE INDEX standings_persona_due ON spendsense.standings (user_id) WHERE consented AND persona_due;
CREATE INDEX standings_recommendations_due ON spendsense.standings (user_id) WHERE consented AND recommendations_due;
CREATE INDEX standings_features_as_of ON spendsense.standings (features_as_of) WHERE consented;

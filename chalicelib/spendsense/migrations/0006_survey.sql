-- What everybody's figures came to when they were last measured, after a run for everybody. Measuring reads every
-- recommendation and its trace, which takes seconds at 100,000 people and longer than a request may at more.

CREATE TABLE spendsense.survey (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    as_of date NOT NULL,
    measured_at timestamptz NOT NULL,
    figures jsonb NOT NULL
);

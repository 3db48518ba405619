-- What the surveys found, one a day, so that operators see how the figures move.

CREATE TABLE spendsense.survey_history (
    as_of date PRIMARY KEY,
    measured_at timestamptz NOT NULL,
    figures jsonb NOT NULL
);
INSERT INTO spendsense.survey_history SELECT as_of, measured_at, figures FROM spendsense.survey;
GRANT SELECT, INSERT, UPDATE, DELETE ON spendsense.survey_history TO spendsense_staff;

-- The pending row that a posted one took the place of: sent once more, it is not taken again.
ALTER TABLE spendsense.transactions ADD COLUMN replaces text CHECK (length(replaces) <= 100);

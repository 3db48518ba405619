-- Runs for one person come with every signup and import; operators look at those for everybody. What is old is deleted,
-- by the indexes on the times.

ALTER TABLE spendsense.job_runs ADD COLUMN for_one boolean NOT NULL DEFAULT false;
CREATE INDEX job_runs_for_everybody ON spendsense.job_runs (started_at DESC) WHERE NOT for_one;

-- Who did what: runs of the jobs, actions of operators, and attempts on what is somebody else's.

CREATE TABLE spendsense.job_runs (
    run_id text NOT NULL CHECK (length(run_id) BETWEEN 1 AND 200),
    job text NOT NULL CHECK (job IN ('compute_features', 'assign_persona', 'generate_recommendations')),
    as_of date NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    attempts integer NOT NULL DEFAULT 1,
    batches integer NOT NULL DEFAULT 0,
    users integer NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, job)
);
CREATE INDEX job_runs_by_time ON spendsense.job_runs (started_at DESC);

-- No foreign key to profiles: what operators did stays on record when the person is deleted, under a bare id.
CREATE TABLE spendsense.operator_actions (
    action_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    operator uuid NOT NULL,
    action text NOT NULL,
    subject uuid,
    recommendation_id uuid,
    reason text NOT NULL DEFAULT '' CHECK (length(reason) <= 2000),
    request_id text NOT NULL DEFAULT '',
    acted_at timestamptz NOT NULL
);
CREATE INDEX operator_actions_on_subject ON spendsense.operator_actions (subject, action_id DESC);

CREATE TABLE spendsense.access_denials (
    denial_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    caller uuid,
    resource text NOT NULL CHECK (length(resource) <= 300),
    reason text NOT NULL CHECK (length(reason) <= 300),
    request_id text NOT NULL DEFAULT '',
    denied_at timestamptz NOT NULL
);
CREATE INDEX access_denials_by_time ON spendsense.access_denials (denied_at DESC);

INSERT INTO spendsense.job_runs AS run (run_id, job, as_of, for_one, started_at)
VALUES (%(run_id)s, %(job)s, %(as_of)s, %(subject)s::uuid IS NOT NULL, %(now)s)
ON CONFLICT (run_id, job) DO UPDATE SET attempts = run.attempts + CASE WHEN run.finished_at IS NULL THEN 1 ELSE 0 END
RETURNING batches, users, finished_at IS NOT NULL AS finished, attempts = 1 AND finished_at IS NULL AS fresh

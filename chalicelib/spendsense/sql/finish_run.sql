UPDATE spendsense.job_runs
SET finished_at = coalesce(finished_at, %(now)s)
WHERE run_id = %(run_id)s AND job = %(job)s
RETURNING batches, users, true AS finished

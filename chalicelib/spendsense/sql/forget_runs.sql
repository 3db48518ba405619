DELETE FROM spendsense.job_runs
WHERE (run_id, job) IN (
    SELECT run_id, job FROM spendsense.job_runs WHERE started_at < %(before)s ORDER BY started_at LIMIT %(size)s
)

SELECT run_id, job, as_of, started_at, finished_at, attempts, batches, users
FROM spendsense.job_runs
WHERE NOT for_one
ORDER BY started_at DESC
LIMIT 20

UPDATE spendsense.job_runs
SET batches = batches + 1, users = users + %(count)s
WHERE run_id = %(run_id)s AND job = %(job)s

-- Deletes rows that the bank removed, and pending rows that have posted.
WITH gone AS (
    DELETE FROM spendsense.transactions
    WHERE user_id = %(user_id)s
        AND account_id = ANY(%(account_ids)s::int[])
        AND external_id = ANY(%(external_ids)s::text[])
    RETURNING 1
)
SELECT count(*) AS saved FROM gone

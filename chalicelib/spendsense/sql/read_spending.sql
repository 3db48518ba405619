-- The condition comes from spends.sql.
SELECT
    date_trunc('month', t.posted_on)::date AS since,
    c.primary_name AS category,
    sum(t.amount_cents)::bigint AS spend_cents,
    count(*) AS transactions
FROM spendsense.transactions t
JOIN spendsense.accounts a USING (user_id, account_id)
JOIN spendsense.categories c USING (category_id)
WHERE t.user_id = (SELECT user_id FROM spendsense.profiles WHERE subject = %(subject)s)
    AND t.posted_on BETWEEN %(since)s AND %(until)s
    /*spends*/
GROUP BY 1, 2
ORDER BY 1 DESC, 3 DESC, 2

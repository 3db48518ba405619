-- Each completed concert as it looked on the first of a month, nought to eight months ahead of it: 0 to 300 days, as far
-- as concerts are announced. The lead comes from the day of the month, so it is spread and repeatable; few distinct
-- dates keep the histories cheap to compute.
SELECT concert_id,
       CAST(DATE_TRUNC('month', event_date - 30 * MOD(CAST(EXTRACT(DAY FROM event_date) AS INTEGER) - 1, 9)) AS DATE)
           AS as_of
FROM concerts
WHERE status = 'completed'

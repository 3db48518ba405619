-- Each completed concert as it looked on the first of a month, one to five months ahead of it. The lead comes from
-- the day of the month, so it is spread and repeatable; few distinct dates keep the histories cheap to compute.
SELECT concert_id,
       CAST(DATE_TRUNC('month', event_date - 30 - 30 * MOD(CAST(EXTRACT(DAY FROM event_date) AS INTEGER), 4)) AS DATE)
           AS as_of
FROM concerts
WHERE status = 'completed'

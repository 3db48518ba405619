-- A venue's completed concerts by month, the latest month last. Parameters: venue_id, since (inclusive), until.
SELECT CAST(DATE_TRUNC('month', c.event_date) AS DATE) AS month, COUNT(*) AS concerts,
       COUNT(c.revenue) AS reported_concerts,
       AVG(CAST(c.total_attendance AS DOUBLE PRECISION)) AS avg_attendance,
       AVG(CASE WHEN v.capacity > 0 AND c.total_attendance IS NOT NULL
                THEN LEAST(CAST(c.total_attendance AS DOUBLE PRECISION) / v.capacity, 1.0) END) AS avg_attendance_rate,
       CAST(SUM(c.revenue) AS DECIMAL(16, 2)) AS revenue
FROM concerts c
JOIN venues v ON v.venue_id = c.venue_id
WHERE c.status = 'completed' AND c.venue_id = :venue_id
  AND c.event_date >= CAST(:since AS DATE) AND c.event_date < CAST(:until AS DATE)
GROUP BY CAST(DATE_TRUNC('month', c.event_date) AS DATE)
ORDER BY month

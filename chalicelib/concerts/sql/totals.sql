-- The completed season by genre, the largest revenue first. Parameters: since (inclusive), until (exclusive).
SELECT a.genre, COUNT(*) AS concerts,
       CAST(SUM(COALESCE(c.total_attendance, 0)) AS BIGINT) AS attendance,
       CAST(SUM(COALESCE(c.revenue, 0)) AS DECIMAL(18, 2)) AS revenue,
       CAST(AVG(CASE WHEN v.capacity > 0
                     THEN LEAST(CAST(COALESCE(c.total_attendance, 0) AS DOUBLE PRECISION) / v.capacity, 1.0)
                     ELSE 0.0 END) AS DECIMAL(7, 6)) AS avg_attendance_rate
FROM concerts c
JOIN artists a ON a.artist_id = c.artist_id
JOIN venues v ON v.venue_id = c.venue_id
WHERE c.status = 'completed'
  AND c.event_date >= CAST(:since AS DATE)
  AND c.event_date < CAST(:until AS DATE)
GROUP BY a.genre
ORDER BY revenue DESC, a.genre

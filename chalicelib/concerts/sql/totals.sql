-- Completed concerts by genre, the largest revenue first. Parameters: since (inclusive), until (exclusive), and those
-- of {conditions}. What nobody reported is left out of sums and means; reported_concerts had their revenue reported.
SELECT a.genre, COUNT(*) AS concerts, COUNT(c.revenue) AS reported_concerts,
       CAST(SUM(c.total_attendance) AS BIGINT) AS attendance,
       CAST(SUM(c.revenue) AS DECIMAL(18, 2)) AS revenue,
       CAST(AVG(CASE WHEN v.capacity > 0 AND c.total_attendance IS NOT NULL
                     THEN LEAST(CAST(c.total_attendance AS DOUBLE PRECISION) / v.capacity, 1.0) END)
            AS DECIMAL(7, 6)) AS avg_attendance_rate
FROM concerts c
JOIN artists a ON a.artist_id = c.artist_id
JOIN venues v ON v.venue_id = c.venue_id
WHERE c.status = 'completed'
  AND {conditions}
GROUP BY a.genre
ORDER BY COALESCE(SUM(c.revenue), 0) DESC, a.genre

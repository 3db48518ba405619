-- Artists by id, each with its next scheduled concert and its completed ones. Parameters: since, today, the ids.
WITH coming AS (
    SELECT c.artist_id, c.concert_id, c.event_date, v.venue_id, v.name AS venue_name, v.city,
           ROW_NUMBER() OVER (PARTITION BY c.artist_id ORDER BY c.event_date, c.concert_id) AS turn,
           COUNT(*) OVER (PARTITION BY c.artist_id) AS concerts
    FROM concerts c
    JOIN venues v ON v.venue_id = c.venue_id
    WHERE c.status = 'scheduled' AND c.event_date >= CAST(:today AS DATE) AND c.artist_id IN ({artists})
),
past AS (
    SELECT c.artist_id, COUNT(*) AS concerts, AVG(CAST(c.total_attendance AS DOUBLE PRECISION)) AS attendance,
           AVG(CASE WHEN v.capacity > 0 AND c.total_attendance IS NOT NULL
                    THEN LEAST(CAST(c.total_attendance AS DOUBLE PRECISION) / v.capacity, 1.0) END) AS attendance_rate
    FROM concerts c
    JOIN venues v ON v.venue_id = c.venue_id
    WHERE c.status = 'completed' AND c.artist_id IN ({artists})
      AND c.event_date >= CAST(:since AS DATE) AND c.event_date < CAST(:today AS DATE)
    GROUP BY c.artist_id
)
SELECT a.artist_id, a.name, a.genre, a.popularity_score, a.formation_date, a.members,
       COALESCE(u.concerts, 0) AS upcoming_concerts, u.concert_id AS next_concert_id, u.event_date AS next_date,
       u.venue_id AS next_venue_id, u.venue_name AS next_venue, u.city AS next_city,
       COALESCE(p.concerts, 0) AS past_concerts, CAST(p.attendance AS DECIMAL(12, 2)) AS avg_attendance,
       CAST(p.attendance_rate AS DECIMAL(7, 6)) AS avg_attendance_rate
FROM artists a
LEFT JOIN coming u ON u.artist_id = a.artist_id AND u.turn = 1
LEFT JOIN past p ON p.artist_id = a.artist_id
WHERE a.artist_id IN ({artists})
ORDER BY a.name, a.artist_id

-- What was known about each target concert on its own prediction date, for training and for serving alike.
-- The targets name concert_id and as_of; nothing dated on or after as_of, nor older than 730 days before, is read.
-- What nobody reported is NULL, not 0, and means leave it out.
-- An artist's popularity and a venue's capacity are attributes: the warehouse keeps no history of them.
WITH targets AS (
    {targets}
),
moments AS (
    SELECT DISTINCT as_of FROM targets
),
past AS (
    SELECT m.as_of, c.artist_id, c.venue_id, a.genre, v.venue_type, v.city, v.country,
           c.total_attendance AS attendance, c.revenue,
           CASE WHEN v.capacity > 0 AND c.total_attendance IS NOT NULL
                THEN LEAST(CAST(c.total_attendance AS DOUBLE PRECISION) / v.capacity, 1.0) END AS attendance_rate
    FROM moments m
    JOIN concerts c ON c.event_date < m.as_of AND c.event_date >= m.as_of - 730
    JOIN artists a ON a.artist_id = c.artist_id
    JOIN venues v ON v.venue_id = c.venue_id
    WHERE c.status = 'completed'
),
totals AS (
    SELECT as_of, COUNT(*) AS concerts FROM past GROUP BY as_of
),
by_artist AS (
    SELECT as_of, artist_id, COUNT(*) AS concerts,
           AVG(CAST(attendance AS DOUBLE PRECISION)) AS attendance, AVG(revenue) AS revenue
    FROM past
    GROUP BY as_of, artist_id
),
by_genre AS (
    SELECT as_of, genre, COUNT(*) AS concerts FROM past GROUP BY as_of, genre
),
by_venue AS (
    SELECT as_of, venue_id, COUNT(*) AS concerts, AVG(attendance_rate) AS attendance_rate,
           AVG(revenue) AS revenue, MAX(revenue) AS best_revenue,
           CASE WHEN SUM(revenue) IS NOT NULL
                THEN DENSE_RANK() OVER (PARTITION BY as_of ORDER BY SUM(revenue) DESC NULLS LAST)
                END AS popularity_rank
    FROM past
    GROUP BY as_of, venue_id
),
by_city AS (
    SELECT as_of, country, city, COUNT(*) AS concerts FROM past GROUP BY as_of, country, city
),
by_kind AS (
    SELECT as_of, genre, venue_type, AVG(revenue) AS revenue FROM past GROUP BY as_of, genre, venue_type
)
SELECT c.concert_id, t.as_of, c.event_date, c.status, c.ticket_prices, c.revenue,
       a.artist_id, a.name AS artist_name, v.venue_id, v.name AS venue_name, v.city, v.venue_type,
       CAST(a.popularity_score AS DOUBLE PRECISION) AS artist_popularity_score,
       ba.attendance AS artist_avg_attendance,
       COALESCE(ba.concerts, 0) AS artist_total_concerts,
       CAST(ba.revenue AS DOUBLE PRECISION) AS artist_avg_revenue,
       CASE WHEN n.concerts > 0
            THEN COALESCE(CAST(bg.concerts AS DOUBLE PRECISION) / n.concerts, 0) END AS artist_genre_popularity,
       v.capacity AS venue_capacity,
       COALESCE(bv.concerts, 0) AS venue_total_concerts,
       bv.attendance_rate AS venue_avg_attendance_rate,
       bv.popularity_rank AS venue_popularity_rank,
       CASE WHEN n.concerts > 0
            THEN COALESCE(CAST(bc.concerts AS DOUBLE PRECISION) / n.concerts, 0) END AS venue_location_popularity,
       CAST(bv.revenue AS DOUBLE PRECISION) AS historical_avg_sales,
       CAST(bv.best_revenue AS DOUBLE PRECISION) AS historical_max_sales,
       CAST(bk.revenue AS DOUBLE PRECISION) AS similar_concert_avg_sales
FROM targets t
JOIN concerts c ON c.concert_id = t.concert_id
JOIN artists a ON a.artist_id = c.artist_id
JOIN venues v ON v.venue_id = c.venue_id
LEFT JOIN totals n ON n.as_of = t.as_of
LEFT JOIN by_artist ba ON ba.as_of = t.as_of AND ba.artist_id = c.artist_id
LEFT JOIN by_genre bg ON bg.as_of = t.as_of AND bg.genre = a.genre
LEFT JOIN by_venue bv ON bv.as_of = t.as_of AND bv.venue_id = c.venue_id
LEFT JOIN by_city bc ON bc.as_of = t.as_of AND bc.country = v.country AND bc.city = v.city
LEFT JOIN by_kind bk ON bk.as_of = t.as_of AND bk.genre = a.genre AND bk.venue_type = v.venue_type
ORDER BY t.as_of, c.concert_id

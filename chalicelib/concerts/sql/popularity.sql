-- Every venue's popularity over the look-back, in one statement. Parameters: since (inclusive), until (exclusive),
-- min_events, top_n. Takings join concerts rather than events, so that engines may scan the sales in parallel.
-- Features are divided by their maximum over the venues that have min_events; weights add up to 1.
WITH events AS (
    SELECT c.concert_id, c.artist_id, c.venue_id, c.event_date, v.capacity, v.venue_type, v.city, v.country,
           COALESCE(c.total_attendance, 0) AS attendance,
           COALESCE(c.revenue, 0) AS revenue,
           CASE WHEN v.capacity > 0
                THEN LEAST(CAST(COALESCE(c.total_attendance, 0) AS DOUBLE PRECISION) / v.capacity, 1.0)
                ELSE 0.0 END AS attendance_rate
    FROM concerts c
    JOIN venues v ON v.venue_id = c.venue_id
    WHERE c.status = 'completed'
      AND c.event_date >= CAST(:since AS DATE)
      AND c.event_date < CAST(:until AS DATE)
),
takings AS (
    SELECT s.concert_id, SUM(s.total_amount) AS amount
    FROM ticket_sales s
    JOIN concerts c ON c.concert_id = s.concert_id
    WHERE c.status = 'completed'
      AND c.event_date >= CAST(:since AS DATE)
      AND c.event_date < CAST(:until AS DATE)
    GROUP BY s.concert_id
),
type_demand AS (
    SELECT venue_type, AVG(attendance_rate) AS demand FROM events GROUP BY venue_type
),
city_demand AS (
    SELECT country, city, COUNT(*) AS events FROM events GROUP BY country, city
),
visits AS (
    SELECT venue_id, artist_id, COUNT(*) AS visits FROM events GROUP BY venue_id, artist_id
),
loyalty AS (
    SELECT venue_id, COUNT(*) AS artists, SUM(CASE WHEN visits > 1 THEN visits ELSE 0 END) AS repeat_events
    FROM visits
    GROUP BY venue_id
),
figures AS (
    SELECT e.venue_id,
           COUNT(*) AS total_events,
           AVG(CAST(e.attendance AS DOUBLE PRECISION)) AS avg_attendance,
           AVG(e.attendance_rate) AS attendance_rate,
           SUM(COALESCE(t.amount, e.revenue)) AS total_revenue,
           COUNT(*) / GREATEST(CAST(CAST(:until AS DATE) - MIN(e.event_date) AS DOUBLE PRECISION) / 30, 1.0)
               AS booking_frequency
    FROM events e
    LEFT JOIN takings t ON t.concert_id = e.concert_id
    GROUP BY e.venue_id
    HAVING COUNT(*) >= CAST(:min_events AS INTEGER)
),
features AS (
    SELECT f.*, v.name, v.city, v.state, v.country, v.venue_type, v.capacity,
           f.total_revenue / f.total_events AS revenue_per_event,
           y.demand AS type_demand, d.events AS city_events,
           w.artists, CAST(w.repeat_events AS DOUBLE PRECISION) / f.total_events AS repeat_booking
    FROM figures f
    JOIN venues v ON v.venue_id = f.venue_id
    JOIN type_demand y ON y.venue_type = v.venue_type
    JOIN city_demand d ON d.country = v.country AND d.city = v.city
    JOIN loyalty w ON w.venue_id = f.venue_id
),
scored AS (
    SELECT features.*,
           CAST(
               0.15 * COALESCE(CAST(total_events AS DOUBLE PRECISION) / NULLIF(MAX(total_events) OVER (), 0), 0)
             + 0.10 * COALESCE(CAST(avg_attendance AS DOUBLE PRECISION) / NULLIF(MAX(avg_attendance) OVER (), 0), 0)
             + 0.20 * COALESCE(CAST(attendance_rate AS DOUBLE PRECISION) / NULLIF(MAX(attendance_rate) OVER (), 0), 0)
             + 0.10 * COALESCE(CAST(total_revenue AS DOUBLE PRECISION) / NULLIF(MAX(total_revenue) OVER (), 0), 0)
             + 0.15 * COALESCE(CAST(revenue_per_event AS DOUBLE PRECISION) / NULLIF(MAX(revenue_per_event) OVER (), 0), 0)
             + 0.15 * COALESCE(CAST(booking_frequency AS DOUBLE PRECISION) / NULLIF(MAX(booking_frequency) OVER (), 0), 0)
             + 0.05 * COALESCE(CAST(capacity AS DOUBLE PRECISION) / NULLIF(MAX(capacity) OVER (), 0), 0)
             + 0.02 * COALESCE(CAST(type_demand AS DOUBLE PRECISION) / NULLIF(MAX(type_demand) OVER (), 0), 0)
             + 0.03 * COALESCE(CAST(city_events AS DOUBLE PRECISION) / NULLIF(MAX(city_events) OVER (), 0), 0)
             + 0.03 * COALESCE(CAST(artists AS DOUBLE PRECISION) / NULLIF(MAX(artists) OVER (), 0), 0)
             + 0.02 * COALESCE(CAST(repeat_booking AS DOUBLE PRECISION) / NULLIF(MAX(repeat_booking) OVER (), 0), 0)
           AS DECIMAL(10, 6)) AS score
    FROM features
),
ranked AS (
    SELECT scored.*,
           DENSE_RANK() OVER (ORDER BY score DESC) AS popularity_rank,
           ROW_NUMBER() OVER (ORDER BY score DESC, venue_id) AS place
    FROM scored
)
SELECT popularity_rank, venue_id, name, city, state, country, venue_type, capacity, score, total_events,
       CAST(avg_attendance AS DECIMAL(12, 2)) AS avg_attendance,
       CAST(attendance_rate AS DECIMAL(7, 6)) AS avg_attendance_rate,
       CAST(total_revenue AS DECIMAL(16, 2)) AS total_revenue,
       CAST(revenue_per_event AS DECIMAL(14, 2)) AS revenue_per_event,
       CAST(booking_frequency AS DECIMAL(10, 4)) AS booking_frequency,
       artists AS distinct_artists,
       CAST(repeat_booking AS DECIMAL(7, 6)) AS repeat_booking
FROM ranked
WHERE place <= CAST(:top_n AS INTEGER)
ORDER BY place

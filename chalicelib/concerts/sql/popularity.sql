-- Every venue's popularity over the look-back, in one statement. Parameters: since (inclusive), until (exclusive),
-- min_events, top_n, and those of {venues}, the venues that are asked about; {order} is what the first is first by.
-- Takings join concerts rather than events, so that engines may scan the sales in parallel.
-- Features are divided by their maximum over the venues that have min_events; weights add up to 1. What nobody
-- reported is NULL, not 0: averages leave it out, and the weights of what is known share those of what is not.
WITH events AS (
    SELECT c.concert_id, c.artist_id, c.venue_id, v.venue_type, v.city, v.country,
           c.total_attendance AS attendance, c.revenue,
           CASE WHEN v.capacity > 0 AND c.total_attendance IS NOT NULL
                THEN LEAST(CAST(c.total_attendance AS DOUBLE PRECISION) / v.capacity, 1.0) END AS attendance_rate
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
           COUNT(COALESCE(t.amount, e.revenue)) AS reported_events,
           AVG(CAST(e.attendance AS DOUBLE PRECISION)) AS avg_attendance,
           AVG(e.attendance_rate) AS attendance_rate,
           SUM(COALESCE(t.amount, e.revenue)) AS total_revenue,
           AVG(COALESCE(t.amount, e.revenue)) AS revenue_per_event,
           COUNT(*) * 30.0 / CAST(CAST(:until AS DATE) - CAST(:since AS DATE) AS DOUBLE PRECISION)
               AS booking_frequency
    FROM events e
    JOIN venues v ON v.venue_id = e.venue_id
    LEFT JOIN takings t ON t.concert_id = e.concert_id
    WHERE {venues}
    GROUP BY e.venue_id
    HAVING COUNT(*) >= CAST(:min_events AS INTEGER)
),
features AS (
    SELECT f.*, v.name, v.city, v.state, v.country, v.latitude, v.longitude, v.venue_type, v.capacity,
           NULLIF(v.capacity, 0) AS seats,
           f.revenue_per_event * f.total_events AS likely_revenue,
           y.demand AS type_demand, d.events AS city_events,
           w.artists, CAST(w.repeat_events AS DOUBLE PRECISION) / f.total_events AS repeat_booking
    FROM figures f
    JOIN venues v ON v.venue_id = f.venue_id
    JOIN type_demand y ON y.venue_type = v.venue_type
    JOIN city_demand d ON d.country = v.country AND d.city = v.city
    JOIN loyalty w ON w.venue_id = f.venue_id
),
highest AS (
    SELECT MAX(total_events) AS total_events, MAX(avg_attendance) AS avg_attendance,
           MAX(attendance_rate) AS attendance_rate, MAX(likely_revenue) AS likely_revenue,
           MAX(revenue_per_event) AS revenue_per_event, MAX(booking_frequency) AS booking_frequency,
           MAX(seats) AS seats, MAX(type_demand) AS type_demand, MAX(city_events) AS city_events,
           MAX(artists) AS artists, MAX(repeat_booking) AS repeat_booking
    FROM features
),
weighed AS (
    SELECT f.*,
           0.15 * CAST(f.total_events AS DOUBLE PRECISION) / COALESCE(NULLIF(h.total_events, 0), 1) AS p_concerts,
           0.10 * f.avg_attendance / COALESCE(NULLIF(h.avg_attendance, 0), 1) AS p_attendance,
           0.20 * f.attendance_rate / COALESCE(NULLIF(h.attendance_rate, 0), 1) AS p_attendance_rate,
           0.10 * CAST(f.likely_revenue AS DOUBLE PRECISION) / COALESCE(NULLIF(h.likely_revenue, 0), 1) AS p_revenue,
           0.15 * CAST(f.revenue_per_event AS DOUBLE PRECISION) / COALESCE(NULLIF(h.revenue_per_event, 0), 1)
               AS p_revenue_per_event,
           0.15 * f.booking_frequency / COALESCE(NULLIF(h.booking_frequency, 0), 1) AS p_booking_frequency,
           0.05 * CAST(f.seats AS DOUBLE PRECISION) / COALESCE(NULLIF(h.seats, 0), 1) AS p_capacity,
           0.02 * f.type_demand / COALESCE(NULLIF(h.type_demand, 0), 1) AS p_venue_type,
           0.03 * CAST(f.city_events AS DOUBLE PRECISION) / COALESCE(NULLIF(h.city_events, 0), 1) AS p_location,
           0.03 * CAST(f.artists AS DOUBLE PRECISION) / COALESCE(NULLIF(h.artists, 0), 1) AS p_artist_diversity,
           0.02 * f.repeat_booking / COALESCE(NULLIF(h.repeat_booking, 0), 1) AS p_repeat_booking,
           1.0 - CASE WHEN f.avg_attendance IS NULL THEN 0.10 ELSE 0.0 END
               - CASE WHEN f.attendance_rate IS NULL THEN 0.20 ELSE 0.0 END
               - CASE WHEN f.revenue_per_event IS NULL THEN 0.25 ELSE 0.0 END
               - CASE WHEN f.seats IS NULL THEN 0.05 ELSE 0.0 END
               - CASE WHEN f.type_demand IS NULL THEN 0.02 ELSE 0.0 END AS known
    FROM features f
    CROSS JOIN highest h
),
scored AS (
    SELECT weighed.*,
           CAST((p_concerts + COALESCE(p_attendance, 0) + COALESCE(p_attendance_rate, 0) + COALESCE(p_revenue, 0)
                 + COALESCE(p_revenue_per_event, 0) + p_booking_frequency + COALESCE(p_capacity, 0)
                 + COALESCE(p_venue_type, 0) + p_location + p_artist_diversity + p_repeat_booking) / known
           AS DECIMAL(10, 6)) AS score
    FROM weighed
),
ranked AS (
    SELECT scored.*,
           DENSE_RANK() OVER (ORDER BY score DESC) AS popularity_rank,
           ROW_NUMBER() OVER (ORDER BY {order}, venue_id) AS place
    FROM scored
)
SELECT popularity_rank, venue_id, name, city, state, country, latitude, longitude, venue_type, capacity, score,
       total_events, reported_events,
       CAST(avg_attendance AS DECIMAL(12, 2)) AS avg_attendance,
       CAST(attendance_rate AS DECIMAL(7, 6)) AS avg_attendance_rate,
       CAST(total_revenue AS DECIMAL(16, 2)) AS total_revenue,
       CAST(revenue_per_event AS DECIMAL(14, 2)) AS revenue_per_event,
       CAST(booking_frequency AS DECIMAL(10, 4)) AS booking_frequency,
       artists AS distinct_artists,
       CAST(repeat_booking AS DECIMAL(7, 6)) AS repeat_booking,
       p_concerts / known AS p_concerts, p_attendance / known AS p_attendance,
       p_attendance_rate / known AS p_attendance_rate, p_revenue / known AS p_revenue,
       p_revenue_per_event / known AS p_revenue_per_event, p_booking_frequency / known AS p_booking_frequency,
       p_capacity / known AS p_capacity, p_venue_type / known AS p_venue_type, p_location / known AS p_location,
       p_artist_diversity / known AS p_artist_diversity, p_repeat_booking / known AS p_repeat_booking
FROM ranked
WHERE place <= CAST(:top_n AS INTEGER)
ORDER BY place

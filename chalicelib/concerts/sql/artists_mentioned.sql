-- Artists whose whole name occurs in a text, with their next scheduled concert. Parameters: text, today, top_n.
WITH named AS (
    SELECT a.artist_id, a.name, a.genre, a.popularity_score
    FROM artists a
    WHERE POSITION(LOWER(a.name) IN LOWER(:text)) > 0
),
coming AS (
    SELECT c.artist_id, c.concert_id, c.event_date, v.name AS venue_name, v.city,
           ROW_NUMBER() OVER (PARTITION BY c.artist_id ORDER BY c.event_date, c.concert_id) AS turn,
           COUNT(*) OVER (PARTITION BY c.artist_id) AS concerts
    FROM concerts c
    JOIN named n ON n.artist_id = c.artist_id
    JOIN venues v ON v.venue_id = c.venue_id
    WHERE c.status = 'scheduled' AND c.event_date >= CAST(:today AS DATE)
),
ranked AS (
    SELECT n.artist_id, n.name, n.genre, n.popularity_score, COALESCE(u.concerts, 0) AS upcoming_concerts,
           u.concert_id AS next_concert_id, u.event_date AS next_date, u.venue_name AS next_venue, u.city AS next_city,
           ROW_NUMBER() OVER (ORDER BY LENGTH(n.name) DESC, n.popularity_score DESC, n.artist_id) AS place
    FROM named n
    LEFT JOIN coming u ON u.artist_id = n.artist_id AND u.turn = 1
)
SELECT artist_id, name, genre, popularity_score, upcoming_concerts, next_concert_id, next_date, next_venue, next_city
FROM ranked
WHERE place <= CAST(:top_n AS INTEGER)
ORDER BY place

-- Scheduled concerts from today on, scored in (0, 1]. Parameters: today, since (for demand), top_n, genre_count and
-- the numbered genres, place_count and place_1..place_3, all lower case. A place may be given as up to three parts,
-- "austin, texas"; each must be the venue's city, state or country. Where fewer are given, the first is repeated.
-- An artist's genre may name two, as in "rock/pop"; overlap is Jaccard's: shared genres over all named.
WITH demand AS (
    SELECT v.venue_type,
           AVG(CASE WHEN v.capacity > 0
                    THEN LEAST(CAST(COALESCE(c.total_attendance, 0) AS DOUBLE PRECISION) / v.capacity, 1.0)
                    ELSE 0.0 END) AS demand
    FROM concerts c
    JOIN venues v ON v.venue_id = c.venue_id
    WHERE c.status = 'completed'
      AND c.event_date >= CAST(:since AS DATE)
      AND c.event_date < CAST(:today AS DATE)
    GROUP BY v.venue_type
),
standing AS (
    SELECT venue_id, popularity_rank
    FROM venue_popularity
    WHERE calculated_at = (SELECT MAX(calculated_at) FROM venue_popularity)
),
programme AS (
    SELECT c.concert_id, c.event_date, c.ticket_prices, a.artist_id, a.name AS artist_name, a.genre,
           CAST(a.popularity_score AS DOUBLE PRECISION) / 100 AS popularity,
           CASE WHEN LOWER(SPLIT_PART(a.genre, '/', 1)) IN ({genres}) THEN 1 ELSE 0 END
         + CASE WHEN SPLIT_PART(a.genre, '/', 2) <> '' AND LOWER(SPLIT_PART(a.genre, '/', 2)) IN ({genres})
                THEN 1 ELSE 0 END AS shared_genres,
           CASE WHEN SPLIT_PART(a.genre, '/', 2) = '' THEN 1 ELSE 2 END AS own_genres,
           CASE WHEN CAST(:place_count AS INTEGER) = 0
                  OR :place_1 NOT IN (LOWER(v.city), LOWER(v.state), LOWER(v.country))
                  OR :place_2 NOT IN (LOWER(v.city), LOWER(v.state), LOWER(v.country))
                  OR :place_3 NOT IN (LOWER(v.city), LOWER(v.state), LOWER(v.country)) THEN 0.0
                WHEN LOWER(v.city) IN (:place_1, :place_2, :place_3) THEN 1.0
                WHEN LOWER(v.state) IN (:place_1, :place_2, :place_3) THEN 0.8
                ELSE 0.6 END AS nearness,
           v.venue_id, v.name AS venue_name, v.city, v.state, v.country, v.venue_type, v.capacity,
           COALESCE(d.demand, 0) AS demand, s.popularity_rank AS venue_rank
    FROM concerts c
    JOIN artists a ON a.artist_id = c.artist_id
    JOIN venues v ON v.venue_id = c.venue_id
    LEFT JOIN demand d ON d.venue_type = v.venue_type
    LEFT JOIN standing s ON s.venue_id = v.venue_id
    WHERE c.status = 'scheduled' AND c.event_date >= CAST(:today AS DATE)
),
candidates AS (
    SELECT programme.*,
           CAST(shared_genres AS DOUBLE PRECISION)
               / (CAST(:genre_count AS INTEGER) + own_genres - shared_genres) AS overlap,
           COALESCE(CAST(capacity AS DOUBLE PRECISION) / NULLIF(MAX(capacity) OVER (), 0), 0) AS size_share,
           COALESCE(demand / NULLIF(MAX(demand) OVER (), 0), 0) AS type_share
    FROM programme
    WHERE (CAST(:genre_count AS INTEGER) = 0 OR shared_genres > 0)
      AND (CAST(:place_count AS INTEGER) = 0 OR nearness > 0)
),
scored AS (
    SELECT candidates.*,
           CAST(GREATEST(
               CASE WHEN CAST(:genre_count AS INTEGER) > 0 AND CAST(:place_count AS INTEGER) > 0
                    THEN (0.6 * overlap + 0.4 * popularity
                          + 0.4 * nearness + 0.3 * size_share + 0.3 * type_share) / 2
                    WHEN CAST(:genre_count AS INTEGER) > 0 THEN 0.6 * overlap + 0.4 * popularity
                    WHEN CAST(:place_count AS INTEGER) > 0 THEN 0.4 * nearness + 0.3 * size_share + 0.3 * type_share
                    ELSE popularity END,
               0.0001) AS DECIMAL(8, 6)) AS score
    FROM candidates
),
ranked AS (
    SELECT scored.*, ROW_NUMBER() OVER (ORDER BY score DESC, event_date, concert_id) AS place
    FROM scored
)
SELECT concert_id, event_date, ticket_prices, artist_id, artist_name, genre, popularity, shared_genres, overlap,
       nearness, venue_id, venue_name, city, state, country, venue_type, capacity, size_share, demand, type_share,
       venue_rank, score
FROM ranked
WHERE place <= CAST(:top_n AS INTEGER)
ORDER BY place

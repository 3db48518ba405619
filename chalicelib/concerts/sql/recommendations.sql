-- Scheduled concerts from today on, scored in (0, 1]. Parameters: today, since (for demand), top_n, genre_count, the
-- numbered genres, and those of {conditions}, the concerts that are asked for; {nearness} is how near each venue is to
-- the places that were asked for, 0 where none was. {order} is what the first is first by.
-- An artist's genre may name two, as in "rock/pop"; overlap is Jaccard's: shared genres over all named.
-- Nobody knows how full a type of venue gets whose attendance was never reported; it gets the others' mean.
WITH demand AS (
    SELECT v.venue_type, AVG(LEAST(CAST(c.total_attendance AS DOUBLE PRECISION) / v.capacity, 1.0)) AS demand
    FROM concerts c
    JOIN venues v ON v.venue_id = c.venue_id
    WHERE c.status = 'completed' AND v.capacity > 0 AND c.total_attendance IS NOT NULL
      AND c.event_date >= CAST(:past AS DATE)
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
           CASE WHEN SPLIT_PART(a.genre, '/', 1) IN ({genres}) THEN 1 ELSE 0 END
         + CASE WHEN SPLIT_PART(a.genre, '/', 2) IN ({genres}) THEN 1 ELSE 0 END AS shared_genres,
           CASE WHEN SPLIT_PART(a.genre, '/', 2) = '' THEN 1 ELSE 2 END AS own_genres,
           {nearness} AS nearness,
           v.venue_id, v.name AS venue_name, v.city, v.state, v.country, v.venue_type, v.capacity,
           d.demand, s.popularity_rank AS venue_rank
    FROM concerts c
    JOIN artists a ON a.artist_id = c.artist_id
    JOIN venues v ON v.venue_id = c.venue_id
    LEFT JOIN demand d ON d.venue_type = v.venue_type
    LEFT JOIN standing s ON s.venue_id = v.venue_id
    WHERE c.status = 'scheduled' AND c.event_date >= CAST(:today AS DATE) AND {conditions}
),
candidates AS (
    SELECT programme.*,
           CAST(shared_genres AS DOUBLE PRECISION)
               / (CAST(:genre_count AS INTEGER) + own_genres - shared_genres) AS overlap,
           COALESCE(CAST(capacity AS DOUBLE PRECISION) / NULLIF(MAX(capacity) OVER (), 0), 0) AS size_share,
           COALESCE(demand / NULLIF(MAX(demand) OVER (), 0), AVG(demand) OVER () / NULLIF(MAX(demand) OVER (), 0), 0.5)
               AS type_share
    FROM programme
),
scored AS (
    SELECT candidates.*,
           CAST(GREATEST(
               CASE WHEN CAST(:genre_count AS INTEGER) > 0 AND nearness > 0
                    THEN (0.6 * overlap + 0.4 * popularity
                          + 0.4 * nearness + 0.3 * size_share + 0.3 * type_share) / 2
                    WHEN CAST(:genre_count AS INTEGER) > 0 THEN 0.6 * overlap + 0.4 * popularity
                    WHEN nearness > 0 THEN 0.4 * nearness + 0.3 * size_share + 0.3 * type_share
                    ELSE popularity END,
               0.0001) AS DECIMAL(8, 6)) AS score
    FROM candidates
),
ranked AS (
    SELECT scored.*, ROW_NUMBER() OVER (ORDER BY {order}event_date, concert_id) AS place
    FROM scored
)
SELECT concert_id, event_date, ticket_prices, artist_id, artist_name, genre, popularity, shared_genres, overlap,
       nearness, venue_id, venue_name, city, state, country, venue_type, capacity, size_share, demand, type_share,
       venue_rank, score
FROM ranked
WHERE place <= CAST(:top_n AS INTEGER)
ORDER BY place

-- Concerts by date, with artist and venue, after a given one. Parameters: after_date and after_id (the last
-- of the page before, or a day before any), and those of {conditions}.
SELECT c.concert_id, c.event_date, c.status, c.ticket_prices, a.artist_id, a.name AS artist_name, a.genre,
       a.popularity_score, v.venue_id, v.name AS venue_name, v.address, v.city, v.state, v.country, v.latitude,
       v.longitude, v.venue_type, v.capacity
FROM concerts c
JOIN artists a ON a.artist_id = c.artist_id
JOIN venues v ON v.venue_id = c.venue_id
WHERE (c.event_date > CAST(:after_date AS DATE) OR (c.event_date = CAST(:after_date AS DATE) AND c.concert_id > :after_id))
  AND {conditions}
ORDER BY c.event_date, c.concert_id
LIMIT {limit}

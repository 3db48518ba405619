-- Venues by id, with the stored rank and how many concerts are scheduled there. Parameters: today and the ids.
SELECT v.venue_id, v.name, v.address, v.city, v.state, v.country, v.postal_code, v.latitude, v.longitude, v.capacity,
       v.venue_type, v.amenities, s.popularity_rank, COALESCE(u.concerts, 0) AS upcoming_concerts
FROM venues v
LEFT JOIN (
    SELECT venue_id, popularity_rank
    FROM venue_popularity
    WHERE calculated_at = (SELECT MAX(calculated_at) FROM venue_popularity)
) s ON s.venue_id = v.venue_id
LEFT JOIN (
    SELECT venue_id, COUNT(*) AS concerts
    FROM concerts
    WHERE status = 'scheduled' AND event_date >= CAST(:today AS DATE)
    GROUP BY venue_id
) u ON u.venue_id = v.venue_id
WHERE v.venue_id IN ({venues})
ORDER BY v.name, v.venue_id

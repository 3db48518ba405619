-- Genres as artists have them, with how many artists and scheduled concerts each has. Parameter: today.
SELECT a.genre, COUNT(DISTINCT a.artist_id) AS artists, COUNT(c.concert_id) AS upcoming_concerts
FROM artists a
LEFT JOIN concerts c ON c.artist_id = a.artist_id AND c.status = 'scheduled' AND c.event_date >= CAST(:today AS DATE)
GROUP BY a.genre
ORDER BY a.genre

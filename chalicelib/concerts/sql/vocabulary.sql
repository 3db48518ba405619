-- The names that a question may use: genres, venues with their places and types, artists. Each kind has its columns.
SELECT 'artist' AS kind, artist_id AS id, name, genre AS detail, '' AS city, '' AS state, '' AS country FROM artists
UNION ALL
SELECT 'venue', venue_id, name, venue_type, city, state, country FROM venues
ORDER BY kind, id

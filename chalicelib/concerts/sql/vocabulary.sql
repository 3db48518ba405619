-- The words that a question may name: genres and places, each once.
SELECT 'genre' AS kind, genre AS word FROM artists GROUP BY genre
UNION ALL
SELECT 'city', city FROM venues GROUP BY city
UNION ALL
SELECT 'country', country FROM venues GROUP BY country
ORDER BY kind, word

SELECT CASE WHEN helpful THEN 'helpful' ELSE 'not helpful' END AS name, count(*)
FROM spendsense.feedback
GROUP BY helpful

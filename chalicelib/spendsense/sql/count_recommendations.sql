SELECT kind || ' ' || status AS name, count(*) FROM spendsense.recommendations GROUP BY kind, status ORDER BY 1

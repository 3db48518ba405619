DELETE FROM spendsense.access_denials
WHERE denial_id IN (
    SELECT denial_id FROM spendsense.access_denials WHERE denied_at < %(before)s ORDER BY denied_at LIMIT %(size)s
)

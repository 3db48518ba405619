AND NOT t.pending
AND t.foreign_currency IS NULL
AND a.currency = (SELECT currency FROM spendsense.profiles WHERE subject = %(subject)s)
AND a.holder_category IS DISTINCT FROM 'business'
AND (
    a.type IN ('credit', 'depository')
    OR a.type = 'investment' AND a.subtype IN ('savings', 'money market', 'cash management', 'hsa')
)
AND c.flow IN ('spend', 'service', 'obligation', 'payment', 'interest')

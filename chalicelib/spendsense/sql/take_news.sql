-- The sockets, of one person or of everybody, whose last message differs from the person's progress; updates it.
UPDATE spendsense.listeners l
SET told = s.told
FROM (
    SELECT
        p.subject,
        t.*,
        jsonb_build_array(t.consented, t.features_due, t.persona_due, t.recommendations_due, t.features_as_of) AS told
    FROM spendsense.standings t
    JOIN spendsense.profiles p USING (user_id)
    WHERE %(subject)s::uuid IS NULL OR p.subject = %(subject)s::uuid
) AS s
WHERE s.user_id = l.user_id AND l.expires_at > %(now)s AND l.told IS DISTINCT FROM s.told
RETURNING
    s.subject, l.connection_id, l.endpoint, s.consented, s.features_due, s.persona_due, s.recommendations_due,
    s.features_as_of AS as_of

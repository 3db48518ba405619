SELECT
    a.external_id AS account_id, a.name, a.mask, a.type, a.subtype, a.available_cents, a.current_cents, a.limit_cents,
    a.currency, a.holder_category, a.updated_at
FROM spendsense.accounts a
WHERE a.user_id = (SELECT user_id FROM spendsense.profiles WHERE subject = %(subject)s)
ORDER BY a.account_id

SELECT key, name, merchant_id FROM spendsense.merchants WHERE user_id = %(user_id)s ORDER BY merchant_id

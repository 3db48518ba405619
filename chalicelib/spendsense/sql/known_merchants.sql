SELECT key, merchant_id FROM spendsense.merchants WHERE user_id = %(user_id)s AND key = ANY(%(key)s)

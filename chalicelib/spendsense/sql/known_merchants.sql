SELECT key, merchant_id FROM spendsense.merchants WHERE key = ANY(%(key)s)

SELECT external_id FROM spendsense.accounts WHERE external_id = ANY(%(external_ids)s) AND user_id <> %(user_id)s

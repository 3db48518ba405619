SELECT external_id, account_id, currency FROM spendsense.accounts WHERE user_id = %(user_id)s

-- The ids of pending rows whose posted rows are stored: a repeated pending row must not be stored again.
SELECT replaces FROM spendsense.transactions WHERE user_id = %(user_id)s AND replaces = ANY(%(external_ids)s)

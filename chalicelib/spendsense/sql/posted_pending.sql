-- Pending ids whose posted rows are there: such a row, sent once more, is not taken again.
SELECT replaces FROM spendsense.transactions WHERE user_id = %(user_id)s AND replaces = ANY(%(external_ids)s)

UPDATE spendsense.standings SET features_due = true WHERE user_id = %(user_id)s AND consented

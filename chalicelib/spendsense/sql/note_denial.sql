INSERT INTO spendsense.access_denials (caller, resource, reason, request_id, denied_at)
VALUES (%(caller)s, %(resource)s, %(reason)s, %(request_id)s, %(denied_at)s)

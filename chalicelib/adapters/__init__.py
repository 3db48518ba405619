"""The outside world: only these modules import botocore, psycopg or urllib."""

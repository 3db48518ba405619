"""One module for each outside system; nothing else in Omnibus imports botocore, psycopg or urllib."""

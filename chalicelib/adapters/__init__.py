"""One module for each outside system; nothing else in Omnibus imports boto3, psycopg or urllib."""

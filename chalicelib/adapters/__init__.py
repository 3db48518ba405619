"""The outside world: only these modules import boto3, psycopg or urllib."""

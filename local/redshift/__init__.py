"""Amazon Redshift's Data API, over PostgreSQL."""

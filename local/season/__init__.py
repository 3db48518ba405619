"""A believable concert season: made deterministically, loaded through the Redshift Data API."""

"""A realistic concert season: generated deterministically, loaded through the Redshift Data API."""

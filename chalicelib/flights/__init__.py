"""Air traffic: OpenSky state vectors become checked Parquet, with quality scores, metrics and alerts."""

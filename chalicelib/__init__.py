"""The application behind app.py: the edge in `entry`, a package for each workload, the outside in `adapters`."""

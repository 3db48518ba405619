"""The application behind app.py: edges in `entry`, one package for each workload, the outside world in `adapters`."""

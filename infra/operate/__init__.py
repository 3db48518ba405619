"""What operators run against a deployed stage or over the project: redrive, cost, audit, models, restored tables."""

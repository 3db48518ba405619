"""Operators' commands for a deployed stage or the project: redrive, cost, audit, models, restored tables."""

"""Concerts: popularity of venues, ticket-sales forecasts, recommendations, and a chat over all three."""

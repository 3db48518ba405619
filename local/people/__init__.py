"""Made-up people with made-up bank rows in Plaid's shapes, the same from the same seed."""

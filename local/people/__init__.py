"""Made-up people with made-up bank rows in Plaid's format, the same for the same seed."""

"""SpendSense: features, personas and explained, educational recommendations from a person's bank transactions."""

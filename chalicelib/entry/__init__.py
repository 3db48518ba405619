"""The edge: the only package that depends on Chalice."""

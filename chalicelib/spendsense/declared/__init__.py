"""Reviewed data files; `chalicelib.spendsense.catalogue` reads and checks them."""

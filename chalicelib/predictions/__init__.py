"""Batch predictions: an object of rows in, the same object with a column of predictions out."""

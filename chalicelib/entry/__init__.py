"""The edges: what knows Chalice, so that nothing behind them has to."""

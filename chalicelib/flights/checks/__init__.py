"""The 16 quality checks of a processed snapshot; `registry` lists them, `docs/quality-checks.md` explains them."""

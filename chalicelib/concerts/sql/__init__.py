"""The warehouse's schema and statements, each in a file of its own."""

from functools import cache
from importlib.resources import files


@cache
def text(name: str) -> str:
    """The text of `name`.sql in this folder."""
    return (files(__name__) / f"{name}.sql").read_text(encoding="utf-8")

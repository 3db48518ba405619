"""SQL of the history: statements with `?` and their literals, which are checked before they are written.

Athena's `ExecutionParameters` are themselves SQL literals (`'3950d0'`, `12`), so no value may be more than a literal:
numbers are integers, and texts consist of a few harmless characters.
"""

import re
from typing import Final, NamedTuple

_TEXT: Final = re.compile(r"[0-9A-Za-z%-]{0,24}")

Bound = int | str


class Statement(NamedTuple):
    """SQL text with `?` for each of its literals."""

    text: str
    literals: tuple[str, ...]

    def spelled_out(self) -> str:
        """The text with its literals in their places, for an engine that does not take them."""
        pieces = self.text.split("?")
        return "".join(piece + literal for piece, literal in zip(pieces, (*self.literals, ""), strict=True))


def statement(text: str, *values: Bound) -> Statement:
    """A statement; ValueError for a value that is not an integer or a text of letters, digits, `-` and `%`."""
    if text.count("?") != len(values):
        raise ValueError(f"{len(values)} values for {text.count('?')} places")
    return Statement(text, tuple(map(literal, values)))


def literal(value: Bound) -> str:
    """A value as a literal of SQL."""
    if type(value) is int and abs(value) < 2**63:
        return str(value)
    if type(value) is str and _TEXT.fullmatch(value):
        return f"'{value}'"
    raise ValueError(f"{value!r} may not stand in a statement")

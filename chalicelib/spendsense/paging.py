"""The end of a page, as an opaque cursor. It grants nothing: every query also filters by the caller."""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta

from chalicelib.errors import InvalidInput, Unprocessable

T = TypeVar("T")

Number = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Position = tuple[Annotated[str, Meta(max_length=60, pattern=r"^[\x20-\x7e]*(?![\s\S])")], Number]
"""The sorting key of the last row: a text (a day or an id) and a number that tells equals apart."""


def cursor_of(position: Position) -> str:
    """The cursor that continues after `position`."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


def position_of(cursor: str | None) -> Position | None:
    """The position that a cursor carries; Unprocessable if we did not make it."""
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        position: Position = msgspec.json.decode(raw, type=Position)
    except (binascii.Error, ValueError):
        raise Unprocessable.of("cursor", "is not one of ours", "the `next_cursor` of the page before") from None
    return position


def foreign_cursor() -> InvalidInput:
    """The error for a position that is of another list."""
    return Unprocessable.of("cursor", "is not of this list", "the `next_cursor` of the page before")


def page_of(rows: Sequence[tuple[Position, T]], limit: int) -> tuple[list[T], str | None]:
    """A page, and the cursor to the next; `rows` has one more than `limit` if there is one."""
    page = rows[:limit]
    return [row for _, row in page], cursor_of(page[-1][0]) if len(rows) > limit else None


def parsed_id(text: str) -> UUID | None:
    """The id that a path carries, or None if it is none of ours."""
    try:
        return UUID(text)
    except ValueError:
        return None

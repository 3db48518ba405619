"""Reading one field of a bank's row: each reader returns the value or raises ValueError with what is expected.

Values come from JSON (typed) or from CSV (text, where empty means null); both are read by the same rules.
"""

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])

MAX_AMOUNT = Decimal(10_000_000_000)
EARLIEST = date(1990, 1, 1)
DAYS_AHEAD = 7

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_KEPT: list[Callable[[], None]] = []


def printable(value: Any, longest: int = 200) -> str:
    """A text without control characters; null and absent are the empty text."""
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest or (not value.isprintable() and _UNPRINTABLE.search(value)):
        raise ValueError(f"a text of at most {longest} printable characters")
    return value.strip()


def identifier(value: Any) -> str:
    """A bank's id: a text that is not empty."""
    found = printable(value, 100)
    if not found:
        raise ValueError("an id of 1 to 100 characters")
    return found


def remembered(read: F) -> F:
    """`read`, with its results kept until `forget`: the rows of a file repeat texts, days and numbers."""
    kept = lru_cache(maxsize=20_000)(read)
    _KEPT.append(kept.cache_clear)
    return cast(F, kept)


def forget() -> None:
    """Drop all that `remembered` functions keep: a person's texts, which may be as long as the file."""
    for clear in _KEPT:
        clear()


@cache
def choice_of(*choices: str) -> Any:
    """A reader of one of `choices`."""

    def read(value: Any) -> str:
        if value not in choices:
            raise ValueError("one of " + ", ".join(choices))
        return str(value)

    return read


def currency(value: Any) -> str:
    """An ISO 4217 code."""
    if not isinstance(value, str) or not _CURRENCY.fullmatch(value.strip().upper()):
        raise ValueError("an ISO 4217 code such as USD")
    return value.strip().upper()


def cents(value: Any) -> int:
    """An amount in hundredths of its currency, rounded half to even where it has more decimals."""
    amount = _decimal(value)
    if not amount.is_finite() or not -MAX_AMOUNT <= amount <= MAX_AMOUNT:
        raise ValueError(f"a number from -{MAX_AMOUNT:,} to {MAX_AMOUNT:,}")
    return int((amount * 100).to_integral_value())


def percent(value: Any) -> Decimal:
    """A rate in percent, to three decimals."""
    rate = _decimal(value)
    if not rate.is_finite() or not 0 <= rate <= 999:
        raise ValueError("a percentage from 0 to 999")
    return rate.quantize(Decimal("0.001"))


def _decimal(value: Any) -> Decimal:
    """A number as it is written; `1_000`, which Python reads, is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)) or "_" in (text := str(value)):
        raise ValueError("a number")
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        raise ValueError("a number") from None


def flag(value: Any) -> bool:
    """true or false."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in {"true", "false"}:
        return value.strip().lower() == "true"
    raise ValueError("true or false")


def day(value: Any) -> date:
    """A calendar day, as YYYY-MM-DD."""
    if not isinstance(value, str) or (found := _day(value.strip())) is None:
        raise ValueError("a day as YYYY-MM-DD")
    return found


@remembered
def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


@lru_cache(maxsize=2)
def posting_day(today: date) -> Any:
    """A reader of a transaction's day: not before 1990 (1970 is a missing date), not over a week ahead of `today`."""
    latest = today + timedelta(days=DAYS_AHEAD)

    def read(value: Any) -> date:
        found = day(value)
        if not EARLIEST <= found <= latest:
            raise ValueError(f"a day from {EARLIEST} to {latest}")
        return found

    return read


@cache
def nullable(read: Any) -> Any:
    """A reader that lets null, absent and empty pass as None."""

    def read_or_none(value: Any) -> Any:
        return None if value is None or value == "" else read(value)

    return read_or_none

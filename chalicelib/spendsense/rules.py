"""Rules as data: comparisons of signals with numbers, joined by "all" and "any".

    {"all": [{"signal": "recurring_merchants", "at_least": 3},
             {"any": [{"signal": "monthly_recurring_cents", "at_least": 5000},
                      {"signal": "subscription_share", "at_least": 0.1}]}]}

A comparison with an unknown (null) signal does not hold. {"all": []} always holds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from chalicelib.spendsense.signals import SIGNALS

OPERATORS = {"at_least": ">=", "more_than": ">", "at_most": "<=", "less_than": "<"}


@dataclass(frozen=True)
class Comparison:
    """A signal against a number, e.g. `cards_at_50 >= 1`."""

    signal: str
    operator: str
    number: int | float

    @property
    def threshold(self) -> str:
        """The right side in words, e.g. ">= 0.5"."""
        return f"{self.operator} {self.number!r}"


@dataclass(frozen=True)
class Every:
    """Holds when all of its parts do."""

    parts: tuple["Rule", ...]


@dataclass(frozen=True)
class Either:
    """Holds when any of its parts does."""

    parts: tuple["Rule", ...]


Rule: TypeAlias = Comparison | Every | Either

ALWAYS = Every(())


def parse_rule(declared: Any) -> Rule:
    """The rule that a JSON value declares; ValueError says what is wrong with it."""
    if not isinstance(declared, Mapping):
        raise ValueError(f"{declared!r} is not a rule")
    if set(declared) == {"all"}:
        return Every(tuple(map(parse_rule, declared["all"])))
    if set(declared) == {"any"}:
        if not declared["any"]:
            raise ValueError('"any" of nothing never holds')
        return Either(tuple(map(parse_rule, declared["any"])))
    signal = declared.get("signal")
    operators = [name for name in declared if name in OPERATORS]
    if len(operators) != 1 or set(declared) != {"signal", operators[0]}:
        raise ValueError(f"{dict(declared)!r} needs a signal and one of {', '.join(OPERATORS)}")
    if signal not in SIGNALS or SIGNALS[signal].kind == "text":
        raise ValueError(f"{signal!r} is not a signal that can be compared")
    number = declared[operators[0]]
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise ValueError(f"{number!r} is not a number")
    return Comparison(signal, OPERATORS[operators[0]], number)


def comparisons(rule: Rule) -> Iterator[Comparison]:
    """Every comparison in a rule, in order."""
    if isinstance(rule, Comparison):
        yield rule
    else:
        for part in rule.parts:
            yield from comparisons(part)

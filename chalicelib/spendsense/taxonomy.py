"""The flow of a transaction's money: declared for each category, never read from anybody's rows.

    wages         pay: it makes payroll and income
    income        other money in; counted as pay if one payer sends it regularly
    passive       interest, dividends, tax refunds: income, and never pay
    interest      interest charged; counted apart on card accounts
    obligation    what one owes anyway: rent, loans, taxes; an expense, but never a subscription
    payment       money sent to somebody else: an expense, unless an account of one's own received it
    transfer      between accounts, and money in without a name: neither spent nor earned
    card_payment  paying a card's bill: the spending was counted when the card was used
    service       spending that may be a subscription
    spend         all other spending

The names are those of Plaid's personal finance categories, versions 1 and 2
(https://plaid.com/documents/pfc-taxonomy-all.csv). A primary name is a category by itself, for rows that have no more.
OTHER_MONEY_IN is ours.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

UNKNOWN, UNKNOWN_IN = "OTHER_OTHER", "OTHER_MONEY_IN"
BETWEEN_ACCOUNTS = ("TRANSFER_OUT", "TRANSFER_OUT_ACCOUNT_TRANSFER", "TRANSFER_OUT_OTHER_TRANSFER_OUT")
TO_SOMEBODY = "TRANSFER_OUT_TRANSFER_OUT_FROM_APPS"
SPENT = ("spend", "service", "obligation")
"""Flows of money out."""


@dataclass(frozen=True)
class Category:
    """A declared category; `detailed` is the primary name where a row says no more."""

    primary: str
    detailed: str
    flow: str


class Taxonomy:
    """The declared categories, the labels of exports, and the words of rows that have no category."""

    def __init__(self, declared: dict[str, Any]) -> None:
        self.categories = {category.detailed: category for category in _categories(declared["categories"])}
        self._labels: dict[str, str] = declared["labels"]
        words = declared["words"]
        self._words = {side: [(entry[0], _any_of(entry[1:])) for entry in words[side]] for side in ("in", "out")}
        self._payees, self._refunds = _any_of(words["payees"]), _any_of(words["refunds"])
        self._received = _any_of(words["received"])

    def categorise(self, primary: str, detailed: str, texts: str, cents: int) -> tuple[Category, bool]:
        """The category of a row, and whether its own category was understood.

        The detailed name counts first, then the primary one, in any case or as a label of an export ("Groceries");
        for a row with neither, or with OTHER, the words of its `texts` decide.
        """
        given = [name for name in (_name(detailed), _name(primary)) if name and not name.startswith("OTHER")]
        known = next((found for name in given if (found := self._named(name, cents))), None)
        category = known or self._worded(texts, cents)
        if category.detailed in BETWEEN_ACCOUNTS and cents > 0 and self._payees.search(texts):
            category = self.categories[TO_SOMEBODY]
        return category, known is not None or not given

    def says_money_in(self, label: str, texts: str) -> bool | None:
        """Whether a row's label or words mean money in, or out, regardless of its amount's sign; None for neither."""
        if label and (category := self._named(_name(label), -1)):
            return True if category.primary == "INCOME" else False if category.flow in SPENT else None
        money_in = self._worded(texts, -1).primary == "INCOME" or bool(self._received.search(texts))
        money_out = self._worded(texts, 1).detailed not in (UNKNOWN, *BETWEEN_ACCOUNTS, TO_SOMEBODY)
        return None if money_in == money_out else money_in

    def _named(self, name: str, cents: int) -> Category | None:
        if name == "TRANSFER" or name == "TRANSFERS":
            name = "TRANSFER_OUT" if cents > 0 else "TRANSFER_IN"
        found = self.categories.get(name) or self.categories.get(self._labels.get(name, ""))
        if found is None:
            primaries = (one for one in self.categories.values() if one.primary == one.detailed)
            found = next((one for one in primaries if name.startswith(f"{one.primary}_")), None)
        return found

    def _worded(self, texts: str, cents: int) -> Category:
        refund = cents < 0 and self._refunds.search(texts)
        for name, pattern in self._words["in" if cents < 0 else "out"]:
            if pattern.search(texts):
                return self.categories[name]
        return self.categories[UNKNOWN if cents >= 0 or refund else UNKNOWN_IN]


@cache
def packaged_taxonomy() -> Taxonomy:
    """The taxonomy of this package."""
    return Taxonomy(msgspec.json.decode((files("chalicelib.spendsense.declared") / "taxonomy.json").read_bytes()))


def _categories(declared: dict[str, dict[str, Any]]) -> Iterable[Category]:
    for primary, entry in declared.items():
        for flow, names in entry.items():
            if flow == "itself":
                yield Category(primary, primary, names)
            else:
                yield from (Category(primary, f"{primary}_{name}", flow) for name in names)


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b", re.I)


def _name(given: str) -> str:
    """A category as it is declared: upper case, words joined by underscores."""
    return re.sub(r"\W+", "_", given.strip().upper().replace("&", " ")).strip("_")

"""Recommendations that must never reach a person, whatever the rules say.

    consent      nothing is derived or recommended without an opt-in that still stands
    eligibility  an item only for whom its declared rule holds, and only with numbers that are known
    tone         no pressure, no promises, no orders
    no_shaming   no blame
    no_predatory no payday, title or similar products
    disclosure   on every set, verbatim

The words are reviewed data (declared/language.json). They are checked twice: in every text of the catalogue when it
is loaded, and by the database in every finished sentence that a merchant's or a card's name ends up in.
"""

import re
from collections.abc import Mapping, Sequence

DISCLOSURE = "This is educational content, not financial advice. Consult a licensed advisor for personalized guidance."

LANGUAGE_GUARDRAILS = ("tone", "no_shaming", "no_predatory")


class Language:
    """The words that each guardrail refuses."""

    def __init__(self, refused: Mapping[str, Sequence[str]]) -> None:
        if set(refused) != set(LANGUAGE_GUARDRAILS):
            raise ValueError(f"language.json needs {', '.join(LANGUAGE_GUARDRAILS)}")
        self._alternatives = {name: _alternatives(words) for name, words in refused.items()}
        self._compiled = {name: re.compile(rf"\b(?:{text})\b", re.I) for name, text in self._alternatives.items()}

    def faults(self, text: str) -> tuple[str, ...]:
        """The guardrails that `text` fails, with the word that failed each, e.g. "tone: act now"."""
        found = ((name, pattern.search(text)) for name, pattern in self._compiled.items())
        return tuple(f"{name}: {match[0].lower()}" for name, match in found if match)

    def postgres_pattern(self, guardrail: str) -> str:
        """The same as a regular expression for PostgreSQL's `~*`."""
        return rf"\m({self._alternatives[guardrail]})\M"


def _alternatives(words: Sequence[str]) -> str:
    """Words and phrases, as alternatives that mean the same to Python and PostgreSQL."""
    for word in words:
        if not re.fullmatch(r"[a-z]+(?:[ -][a-z]+)*", word):
            raise ValueError(f"{word!r}: only lower-case words, joined by single spaces or hyphens")
    return "|".join(re.sub("[ -]", r"[\\s-]+", word) for word in words)

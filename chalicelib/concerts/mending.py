"""Words that are misspelled, as what they were to be: those of the warehouse, and those that we ask about."""

import re
from collections.abc import Sequence
from functools import lru_cache

from chalicelib.concerts.cues import (
    CAPACITY_BETWEEN,
    CAPACITY_LEAST,
    CAPACITY_MOST,
    CHEAP,
    COMMON,
    CORRECTION,
    COUNT,
    COURTESY,
    CUES,
    DEAR,
    DERIVED,
    FREE,
    GENRE_WORDS,
    GREETING,
    IDLE,
    LARGE,
    NEGATION,
    NOT_NEGATION,
    ORDER_CUES,
    ORDINAL,
    PAST,
    PRICE_LEAST,
    PRICE_MOST,
    REAL_WORDS,
    REFERENCE_CUE,
    SMALL,
    STOP_WORDS,
    TARGETS,
    THE_VENUE,
    TYPE_WORDS,
    UNSUPPORTED,
    WELL_LIKED,
)
from chalicelib.concerts.lexicon import Lexicon, compact
from chalicelib.concerts.periods import MONTHS, NUMBER_WORDS, SHORT, WEEKDAYS
from chalicelib.concerts.words import Speller, Word, placed, slips

LETTERS = 3
"""Of the shortest words that are looked up."""
LONG_ENOUGH = 3
ENDINGS = ("s", "es", "ed", "d", "ing", "er", "ly")

_PATTERNS = [pattern for _, pattern in CUES] + [pattern for pattern, _ in UNSUPPORTED]
_PATTERNS += [pattern for pattern, _, _ in ORDER_CUES]
_PATTERNS += [NEGATION, NOT_NEGATION, PAST, REFERENCE_CUE, PRICE_MOST, PRICE_LEAST, COUNT, ORDINAL, CHEAP, FREE, DEAR]
_PATTERNS += [SMALL, LARGE, CAPACITY_BETWEEN, CAPACITY_LEAST, CAPACITY_MOST, THE_VENUE, WELL_LIKED, COURTESY, GREETING]
OURS = (
    frozenset(word for pattern in _PATTERNS for word in re.findall("[a-z]{3,}", pattern.pattern))
    | {*MONTHS, *SHORT, *WEEKDAYS, *NUMBER_WORDS, *TARGETS}
    | IDLE
    | COMMON
    | STOP_WORDS
    | TYPE_WORDS
)
KNOWN = OURS | REAL_WORDS | GENRE_WORDS


def _begun_in(pattern: re.Pattern[str]) -> list[str]:
    return re.findall(r"([a-z]{3,})\\[wS][*+]", pattern.pattern)


BEGINNINGS = tuple({word for pattern in _PATTERNS for word in _begun_in(pattern)})
"""Beginnings of words whose endings the patterns leave open, such as "recommend"."""
MOST_CORRECTIONS = 5
WITHDRAWN = 25
"""Words before a correction among which the corrected one is."""


@lru_cache(maxsize=4096)
def is_ours(word: str) -> bool:
    """Whether a pattern that finds `word` may mean it; any other word stands where a pattern leaves a word open."""
    return not word.isalpha() or len(word) < LETTERS or _is_one_of(word, OURS, BEGINNINGS)


def names(pattern: re.Pattern[str], word: str) -> bool:
    """Whether a pattern itself has `word`."""
    return _is_one_of(word, *_words_in(pattern))


@lru_cache(maxsize=256)
def _words_in(pattern: re.Pattern[str]) -> tuple[frozenset[str], tuple[str, ...]]:
    """A pattern's words, and the beginnings of those whose endings it leaves open."""
    return frozenset(re.findall("[a-z]+", pattern.pattern)), tuple(_begun_in(pattern))


def _is_one_of(word: str, words: frozenset[str], beginnings: tuple[str, ...]) -> bool:
    return not words.isdisjoint(_stems(word)) or word.startswith(beginnings)


def _stems(word: str) -> tuple[str, ...]:
    """A word as it is and bent."""
    return (word, f"{word}s", *(word.removesuffix(ending) for ending in ENDINGS))


@lru_cache(maxsize=2)
def _named_words(lexicon: Lexicon) -> frozenset[str]:
    return frozenset(word for words in lexicon.spans for word in words)


@lru_cache(maxsize=2)
def _speller(lexicon: Lexicon) -> Speller:
    return Speller(_named_words(lexicon) | TARGETS | MONTHS.keys() | WEEKDAYS.keys())


@lru_cache(maxsize=2)
def _second_words(lexicon: Lexicon) -> dict[str, frozenset[str]]:
    """The second words of names of two, by the first."""
    found: dict[str, set[str]] = {}
    for words in lexicon.spans:
        if len(words) == 2:
            found.setdefault(words[0], set()).add(words[1])
    return {first: frozenset(seconds) for first, seconds in found.items()}


def _completing(lexicon: Lexicon, before: str, word: str) -> list[str]:
    """What a misspelled word was to be after the first word of a name: "san diago"; none where that is not clear."""
    seconds = [one for one in _second_words(lexicon).get(before, ()) if len(one) > LONG_ENOUGH]
    near = [one for one in seconds if slips(word, one) == 1]
    near = near or [one for one in seconds if one[0] + one[-1] == word[0] + word[-1] and slips(word, one) == 2]
    return near if len(near) == 1 else []


def _is_known(word: str, lexicon: Lexicon) -> bool:
    """Whether a word is one of ours or of the warehouse, as it is or bent."""
    stems = _stems(word)
    known = any(stem in KNOWN for stem in stems if len(stem) > LETTERS or stem == word)
    return known or not _named_words(lexicon).isdisjoint(stems[:4])


def respelled(words: Sequence[Word], lexicon: Lexicon) -> tuple[list[Word], list[str]]:
    """The words with typos mended, and genres that people make adjectives of; and a sentence for each that was."""
    found: list[tuple[str, str]] = []
    said: list[str] = []
    for word in words:
        plain = word.plain
        if plain.isalpha() and not _is_known(plain, lexicon):
            stem = DERIVED.sub("", plain)
            meant = compact(lexicon.genres.get(stem, "")) or _speller(lexicon)(plain)
            if meant == plain and found:
                meant = next(iter(_completing(lexicon, found[-1][0], plain)), plain)
            if meant != plain:
                said.append(f"I read {word.raw} as {meant.capitalize() if word.raw[:1].isupper() else meant}.")
                plain = meant
        found.append((plain, word.raw))
    return list(placed(found)), said


def withdrawn(words: Sequence[Word], lexicon: Lexicon) -> tuple[list[Word], list[str]]:
    """The words with what a later word corrects replaced by that; and a sentence for each that was."""
    found = list(words)
    said: list[str] = []
    for _ in range(MOST_CORRECTIONS):
        flat = " ".join(word.plain for word in found)
        changed = None
        for match in CORRECTION.finditer(flat):
            first, after = (flat.count(" ", 0, place) for place in match.span())
            kind, size = _value(found, after, lexicon)
            before = range(first - 1, max(-1, first - 1 - WITHDRAWN), -1)
            earlier = next(
                ((at, length) for at in before for of, length in [_value(found, at, lexicon)] if of == kind), None
            )
            if kind and earlier and earlier[0] + earlier[1] <= first:
                changed = (earlier[0], earlier[0] + earlier[1], first, after, after + size)
                break
        if changed is None:
            break
        start, end, first, after, last = changed
        meant = found[after:last]
        old, new = (" ".join(word.raw for word in some) for some in (found[start:end], meant))
        said.append(f"I took {new}, not {old}.")
        found = found[:start] + meant + found[end:first] + found[last:]
    return list(placed((word.plain, word.raw) for word in found)), said


def _value(words: Sequence[Word], place: int, lexicon: Lexicon) -> tuple[str, int]:
    """The kind of what begins at a word, and its number of words: what a correction replaces; or "" and 0."""
    if place >= len(words):
        return "", 0
    for size in range(min(lexicon.longest, len(words) - place), 0, -1):
        if named := lexicon.spans.get(tuple(word.plain for word in words[place : place + size])):
            return named[0].kind, size
    plain = words[place].plain
    if plain.isdigit() or (plain in NUMBER_WORDS and plain not in {"a", "an"}):
        return "number", 1
    if plain in WEEKDAYS or plain in {"today", "tonight", "tomorrow"}:
        return "day", 1
    return ("month", 1) if plain in MONTHS else ("", 0)

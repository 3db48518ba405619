"""The words of a message, and which of them a part of the question has used."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date
from operator import attrgetter
from typing import NamedTuple

from chalicelib.concerts.cues import (
    AHEAD,
    ANSWERED,
    CHEAP,
    COMMON,
    CONTEXT,
    CUES,
    IDLE,
    LARGE,
    NEGATION,
    NOT_NEGATION,
    PAST,
    REFERENCE_CUE,
    SALES,
    SIZE,
    SMALL,
    SOLD,
    THE_VENUE,
    UNKNOWN_ARTIST,
    UNKNOWN_TICKETS,
    UNKNOWN_VENUE,
    WELL_LIKED,
)
from chalicelib.concerts.lexicon import Lexicon, Named, key
from chalicelib.concerts.mending import is_ours, names, respelled, withdrawn
from chalicelib.concerts.models import Intent
from chalicelib.concerts.periods import CLAUSE, DayPeriod, clause_before, periods_in
from chalicelib.concerts.values import Vocabulary
from chalicelib.concerts.words import PUNCTUATION, words_of

OF_SUBJECTS = {pattern for name, pattern in CUES if name in {"analysis", "forecast"}}
"""Patterns in which a name may stand: "what did Blue Note earn"."""
MOST_NAMED = 30
"""Phrases that one answer names as not used; the others are counted."""
WIDE_WORDS = frozenset(("area", "coast", "side", "state", "states", "region", "street", "park", "club", "city", "town"))
UNSURE = 0.5
"""The confidence in a topic that only a word such as "best" is about."""
SURE = 0.8
"""The confidence from which a question without a topic, such as one for help, keeps its intent."""
LONE_NAME = 4
"""Words of a message that is no more than a name."""
SENTENCE = 5
"""Words of a message that says more than days and a name."""


class Span(NamedTuple):
    """Words that name something."""

    first: int
    after: int
    named: Named
    others: tuple[Named, ...]
    negated: bool


class Message:
    """One message in the reading: its words, and which of them a part of the question has used."""

    def __init__(self, message: str, lexicon: Lexicon | None, today: date) -> None:
        self.blind = lexicon is None
        self.lexicon = lexicon or Lexicon(Vocabulary())
        self.today = today
        self.words = words_of(message, self.lexicon.spans)
        self.corrected: list[str] = []
        if lexicon is not None:
            self.words, self.corrected = respelled(self.words, lexicon)
            self.words, meant = withdrawn(self.words, lexicon)
            self.corrected += meant
        self.flat = " ".join(word.plain for word in self.words)
        self.used = [False] * len(self.words)
        self.spent = [False] * len(self.words)
        self.periods: dict[bool, list[DayPeriod]] = {}
        self.cue_at: list[tuple[int, int]] = []
        self.unused: list[str] = []
        self.missing_genre = self.missing_place = self.exact_price = False
        self.in_places: set[int] = set()
        self.kinds: dict[int, str] = {}
        self.shout = message.upper() == message
        self.lower = message.lower() == message

    def _cued(self, spans: Sequence[Span]) -> str:
        """The flat text with names replaced by their kind: a name must not count as a word of the question."""
        parts: list[str] = []
        skip = {place: span for span in spans for place in range(span.first, span.after)}
        self.cue_at = []
        at = 0
        for place, word in enumerate(self.words):
            span = skip.get(place)
            if span is not None and place > span.first:
                self.cue_at.append(self.cue_at[-1])
                continue
            parts.append(word.plain if span is None else f"_{span.named.kind}")
            self.cue_at.append((at, at + len(parts[-1])))
            at += len(parts[-1]) + 1
        return " ".join(parts)

    def _spend(self, match: re.Match[str]) -> None:
        """Note that a part of the question has used the words of a match in the cued text, other than its wildcards."""
        place = max(0, bisect_right(self.cue_at, (match.start(), 0)) - 1)
        while place < len(self.cue_at) and self.cue_at[place][0] < match.end():
            word = self.words[place].plain
            if self.cue_at[place][1] > match.start() and is_ours(word):
                may_be_name = self._is_capital(place) or (word not in IDLE and match.re in OF_SUBJECTS)
                self.spent[place] |= not may_be_name or names(match.re, word)
            place += 1

    def _found(self, pattern: re.Pattern[str], cued: str) -> bool:
        """Whether a pattern is in the cued text; its words are spent."""
        matches = list(pattern.finditer(cued))
        for match in matches:
            self._spend(match)
        return bool(matches)

    def _words_of(self, pattern: re.Pattern[str], cued: str) -> list[str]:
        """The words that a pattern matches in the cued text, as they were written; they are spent."""
        found: list[str] = []
        for match in pattern.finditer(cued):
            places = [place for place, (at, end) in enumerate(self.cue_at) if at < match.end() and end > match.start()]
            found.append(" ".join(self.words[place].raw for place in places))
            self._spend(match)
        return found

    def _unspent(self, cued: str, periods: Sequence[DayPeriod]) -> str:
        """The cued text with a mark in the place of words that a period or another part has used."""
        taken = {place for period in periods for place in self._places_in(period.start, period.end)}
        if not taken and not any(self.spent):
            return cued
        text = list(cued)
        for place, (start, end) in enumerate(self.cue_at):
            if place in taken or self.spent[place]:
                text[start:end] = "\0" * (end - start)
        return "".join(text)

    def _spend_cues(self, cued: str, topic: str, *, past: bool) -> None:
        """Spend the words that the topic answers, and those that only say how the others are meant."""
        answered = ANSWERED.get(topic, frozenset())
        for name, pattern in CUES:
            if name in answered:
                self._found(pattern, cued)
        if past:
            self._found(PAST, cued)
        for pattern in (NEGATION, NOT_NEGATION, CONTEXT, REFERENCE_CUE, THE_VENUE, WELL_LIKED):
            self._found(pattern, cued)
        for pattern in (CHEAP, SMALL, LARGE):
            self._found(pattern, cued)
        for pattern in {"forecast": (SOLD, SALES, AHEAD), "totals": (SOLD,), "venue": (SIZE,)}.get(topic, ()):
            self._found(pattern, cued)

    def _without_unknown_names(
        self,
        cued: str,
        spans: Sequence[Span],
        taken: tuple[Intent, str, float],
        *,
        refers: bool,
        asked: bool,
    ) -> tuple[Intent, str, float]:
        """What is asked for, where the name is one that the warehouse does not have; the name is said."""
        _, topic, sure = taken
        left_over = any(self._is_left_over(place) and word.plain.isalpha() for place, word in enumerate(self.words))
        if (
            topic == "venues" and sure <= UNSURE and left_over and not spans and not self.unused
        ):  # "what is your favourite colour"
            return "unknown", "", 0.2
        if not topic and sure >= SURE:
            return taken
        if topic not in {"concerts", "artist", "venue", "price", "when", ""} or any(
            span.named.kind in {"artist", "venue"} for span in spans
        ):
            return taken
        text = list(cued)
        for place, (start, end) in enumerate(self.cue_at):
            if self._is_left_over(place):
                text[start:end] = "~" * (end - start)
        masked = "".join(text)
        for pattern, kind in ((UNKNOWN_VENUE, "venue"), (UNKNOWN_ARTIST, "artist"), (UNKNOWN_TICKETS, "artist")):
            match = pattern.search(masked)
            if match and (pattern is not UNKNOWN_TICKETS or self._is_name(match)):
                start, end = next(span for number in range(1, 9) if (span := match.span(number)) != (-1, -1))
                places = [place for place, (at, _) in enumerate(self.cue_at) if start <= at < end]
                while places[-1] + 1 < len(self.words) and self._goes_on(places[-1] + 1):
                    places.append(places[-1] + 1)
                name = " ".join(self.words[place].raw for place in places)
                for place in places:
                    self.used[place] = True
                self.unused.append(f"I know no {kind} named {name}.")
                if kind == "venue":
                    return "venue_search", "venue", 0.8
                return "artist_lookup", "artist", 0.8
        raws = [word.raw for word in self.words if word.plain not in PUNCTUATION]
        if left_over and 2 <= len(raws) <= LONE_NAME and not self.shout and all(raw[:1].isupper() for raw in raws):
            self.used = [True] * len(self.words)
            self.unused.append(f"I know no artist named {' '.join(raws)}.")
            return "artist_lookup", "artist", 0.5
        if topic == "artist" and not refers and not asked and not self.missing_place:
            return "unknown", "", 0.2
        strange = left_over and len(self.words) >= SENTENCE
        if (
            topic == "concerts"
            and strange
            and not (spans or refers or asked or self.missing_genre or self.missing_place or self._is_ahead())
        ):  # "who won the game last night"
            return "unknown", "", 0.2
        return taken

    def _is_ahead(self) -> bool:
        """Whether the message names days to come."""
        return any(one.since and one.since > self.today for one in self._periods(past=False))

    def _is_name(self, match: re.Match[str]) -> bool:
        """Whether the words of a match's first group are written as a name is, other than at the very beginning."""
        places = [place for place, (at, _) in enumerate(self.cue_at) if match.start(1) <= at < match.end(1)]
        raws = [self.words[place].raw for place in places]
        return not self.shout and all(raw[:1].isupper() for raw in raws) and (places[0] > 0 or len(raws) == 1)

    def _goes_on(self, place: int) -> bool:
        """Whether a word is written as a further one of a name: "Radio City"."""
        return not self.shout and self.words[place].raw[:1].isupper() and not self.used[place]

    def _is_left_over(self, place: int) -> bool:
        """Whether a word asks for something that no part of the question has."""
        word = self.words[place].plain
        return not (self.used[place] or self.spent[place] or word in IDLE or not word[:1].isalnum())

    def _name_leftovers(self) -> None:
        """Name every word that asks for something and that no part has used: nothing is dropped silently."""
        said = " ".join(map(key, self.unused))
        runs: list[list[str]] = []
        ended = -2
        for place, word in enumerate(self.words):
            follows = ended == place - 1
            if self._is_left_over(place) and word.plain not in said.split():
                if not follows:
                    runs.append([self.words[place - 1].raw] if self._begins_name(place - 1) else [])
            elif not (follows and (word.raw[:1].isupper() or word.plain in WIDE_WORDS) and word.plain in IDLE):
                continue
            runs[-1].append(word.raw)
            ended = place
        phrases = list(dict.fromkeys(" ".join(run) for run in runs))
        if phrases:
            more = f" and {len(phrases) - MOST_NAMED} more" if len(phrases) > MOST_NAMED else ""
            self.unused.append(f"I could not use: {', '.join(phrases[:MOST_NAMED])}{more}.")

    def _begins_name(self, place: int) -> bool:
        """Whether an ordinary word begins a name within the text: "Red Rocks"."""
        plain = self.words[place].plain
        return self._is_capital(place) and not self.used[place] and plain in COMMON and plain not in IDLE

    def _is_capital(self, place: int) -> bool:
        """Whether a word within the text is written as names are."""
        return place > 0 and self.words[place].raw[:1].isupper() and not self.shout

    def _periods(self, *, past: bool) -> list[DayPeriod]:
        if past not in self.periods:
            self.periods[past] = periods_in(self.flat, self.today, past=past)
        return self.periods[past]

    def _around(self, first: int, after: int) -> tuple[str, str]:
        start, end = self.words[first].at, self._end(after - 1)
        return self._before(start), self.flat[end : end + CLAUSE]

    def _raw(self, first: int, after: int) -> str:
        text = " ".join(word.raw for word in self.words[first:after])
        return text.replace(" ,", ",")

    def _end(self, place: int) -> int:
        return self.words[place].at + len(self.words[place].plain)

    def _places_in(self, start: int, end: int) -> range:
        first, after = (bisect_left(self.words, at, key=attrgetter("at")) for at in (start, end))
        return range(first, after)

    def _before(self, start: int) -> str:
        """The end of the flat text before a place, as far as patterns look back."""
        return clause_before(self.flat, start)

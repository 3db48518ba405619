"""What a message asks for: its intent, and every part of it that narrows the answer.

No model: names that the warehouse knows, the words around them, and the words of the question decide. What a part
narrows is in the ChatQuestion; what no answer can honour is in its `unused`, a sentence each. Nothing is dropped
silently.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from msgspec import structs

from chalicelib.concerts.cues import (
    ACTS,
    AHEAD,
    ANSWERED,
    ARTIST_AFTER,
    BOUNDARY,
    CAPACITY_BETWEEN,
    CAPACITY_LEAST,
    CAPACITY_MOST,
    CHEAP,
    COMMON,
    CONCERTS_IN,
    CONTEXT,
    COSTS,
    COUNT,
    CUES,
    DEAR,
    DERIVED,
    ELSEWHERE,
    FILLERS,
    FREE,
    GENRE_WORDS,
    GREETING,
    IDLE,
    LARGE,
    LARGE_SEATS,
    LEAST_FIRST,
    MOST_COUNTED,
    NEGATION,
    NOT_NEGATION,
    ORDER_CUES,
    ORDINAL,
    ORDINALS,
    PAST,
    PLACE_BEFORE,
    PRICE_BETWEEN,
    PRICE_LEAST,
    PRICE_MOST,
    REFERENCE_CUE,
    SALES,
    SHORT_CODES,
    SMALL,
    SMALL_SEATS,
    SOLD,
    STOP_WORDS,
    TAKEN,
    TARGETS,
    THE_VENUE,
    TYPE_WORDS,
    UNKNOWN_ARTIST,
    UNKNOWN_TICKETS,
    UNKNOWN_VENUE,
    UNLOVED,
    UNSUPPORTED,
    VENUES_ASKED,
    WELL_LIKED,
)
from chalicelib.concerts.lexicon import COUNTRY_ALIASES, STATE_CODES, Lexicon, Named, compact, key
from chalicelib.concerts.models import Intent
from chalicelib.concerts.periods import MONTHS, NUMBER_WORDS, SHORT, WEEKDAYS, DayPeriod, periods_in
from chalicelib.concerts.values import ChatQuestion, NamedArtist, NamedVenue, Place, Vocabulary
from chalicelib.concerts.words import PUNCTUATION, Speller, Word, words_of

WEEK = timedelta(days=7)
LETTER = 1
MOST_NAMED = 30
"""Phrases that one answer names as not used; the others are counted."""
WIDE_WORDS = frozenset(("area", "coast", "side", "state", "states", "region", "street", "park", "club", "city", "town"))
CLAUSE = 300
"""Characters before a name in which a negation may reach it."""
FOLLOWABLE = frozenset(("concerts", "similar", "price", "artist", "totals", "venues"))
KEPT_TOGETHER = (
    ("genres",), ("not_genres",), ("places",), ("not_places",), ("artists",), ("venues",), ("venue_types",),
    ("since", "until"), ("min_price", "max_price", "by_price"), ("min_capacity", "max_capacity"),
    ("order_by",), ("least_first",),
)  # fmt: skip
"""The parts that a question after another takes over, each whole or not at all."""
WIDE_NAMES = frozenset(key(name) for name in (*STATE_CODES.values(), *COUNTRY_ALIASES.values()))
"""States and countries, whether or not the warehouse has venues there."""
FIRST_OF_PLACES = frozenset(
    ("new", "san", "saint", "st", "north", "south", "west", "east", "big", "old", "salt", "lake")
)
JOINERS = frozenset(("in", "at", "near", "around", "from", "the", "or", "and", "nor", ",", "anything", "anywhere"))


class Span(NamedTuple):
    """Words that name something."""

    first: int
    after: int
    named: Named
    others: tuple[Named, ...]
    negated: bool


def read(message: str, lexicon: Lexicon | None, today: date, earlier: ChatQuestion | None = None) -> ChatQuestion:
    """The question that a message asks; without a lexicon its names stay unread.

    What it leaves open is as in the `earlier` question, where it follows that: "and in Boston?".
    """
    return _Reader(message, lexicon, today).question(earlier)


class _Reader:
    """One message in the reading: its words, and which of them a part of the question has used."""

    def __init__(self, message: str, lexicon: Lexicon | None, today: date) -> None:
        self.blind = lexicon is None
        self.lexicon = lexicon or Lexicon(Vocabulary())
        self.today = today
        self.corrected: list[str] = []
        self.words = self._mended(words_of(message, self.lexicon.spans))
        self.flat = " ".join(word.plain for word in self.words)
        self.used = [False] * len(self.words)
        self.spent = [False] * len(self.words)
        self.periods: dict[bool, list[DayPeriod]] = {}
        self.cue_at: list[tuple[int, int]] = []
        self.unused: list[str] = []
        self.missing_genre = self.missing_place = False
        self.in_places: set[int] = set()
        self.shout = message.upper() == message
        self.lower = message.lower() == message

    def question(self, earlier: ChatQuestion | None) -> ChatQuestion:
        """All of it, in the order in which one part keeps words from the next."""
        concert = next((word.plain for word in self.words if word.plain.startswith("con-")), "")
        self.used = [word.plain == concert for word in self.words]
        holidays = self._periods(past=False)
        spans = self._names([period for period in holidays if not _is_name_like(self.flat, period)])
        cued = self._cued(spans)
        cues = {name for name, pattern in CUES if pattern.search(cued)}
        past = bool(PAST.search(cued)) or bool("analysis" in cues and "forecast" not in cues)
        spans = self._without_false_places(spans)
        if cues == {"greeting", "concert"} and not spans and not GREETING.sub("", cued).strip(" .,!?"):
            cues = {"greeting"}  # "good evening" is none to go out
        prices = self._prices(cued)
        seats = self._seats(cued)
        intent, topic, sure = self._intent(cues, cued, spans, concert, limited=(*prices, *seats) != (None,) * 4)
        follows = topic in {"concerts", ""} and bool(CONTEXT.search(cued)) and not cues - {"concert", "greeting"}
        if follows and earlier and earlier.topic in FOLLOWABLE:
            intent, topic, sure = earlier.intent, earlier.topic, 0.7
        past = past or (earlier is not None and topic == "totals")
        past = past if intent == "data_analysis" or topic == "venues" else past and not cues & {"when"}
        period, periods = self._period(past and topic in {"totals", "venues", "concerts"})
        count = self._count(cued, periods)
        which = self._which(cued, periods)
        order = None
        if topic == "venues":
            order = next(((order, least) for pattern, order, least in ORDER_CUES if self._found(pattern, cued)), None)
        self._unsupported(cued, topic, spans)
        if not self.blind:
            self._unknown_places(spans, periods)
            self._unknown_words(cued)
        refers = bool(which) or bool(REFERENCE_CUE.search(_without_names(cued))) or topic == "similar"
        over = period is not None and period.until is not None and period.until <= self.today
        self._spend_cues(cued, topic, past=topic in {"totals", "venues"} or over)
        if not self.blind:
            intent, topic, sure = self._without_unknown_names(
                cued, spans, (intent, topic, sure), refers=refers, asked=bool(cues - {"artist", "greeting"})
            )
        artists = [span for span in spans if span.named.kind == "artist" and not span.negated]
        venues = [span for span in spans if span.named.kind == "venue" and not span.negated]
        genres, not_genres = self._genres(spans)
        places, not_places = self._places(spans)
        kinds = tuple(
            dict.fromkeys(str(span.named.what) for span in spans if span.named.kind == "type" and not span.negated)
        )
        not_kinds = [str(span.named.what) for span in spans if span.named.kind == "type" and span.negated]
        self.unused += [f"I cannot leave out venues by their type: {kind}." for kind in dict.fromkeys(not_kinds)]
        self.unused += [
            f"I cannot leave out one venue: {span.named.what.name}."  # type: ignore[attr-defined]
            for span in spans
            if span.named.kind == "venue" and span.negated
        ]
        if topic or intent == "unknown":
            self._name_leftovers()
        question = ChatQuestion(
            intent=intent,
            topic=topic,
            confidence=sure,
            concert_id=concert,
            genres=genres,
            not_genres=not_genres,
            places=places,
            not_places=not_places,
            artists=tuple(_artist_of(span) for span in artists),
            not_artists=tuple(_artist_of(span) for span in spans if span.named.kind == "artist" and span.negated),
            venues=tuple(one for span in venues for one in _venues_of(span, places)),
            venue_types=kinds,
            since=period.since if period else None,
            until=period.until if period else None,
            min_price=prices[0],
            max_price=prices[1],
            by_price=bool(CHEAP.search(cued)) and prices == (None, None),
            min_capacity=seats[0],
            max_capacity=seats[1],
            count=count,
            which=which,
            refers=refers,
            the_venue=bool(THE_VENUE.search(cued)),
            order_by=order[0] if order else "popularity",
            least_first=order is not None and (order[1] or self._found(LEAST_FIRST, cued)),
            follows=follows,
            past=past,
            nothing=(self.missing_genre and not genres) or (self.missing_place and not places),
            corrected=tuple(self.corrected),
            unused=tuple(dict.fromkeys(self.unused)),
        )
        return _following(question, earlier) if follows and earlier and earlier.topic in FOLLOWABLE else question

    # -- names

    def _names(self, taken: Sequence[DayPeriod]) -> list[Span]:
        """What the words name, the longest first at each place, with what is meant and what else it could be."""
        found: list[Span] = []
        blocked = {place for period in taken for place in self._places_in(period.start, period.end)}
        for second, (one, other) in enumerate(pairwise(self.words), 1):  # as in "k-pop", which is no pop
            joint = one.plain + other.plain
            if len(one.plain) <= LETTER and joint in GENRE_WORDS and joint not in self.lexicon.genres:
                blocked |= {second - 1, second}
        place = 0
        while place < len(self.words):
            span = None
            if place not in blocked and self.words[place].plain not in PUNCTUATION:
                for size in range(min(self.lexicon.longest, len(self.words) - place), 0, -1):
                    key = tuple(word.plain for word in self.words[place : place + size])
                    if key in self.lexicon.spans and (span := self._span(place, place + size, self.lexicon.spans[key])):
                        break
            if span is None:
                place += 1
                continue
            found.append(span)
            for used in range(span.first, span.after):
                self.used[used] = True
            if span.named.kind == "place":
                self.in_places |= set(range(span.first, span.after))
            place = span.after
        return self._with_states(found)

    def _span(self, first: int, after: int, named: Sequence[Named]) -> Span | None:
        """What a name stands for here, by its spelling and the words around it; None where it is only a word."""
        before, behind = self._around(first, after)
        words = self.words[first:after]
        capitals = all(word.raw[:1].isupper() for word in words) and not self.shout
        mid = first > 0 and self.words[first - 1].plain not in PUNCTUATION
        common = all(word.plain in COMMON or word.plain.isdigit() for word in words)
        fitting: list[Named] = []
        for one in named:
            if one.kind == "artist" and common:
                sure = (capitals and (mid or ARTIST_AFTER.search(behind))) or re.search(
                    r"\b(?:artist|band|singer|by|group|act) (?:the )?$", before
                )
                if not sure or (len(words) == 1 and self._is_time(first)):
                    continue
            if one.kind == "place" and not self._is_place(first, after, before):
                continue
            fitting.append(one)
        if not fitting:
            return None
        meant = fitting[0]
        kinds = {one.kind for one in fitting}
        if kinds > {"artist"}:
            acts = self._is_act(first, after, kinds)
            meant = next(one for one in fitting if (one.kind == "artist") == acts)
        elif "place" in kinds and "genre" not in kinds:
            meant = next(one for one in fitting if one.kind == "place")
        return Span(first, after, meant, tuple(one for one in fitting if one is not meant), self._negated(first, after))

    def _is_act(self, first: int, after: int, kinds: set[str]) -> bool:
        """Whether a name that is a place or a genre, too, is the artist's: by the words around it."""
        before, behind = self._around(first, after)
        if re.search(r"\b(?:artist|band|singer|by|see|hear|watch|group|act) (?:the )?$", before):
            return True
        if "place" in kinds and PLACE_BEFORE.search(before):
            return False
        asked = re.search(r"\b(?:is|does|will|are|when|has|for|did) (?:the )?$", before)
        owned = behind.startswith(" s ") and self.words[first].raw[:1].isupper()
        return bool((ARTIST_AFTER.search(behind) and asked) or owned)

    def _is_place(self, first: int, after: int, before: str) -> bool:
        """Short codes are places in capitals, after a comma, or after "in"; others always are."""
        if after - first > 1:
            return True
        word = self.words[first]
        if len(word.plain) > 3:
            return True
        capital = word.raw.isupper() and len(word.raw) > 1 and not self.shout
        follows = self.words[after].plain if after < len(self.words) else ","
        after_city = (
            first > 1
            and self.words[first - 1].plain == ","
            and self.used[first - 2]
            and (capital or word.plain not in SHORT_CODES or follows in PUNCTUATION)
        )
        adjacent = first > 0 and self.used[first - 1] and (capital or word.plain not in SHORT_CODES | IDLE)
        if capital:
            return True
        if word.plain in SHORT_CODES and not (after_city or adjacent):
            return word.plain == "la" and bool(re.search(r"\bin $", before))
        return after_city or adjacent or bool(PLACE_BEFORE.search(before)) or word.plain not in IDLE

    def _is_time(self, place: int) -> bool:
        around = self.flat[max(0, self.words[place].at - 12) : self.words[place].at + 16]
        return bool(re.search(r"\b(?:christmas|years?|this|in|on|last|next|of) \w+|\b\d", around)) and not re.search(
            r"\b(?:see|by|band|artist|singer|is|does|about) " + re.escape(self.words[place].plain), around
        )

    def _with_states(self, spans: list[Span]) -> list[Span]:
        """A city with its state or country after it is one place: Portland, OR; Austin, Texas; Paris in France."""
        found: list[Span] = []
        for span in spans:
            last = found[-1] if found else None
            between = self.flat[self._end(last.after - 1) : self.words[span.first].at].strip() if last else "-"
            if (
                last
                and between in {"", ",", "in"}
                and last.named.kind == span.named.kind == "place"
                and isinstance(last.named.what, Place)
                and isinstance(span.named.what, Place)
            ):
                cities = [one for one in (last.named, *last.others) if isinstance(one.what, Place) and one.what.city]
                wides = [one for one in (span.named, *span.others) if isinstance(one.what, Place) and not one.what.city]
                wides += [Named("place", one) for one in self.lexicon.parts(self.words[span.first].raw) if not one.city]
                if not cities or all(isinstance(one.what, Place) and not one.what.city for one in (last.named,)):
                    turned = [
                        one
                        for one in (span.named, *span.others)
                        if isinstance(one.what, Place) and one.what.city and one.what.within(last.named.what)
                    ]
                    if turned and between == ",":  # "Georgia, Atlanta"
                        found[-1] = Span(last.first, span.after, turned[0], (), last.negated)
                        continue
                inside = [
                    city
                    for city in cities
                    if any(isinstance(w.what, Place) and city.what.within(w.what) for w in wides)  # type: ignore[attr-defined]
                ]
                if inside:
                    found[-1] = Span(last.first, span.after, inside[0], (), last.negated)
                    continue
                if between != "in" and cities and wides:  # such as Austin, Ohio: there is none
                    text = f"{last.named.what.name}, {span.named.what.name}"
                    self.unused.append(f"No venue is in {text}.")
                    self.missing_place = True
                    found.pop()
                    continue
            found.append(span)
        return found

    def _without_false_places(self, spans: list[Span]) -> list[Span]:
        """Without places whose address is another's: "Austin, Ohio", "Springfield, Illinois"; each is said."""
        kept = []
        for span in spans:
            if span.named.kind == "place" and not self.blind:
                before = self.words[: span.first]
                if (
                    len(before) > 1
                    and before[-1].plain == ","
                    and not self.used[span.first - 2]
                    and before[-2].raw[:1].isupper()
                    and re.search(
                        r"\b(?:in|near|around|at) (?:\w+ ){0,2}\w+ , $", self.flat[: self.words[span.first].at]
                    )
                ):
                    continue
                after = self.words[span.after : span.after + 4]
                tails = [" ".join(word.plain for word in after[1 : 1 + size]) for size in (1, 2, 3)]
                state = next((tail for tail in tails if tail in WIDE_NAMES), None)
                if len(after) > 1 and after[0].plain == "," and state and not self.used[span.after + 1]:
                    named = " ".join(word.raw for word in after[1 : 1 + len(state.split())])
                    self.unused.append(
                        f"No venue is in {' '.join(w.raw for w in self.words[span.first : span.after])}, {named}."
                    )
                    self.missing_place = True
                    for place in range(span.after + 1, span.after + 1 + len(state.split())):
                        self.used[place] = True
                    continue
            kept.append(span)
        return kept

    def _negated(self, first: int, after: int) -> bool:
        """Whether a negation before a name reaches it: until a boundary, over commas and "or"."""
        before = self.flat[max(0, self.words[first].at - CLAUSE) : self.words[first].at]
        before = NOT_NEGATION.sub(lambda match: " " * len(match[0]), before)
        inside = [match.span() for match in NEGATION.finditer(before)]
        ends = [
            match.end()
            for match in BOUNDARY.finditer(before)
            if not any(start <= match.start() and match.end() <= end for start, end in inside)
        ]
        clause = before[ends[-1] if ends else 0 :]
        cues = list(NEGATION.finditer(clause))
        if re.search(r"\b(?:rather|prefer|sooner) .*\bthan (?:the )?$", before):
            return True
        if UNLOVED.match(self.flat[self._end(after - 1) :]):
            return True
        if not cues:
            return False
        reach = clause[cues[-1].end() :]
        if re.search(
            r"\b(?:in|at|near|around|from) (?:the )?$", reach
        ):  # "no rock in Texas" is not "no rock, not in Texas"
            start = self.words[first].at - len(reach)
            return all(
                place in self.in_places or self.words[place].plain in JOINERS
                for place in self._places_in(start, self.words[first].at)
            )
        if re.search(r"\b(?:i like|i love|want|prefer|give me|show me|recommend|in the|looking)\b", reach):
            return False
        if cues[-1][0] in {"no", "not", "non", "less", "without", "never"}:
            return len(reach.split()) <= 5 or bool(
                re.match(r"^(?: [\w-]+){1,3}(?: (?:or|nor|and|,) [\w-]+)+ ?$", reach)
            )
        return True

    def _genres(self, spans: Sequence[Span]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        liked: dict[str, None] = {}
        disliked: dict[str, None] = {}
        for span in spans:
            if span.named.kind == "genre":
                parts = self.lexicon.genre(str(span.named.what))
                (disliked if span.negated else liked).update(dict.fromkeys(parts))
        for both in [genre for genre in liked if genre in disliked]:
            self.unused.append(f"You asked for {both} and for none of it: I left it out.")
            del liked[both]
        return tuple(liked), tuple(disliked)

    def _places(self, spans: Sequence[Span]) -> tuple[tuple[Place, ...], tuple[Place, ...]]:
        there: dict[Place, None] = {}
        elsewhere: dict[Place, None] = {}
        for span in spans:
            if span.named.kind == "place":
                several = [one.what for one in (span.named, *span.others) if isinstance(one.what, Place)]
                (elsewhere if span.negated else there).update(dict.fromkeys(several))
        for both in [place for place in there if place in elsewhere]:
            self.unused.append(f"You asked for {both.name} and not for it: I left it out.")
            del there[both]
        return tuple(there), tuple(elsewhere)

    # -- what the words around names ask for

    def _cued(self, spans: Sequence[Span]) -> str:
        """The flat text with names replaced by their kind, so that no name is taken for a word of the question."""
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
        """Note that a part of the question has used the words of a match in the cued text."""
        place = max(0, bisect_right(self.cue_at, (match.start(), 0)) - 1)
        while place < len(self.cue_at) and self.cue_at[place][0] < match.end():
            if self.cue_at[place][1] > match.start():
                self.spent[place] = True
            place += 1

    def _found(self, pattern: re.Pattern[str], cued: str) -> bool:
        """Whether a pattern is in the cued text; its words are spent."""
        matches = list(pattern.finditer(cued))
        for match in matches:
            self._spend(match)
        return bool(matches)

    def _unspent(self, cued: str, periods: Sequence[DayPeriod]) -> str:
        """The cued text with a mark in the place of words that a period or another part has used."""
        taken = {place for period in periods for place in self._places_in(period.start, period.end)}
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
        if topic == "forecast":
            self._found(SOLD, cued)

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
        _, topic, _ = taken
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
                name = " ".join(self.words[place].raw for place in places)
                for place in places:
                    self.used[place] = True
                self.unused.append(f"I know no {kind} named {name}.")
                if kind == "venue":
                    return "venue_search", "venue", 0.8
                return "artist_lookup", "artist", 0.8
        if topic == "artist" and not refers and not asked:
            return "unknown", "", 0.2
        return taken

    def _is_name(self, match: re.Match[str]) -> bool:
        """Whether the words of a match's first group are written as a name is, other than at the very beginning."""
        places = [place for place, (at, _) in enumerate(self.cue_at) if match.start(1) <= at < match.end(1)]
        raws = [self.words[place].raw for place in places]
        return not self.shout and all(raw[:1].isupper() for raw in raws) and (places[0] > 0 or len(raws) == 1)

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
                    runs.append([])
            elif not (follows and (word.raw[:1].isupper() or word.plain in WIDE_WORDS) and word.plain in IDLE):
                continue
            runs[-1].append(word.raw)
            ended = place
        phrases = list(dict.fromkeys(" ".join(run) for run in runs))
        if phrases:
            more = f" and {len(phrases) - MOST_NAMED} more" if len(phrases) > MOST_NAMED else ""
            self.unused.append(f"I could not use: {', '.join(phrases[:MOST_NAMED])}{more}.")

    def _mended(self, words: list[Word]) -> list[Word]:
        """The words with typos mended, and genres that people make adjectives of; what was mended is said."""
        found: list[Word] = []
        at = 0
        for word in words:
            plain = word.plain
            if not self.blind and plain.isalpha() and not _is_known(plain, self.lexicon):
                stem = DERIVED.sub("", plain)
                meant = compact(self.lexicon.genres.get(stem, "")) or _speller(self.lexicon)(plain)
                if meant != plain:
                    meant_as = meant.capitalize() if word.raw[:1].isupper() else meant
                    self.corrected.append(f"I read {word.raw} as {meant_as}.")
                    plain = meant
            found.append(Word(plain, word.raw, at))
            at += len(plain) + 1
        return found

    def _intent(
        self, cues: set[str], cued: str, spans: Sequence[Span], concert: str, *, limited: bool
    ) -> tuple[Intent, str, float]:
        """The intent, what is to be done about it, and how sure that is."""
        kinds = {span.named.kind for span in spans if not (span.negated and span.named.kind == "artist")}
        about = kinds & {"artist", "venue"}
        asks_venues = "venue" in cues and "venue" not in kinds
        of_many = re.search(r"\b(?:which|what) genres?\b", cued) or (
            "venue" in cues and "venue" not in kinds and re.search(r"\b(?:which|what|top|best)\b", cued)
        )
        told = bool(SALES.search(cued)) and not COSTS.search(cued) and "genre" not in kinds
        ahead = told and bool(AHEAD.search(cued)) and not PAST.search(cued)
        if ahead and (about or concert or ORDINAL.search(cued) or REFERENCE_CUE.search(_without_names(cued))):
            return "ticket_prediction", "forecast", 0.85
        if re.search(r"\bsales\b", cued) and ((about and not PAST.search(cued)) or ORDINAL.search(cued)):
            return "ticket_prediction", "forecast", 0.8
        if "forecast" in cues and not of_many:
            return "ticket_prediction", "forecast", 0.9 if about or concert else 0.75
        if concert and "similar" in cues:
            return "concert_recommendation", "similar", 0.95
        if concert:
            if cues & {"price", "when", "facts"} or "concert" in cues:
                return "concert_recommendation", "concert", 0.9
            return "ticket_prediction", "forecast", 0.85
        if TAKEN.search(cued) and PAST.search(cued) and not COSTS.search(cued) and not asks_venues:
            return "data_analysis", "totals", 0.8
        if "similar" in cues and not cues & {"analysis"}:
            return "concert_recommendation", "similar", 0.9
        if "genres" in cues and "analysis" not in cues and "artist" not in kinds:
            return "general_query", "genres", 0.9
        if "venue" in kinds:
            if re.match(r"^(?:is|was) (?:the )?_venue (?!\w+ing\b)", cued):
                return "venue_search", "venue", 0.85
            if "price" in cues and "facts" not in cues:
                return "concert_recommendation", "concerts", 0.8
            if "analysis" in cues and not cues & {"facts"}:
                return "data_analysis", "totals", 0.8
            if cues & {"facts"} or not (
                cues & {"concert", "when"} or "genre" in kinds or limited or any(self._periods(past=False))
            ):
                return "venue_search", "venue", 0.9
            return "concert_recommendation", "concerts", 0.8
        ranks = re.search(r"\b(?:which|what|popular|best|top|rank\w*|biggest|largest|smallest|least|most|list)\b", cued)
        asks_venue = (
            "venue" in cues
            and not ("genre" in kinds and not ranks)
            and (bool(cues & {"ranking", "ordered", "facts"}) or not cues & {"concert", "price", "analysis"})
        )
        if asks_venue and CONCERTS_IN.search(cued):
            asks_venue = False
        asks_venue = asks_venue or bool(VENUES_ASKED.search(cued))
        if asks_venue and "artist" not in kinds:
            if (
                THE_VENUE.search(cued)
                and cues & {"facts"}
                and not re.search(r"\b(?:most|least|best|top|biggest|largest|smallest)\b", cued)
            ):
                return "venue_search", "venue", 0.85
            return "venue_search", "venues", 0.9 if "ranking" in cues else 0.75
        if cues & {"facts"} and (
            THE_VENUE.search(cued)
            or re.search(r"\b(?:address|capacity|located|amenities|how (?:big|large)|hold|seats)\b", cued)
        ):
            return "venue_search", "venue", 0.8
        if "analysis" in cues:
            return "data_analysis", "totals", 0.85
        if "artist" in kinds:
            if "price" in cues or (CHEAP.search(cued) and "when" not in cues):
                return "concert_recommendation", "price", 0.85
            return "artist_lookup", "artist", 0.9
        if "facts" in cues and "artist" not in cues and ORDINAL.search(cued):
            return "venue_search", "venue", 0.75
        if "price" in cues and (REFERENCE_CUE.search(cued) or ORDINAL.search(cued)):
            return "concert_recommendation", "price", 0.8
        if "when" in cues and not kinds and (REFERENCE_CUE.search(cued) or ORDINAL.search(cued)):
            return "artist_lookup", "artist", 0.75
        if ELSEWHERE.search(cued) and not cues & {"concert", "venue", "when", "price"} and "genre" not in kinds:
            return "unknown", "", 0.2
        if "help" in cues and not kinds & {"genre", "place"} and "help me" not in cued:
            return "general_query", "", 0.9
        if "greeting" in cues and not cues & {"concert", "when", "price"} and not kinds:
            return "general_query", "", 0.9
        if ORDINAL.search(cued) and "artist" in cues and not kinds:
            return "artist_lookup", "artist", 0.75
        if re.search(rf"\b(?:which|what) (?:\S+ )?{ACTS}s?\b|\b(?:top|best|popular|\d) (?:\S+ )?{ACTS}s\b", cued):
            return "artist_lookup", "concerts", 0.8
        named = bool(kinds & {"genre", "place", "type"}) or any(word.plain in GENRE_WORDS for word in self.words)
        if (
            named
            or limited
            or CHEAP.search(cued)
            or any(span.named.kind == "artist" for span in spans)
            or cues & {"concert", "when", "price"}
            or any(self._periods(past=False))
        ):
            sure = 0.5 + 0.15 * (("genre" in kinds) + ("place" in kinds) + ("concert" in cues))
            return "concert_recommendation", "concerts", sure
        if "ranking" in cues and not cues & {"artist"}:
            return "venue_search", "venues", 0.5
        if "artist" in cues or "facts" in cues:
            return "artist_lookup", "artist", 0.5
        if "help" in cues or "greeting" in cues:
            return "general_query", "", 0.8
        return "unknown", "", 0.2

    def _periods(self, *, past: bool) -> list[DayPeriod]:
        if past not in self.periods:
            self.periods[past] = periods_in(self.flat, self.today, past=past)
        return self.periods[past]

    def _period(self, past: bool) -> tuple[DayPeriod | None, list[DayPeriod]]:
        """The days that are meant; of several periods the first, and the others are named."""
        periods = [one for one in self._periods(past=past) if not self._all_used(one)]
        self.unused += [one.problem for one in periods if one.problem]
        fine = [one for one in periods if not one.problem]
        for one in periods:
            for place in self._places_in(one.start, one.end):
                self.used[place] = True
        if not fine:
            return None, periods
        fine = [one for one in fine if not self._left_out(one)]
        if not fine:
            return None, periods
        first = fine[0]
        for one in fine[1:]:
            either = re.fullmatch(r",? ?(?:or|and|versus|,)? ?", self.flat[first.end : one.start])
            if either and first.since and first.until and one.since and one.until:
                if one.until <= first.since and first.since - one.since < timedelta(days=7):  # the weekday after it
                    one = one._replace(since=one.since + WEEK, until=one.until + WEEK)
                if one.since and one.until and first.since <= one.since <= first.until:
                    first = first._replace(end=one.end, until=max(first.until, one.until))
                    continue
            since = max((day for day in (first.since, one.since) if day), default=None)
            until = min((day for day in (first.until, one.until) if day), default=None)
            if since and until and since >= until:
                self.unused.append(f"I took the days {first.words}, and could not use {one.words} as well.")
            else:
                first = first._replace(since=since, until=until)
        return first, periods

    def _left_out(self, period: DayPeriod) -> bool:
        """Whether days are negated, which no answer can honour; it is said."""
        negated = bool(
            re.search(
                r"\b(?:not|except|but|without|excluding|avoid) (?:on |in |for )?(?:the |a |any )?$",
                self.flat[: period.start],
            )
        )
        if negated:
            words = self.flat[period.start : period.end]
            self.unused.append(f"I cannot leave out days: {words} ({period.words}).")
        return negated

    def _all_used(self, period: DayPeriod) -> bool:
        places = list(self._places_in(period.start, period.end))
        return bool(places) and all(self.used[place] for place in places)

    def _prices(self, cued: str) -> tuple[float | None, float | None]:
        days = self._periods(past=False)
        cued = self._unspent(cued, days)
        if found := PRICE_BETWEEN.search(cued):
            self._spend(found)
            low, high = [number for number in map(_number, found.groups()) if number is not None][:2]
            return (low, high) if low <= high else (high, low)
        if self._found(FREE, cued):
            return None, 0.0
        most = self._limit(match for match in PRICE_MOST.finditer(cued) if self._is_price(match, cued))
        least = self._limit(PRICE_LEAST.finditer(self._unspent(cued, days)))  # "no more than 70" has "more than 70"
        if not CHEAP.search(cued) and self._found(DEAR, cued):
            self.unused.append("I cannot choose by a price that has no number.")
        return least, most

    def _limit(self, matches: Iterable[re.Match[str]]) -> float | None:
        """The first number of the matches, whose words are spent."""
        for match in matches:
            for group in match.groups():
                if (number := _number(group)) is not None:
                    self._spend(match)
                    return number
        return None

    def _is_price(self, match: re.Match[str], cued: str) -> bool:
        """A bare number after "under" is a price, unless the words around it count something else."""
        if re.search(r"[$€£]|dollar|buck|usd|euro|eur\b|pound|gbp", match[0]):
            return True
        number = next((_number(group) for group in match.groups() if group), None)
        if re.search(r"\b(?:capacity|seats?|seating|holds?|holding)(?: of| for| is)? $", cued[: match.start()]):
            return False
        return number is not None and not (1900 <= number <= 2100 and "before" in cued)

    def _seats(self, cued: str) -> tuple[int | None, int | None]:
        cued = self._unspent(cued, ())
        if match := CAPACITY_BETWEEN.search(cued):
            self._spend(match)
            low, high = sorted(map(_seats_in, match.groups()))
            return low, high
        found: list[int | None] = []
        for pattern in (CAPACITY_MOST, CAPACITY_LEAST):
            match = pattern.search(self._unspent(cued, ()))
            if match:
                self._spend(match)
            found.append(_seats_in(next(group for group in match.groups() if group)) if match else None)
        most, least = found
        if least is None and most is None:
            if SMALL.search(cued):
                return None, SMALL_SEATS
            if LARGE.search(cued):
                return LARGE_SEATS, None
        return least, most

    def _count(self, cued: str, periods: Sequence[DayPeriod]) -> int | None:
        for match in COUNT.finditer(self._unspent(cued, periods)):
            text = next(group for group in match.groups() if group)
            number = NUMBER_WORDS.get(text) or (int(text) if text.isdigit() else 0)
            if text in {"a", "an", "one"} and not re.search(rf"\b(?:top|only|just|best) (?:the )?{text}\b", match[0]):
                continue
            if number > MOST_COUNTED:
                self.unused.append(f"I list at most {MOST_COUNTED} at once, not {number}.")
            if number:
                self._spend(match)
                return min(number, MOST_COUNTED)
        return None

    def _which(self, cued: str, periods: Sequence[DayPeriod]) -> int:
        if not (match := ORDINAL.search(self._unspent(cued, periods))):
            return 0
        self._spend(match)
        text = next(group for group in match.groups() if group)
        return ORDINALS.get(text) or NUMBER_WORDS.get(text) or int(text)

    def _unsupported(self, cued: str, topic: str, spans: Sequence[Span]) -> None:
        cued = self._unspent(cued, ())
        for pattern, sentence in UNSUPPORTED:
            if (
                self._found(pattern, cued)
                and not (topic == "venue" and "amenities" in sentence)
                and not (topic == "genres" and "genre" in sentence)
            ):
                self.unused.append(sentence)

    def _unknown_places(self, spans: Sequence[Span], periods: Sequence[DayPeriod]) -> None:
        """Names after "in" that are no place, period or anything else that the warehouse knows."""
        timed = {place for period in periods for place in self._places_in(period.start, period.end)}
        self._unknown_states()
        place = 0
        while place < len(self.words):
            word = self.words[place]
            if word.plain in {"in", "near", "around", "at", "to", "from"}:
                first = place + 1
                if first < len(self.words) and self.words[first].plain == "the":
                    first += 1
                after = first
                while after < len(self.words) and self._may_be_place(after, timed, first):
                    after += 1
                while first < after < len(self.words) and self.words[after].plain in WIDE_WORDS:
                    after += 1
                if after > first and not (
                    word.plain in {"at", "to", "around", "from"} and not self.words[first].raw[:1].isupper()
                ):
                    name = " ".join(one.raw for one in self.words[first:after])
                    self.used[first:after] = [True] * (after - first)
                    what = "venue is named" if word.plain == "at" else "venue is in"
                    self.unused.append(f"No {what} {name}.")
                    self.missing_place = True
                    place = after
                    continue
            elif word.plain in {"or", "and", ","} and (
                place - 1 in self.in_places or (self.unused and self.unused[-1].startswith("No venue is in"))
            ):
                after = place + 1
                while (
                    after < len(self.words)
                    and self.words[after].raw[:1].isupper()
                    and self._may_be_place(after, timed, place + 1)
                ):
                    after += 1
                if after > place + 1:
                    self.used[place + 1 : after] = [True] * (after - place - 1)
                    self.unused.append(f"No venue is in {' '.join(one.raw for one in self.words[place + 1 : after])}.")
                    place = after
                    continue
            place += 1

    def _unknown_states(self) -> None:
        """States and countries, wherever they stand, in which there is no venue."""
        for place in range(len(self.words)):
            for size in (3, 2, 1):
                words = self.words[place : place + size]
                name = " ".join(word.plain for word in words)
                free = not any(self.used[place : place + size])
                if len(words) == size and free and name in WIDE_NAMES and (size > 1 or name not in IDLE):
                    self.used[place : place + size] = [True] * size
                    self.unused.append(f"No venue is in {' '.join(word.raw for word in words)}.")
                    self.missing_place = True

    def _unknown_words(self, cued: str) -> None:
        """Genres and types of venues that people name and this warehouse does not have."""
        words = [(word.plain, word.raw) for place, word in enumerate(self.words) if not self.used[place]]
        pairs = [(first + second, f"{raw} {last}") for (first, raw), (second, last) in pairwise(words)]
        for plain_word, raw in (*words, *pairs):
            if plain_word in GENRE_WORDS and plain_word not in self.lexicon.genres:
                self.missing_genre = True
                self.unused.append(f"No artist plays {raw}.")
            elif {
                plain_word.removesuffix("s"),
                plain_word.removesuffix("es"),
            } & TYPE_WORDS and plain_word not in self.lexicon.types:
                self.unused.append(f"No venue is of the type {raw}.")

    def _may_be_place(self, place: int, timed: set[int], first: int) -> bool:
        word = self.words[place]
        if (
            self.used[place]
            or place in timed
            or word.plain in PUNCTUATION
            or not word.plain.isalpha()
            or len(word.plain) < 2
        ):
            return False
        part = word.plain in FIRST_OF_PLACES or (place > first and word.plain in WIDE_WORDS)
        if word.plain in STOP_WORDS and (self.shout or not word.raw[:1].isupper() or not part):
            return False
        if word.raw[:1].isupper() and not self.shout:
            return True
        return (
            (self.lower or self.shout)
            and (place == first or not self.words[first].raw[:1].isupper())
            and place - first < 2
        )

    # -- places in the text

    def _around(self, first: int, after: int) -> tuple[str, str]:
        start, end = self.words[first].at, self._end(after - 1)
        return self.flat[max(0, start - CLAUSE) : start], self.flat[end : end + CLAUSE]

    def _end(self, place: int) -> int:
        return self.words[place].at + len(self.words[place].plain)

    def _places_in(self, start: int, end: int) -> Iterator[int]:
        return (place for place, word in enumerate(self.words) if start <= word.at < end)


def _following(question: ChatQuestion, earlier: ChatQuestion) -> ChatQuestion:
    """The question, with those parts of the earlier one that it says nothing about."""
    kept: dict[str, Any] = {}
    for names in KEPT_TOGETHER:
        if not any(getattr(question, name) for name in names):
            kept |= {name: getattr(earlier, name) for name in names}
    both = structs.replace(question, **kept)
    return structs.replace(
        both,
        genres=tuple(one for one in both.genres if one not in both.not_genres),
        places=tuple(one for one in both.places if one not in both.not_places),
    )


def _is_name_like(flat: str, period: DayPeriod) -> bool:
    """Periods of one ordinary word may be part of a name, such as Sunday Choir; longer ones are days."""
    return " " not in flat[period.start : period.end].strip()


def _without_names(cued: str) -> str:
    """The text without words such as "there is", which refer to nothing."""
    return FILLERS.sub(" ", cued)


def _number(text: str | None) -> float | None:
    try:
        return float(text.replace(",", "")) if text else None
    except ValueError:
        return None


def _seats_in(text: str) -> int:
    thousand = text.endswith("k")
    digits = text.rstrip("k").replace(",", "")
    if "." in digits and not thousand:
        digits = digits.replace(".", "")
    return min(1_000_000, int(float(digits or 0) * (1000 if thousand else 1)))


def _artist_of(span: Span) -> NamedArtist:
    assert isinstance(span.named.what, NamedArtist)
    return span.named.what


def _venues_of(span: Span, places: Sequence[Place]) -> list[NamedVenue]:
    """The venues of a name: those in the places that were named, if any are."""
    several = [one.what for one in (span.named, *span.others) if isinstance(one.what, NamedVenue)]
    there = [one for one in several if any(one.place.within(place) for place in places)]
    return there or several


_PATTERNS = [pattern for _, pattern in CUES] + [pattern for pattern, _ in UNSUPPORTED]
_PATTERNS += [pattern for pattern, _, _ in ORDER_CUES]
_PATTERNS += [NEGATION, NOT_NEGATION, PAST, REFERENCE_CUE, PRICE_MOST, PRICE_LEAST, COUNT, ORDINAL, CHEAP, FREE, DEAR]
_PATTERNS += [SMALL, LARGE, CAPACITY_LEAST, CAPACITY_MOST, THE_VENUE, WELL_LIKED, GREETING]
KNOWN = (
    frozenset(word for pattern in _PATTERNS for word in re.findall("[a-z]{3,}", pattern.pattern))
    | {*MONTHS, *SHORT, *WEEKDAYS, *NUMBER_WORDS, *TARGETS}
    | IDLE
    | COMMON
    | STOP_WORDS
    | GENRE_WORDS
    | TYPE_WORDS
)


@lru_cache(maxsize=2)
def _named_words(lexicon: Lexicon) -> frozenset[str]:
    return frozenset(word for words in lexicon.spans for word in words)


@lru_cache(maxsize=2)
def _speller(lexicon: Lexicon) -> Speller:
    return Speller(_named_words(lexicon) | TARGETS | MONTHS.keys() | WEEKDAYS.keys())


def _is_known(word: str, lexicon: Lexicon) -> bool:
    """Whether a word is one of ours or of the warehouse, as it is or bent."""
    stems = (word, f"{word}s", *(word.removesuffix(ending) for ending in ("s", "es", "ed", "d", "ing", "er", "ly")))
    return any(stem in KNOWN for stem in stems) or not _named_words(lexicon).isdisjoint(stems[:4])

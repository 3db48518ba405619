"""What a message asks for: its intent, and every part of it that narrows the answer.

No model: names that the warehouse knows, the words around them, and the words of the question decide. What a part
narrows is in the ChatQuestion; what no answer can honour is in its `unused`, a sentence each. Nothing is dropped
silently.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from msgspec import structs

from chalicelib.concerts.cues import (
    ASIDE,
    CAPACITY_BETWEEN,
    CAPACITY_LEAST,
    CAPACITY_MOST,
    CHEAP,
    CHEAPEST_FIRST,
    CONTEXT,
    COUNT,
    COURTESY,
    CUES,
    DEAR,
    FREE,
    GENRE_WORDS,
    IDLE,
    LARGE,
    LARGE_SEATS,
    LEAST_FIRST,
    MOST_COUNTED,
    OF_LISTED,
    OF_US,
    ORDER_CUES,
    ORDINAL,
    ORDINALS,
    OTHER_END,
    PAST,
    PRICE_AROUND,
    PRICE_AT,
    PRICE_BETWEEN,
    PRICE_EACH,
    PRICE_LEAST,
    PRICE_MOST,
    REFERENCE_CUE,
    SHARED,
    SHARERS,
    SINGLE,
    SMALL,
    SMALL_SEATS,
    STOP_WORDS,
    THE_VENUE,
    TOOK_PLACE,
    TYPE_WORDS,
    UNSUPPORTED,
)
from chalicelib.concerts.intents import intent_of, without_fillers
from chalicelib.concerts.lexicon import STATE_CODES, Lexicon
from chalicelib.concerts.message import WIDE_WORDS, Span
from chalicelib.concerts.models import OrderBy
from chalicelib.concerts.naming import WIDE_NAMES, NamedMessage
from chalicelib.concerts.periods import (
    AFTERWARDS,
    BESIDE,
    DAY,
    LEAVING,
    NUMBER_WORDS,
    DayPeriod,
    beside_days,
    clause_before,
)
from chalicelib.concerts.values import ChatQuestion, NamedArtist, NamedVenue, Place
from chalicelib.concerts.words import PUNCTUATION

WEEK = timedelta(days=7)
LONGEST_STAY = timedelta(days=28)
FOLLOWABLE = frozenset(("concerts", "similar", "price", "artist", "totals", "venues"))
KEPT_TOGETHER = (
    ("genres",), ("not_genres",), ("places",), ("not_places",), ("artists",), ("venues",), ("venue_types",),
    ("since", "until"), ("min_price", "max_price", "by_price"), ("min_capacity", "max_capacity"),
    ("order_by",), ("least_first",),
)  # fmt: skip
"""The parts that a question after another takes over, each whole or not at all."""
FIGURE = re.compile(r"\d")
"""Limits have one, and looking for them takes much longer than looking for it."""
FEW = 10
"""A bare number below it, as in "max 5", is a limit of suggestions, not of a price."""
UNDER = re.compile("under|below|less|cheaper|lower|price|cost|budget|spend|pay|afford")
TOLD = re.compile(
    r"\b(?:i|we|he|she|they|(?:my|our) (?:\w+ )?\w+)(?: (?:just|last|only|also|once|first))? "
    r"(?:saw|missed|moved|met|visited|lived|married|loved|enjoyed|heard|(?:went|been) to|(?:was|were) (?:at|in))"
    r"\b(?:(?!\b(?:and|but|so|when|what|where|want|like)\b)[^.;:!?])*$|\bdue (?:on |by |in )?$"
)
"""Before days of which people tell: "we saw them last year, when do they come here?"."""
NOT_AT_FIRST = re.compile(r"from$|\b(?:not|nothing|cant|cannot|wont|dont|never)\b.*after$")
PLANNED = re.compile(r"\b(?:scheduled|planned|announced|upcoming)\b")
NUMBER_ONE = re.compile(r"\b(?:number|no|#) ?(?:one|1)\b")
FIRST_OF_PLACES = frozenset(
    ("new", "san", "saint", "st", "north", "south", "west", "east", "big", "old", "salt", "lake")
)


def read(message: str, lexicon: Lexicon | None, today: date, earlier: ChatQuestion | None = None) -> ChatQuestion:
    """The question in a message; without a lexicon, names are not recognised.

    A follow-up such as "and in Boston?" takes its missing parts from the `earlier` question.
    """
    return _Reader(message, lexicon, today).question(earlier)


class _Reader(NamedMessage):
    """A message whose question is read."""

    def question(self, earlier: ChatQuestion | None) -> ChatQuestion:
        """Read all parts, in an order in which each part takes its words before the next looks for its own."""
        if COURTESY.fullmatch(self.flat) and tuple(word.plain for word in self.words) not in self.lexicon.spans:
            return ChatQuestion(intent="general_query", confidence=0.9)
        concert = next((word.plain for word in self.words if word.plain.startswith("con-")), "")
        self.used = [word.plain == concert for word in self.words]
        holidays = self._periods(past=False)
        spans = self._names([period for period in holidays if not self._is_name_like(period)])
        cued = self._cued(spans)
        cues = {name for name, pattern in CUES if pattern.search(cued)}
        took_place = bool(TOOK_PLACE.search(ASIDE.sub(" ", cued)))
        past = bool(PAST.search(ASIDE.sub(" ", cued))) or bool("analysis" in cues and "forecast" not in cues)
        spans = self._without_habits(self._without_origins(self._without_false_places(spans)))
        seats = self._seats(cued)
        prices = self._prices(cued)
        limited = (*prices, *seats) != (None,) * 4
        intent, topic, sure = intent_of(
            cues,
            cued,
            spans,
            concert,
            limited=limited,
            dated=bool(holidays),
            seated=seats != (None, None),
            over=bool(holidays) and all(each.until is not None and each.until <= self.today for each in holidays),
            genre_like=any(word.plain in GENRE_WORDS for word in self.words),
        )
        if topic == "forecast" and self.exact_price:
            prices = (prices[1], prices[1])
        loose = topic in {"concerts", ""} or (topic == "venues" and "venue" not in cues)
        follows = loose and bool(CONTEXT.search(cued)) and not cues - {"concert", "greeting", "ranking"}
        if follows and earlier and earlier.topic in FOLLOWABLE:
            intent, topic, sure = earlier.intent, earlier.topic, 0.7
        past = (past or topic == "totals") and not PLANNED.search(cued)
        past = past if intent == "data_analysis" or topic == "venues" else past and not cues & {"when"}
        beside = BESIDE.search(self.flat)
        if beside:
            for place in self._places_in(*beside.span()):
                self.used[place] = True
        back = took_place if topic in {"concerts", "artist"} else self._are_past(topic, spans, past=past)
        period, periods = self._period(back)
        if period and len(periods) == 1:
            period = self._afterwards(period)
        near: DayPeriod | ChatQuestion | None = period or (earlier if follows else None)
        if beside and near and near.since and near.until:
            since, until = beside_days(beside[1], near.since, near.until, later=beside[2] == "after")
            both = period and re.search(r"\b(?:or|and) $", self._before(beside.start()))
            period = DayPeriod(
                0, 0, min(since, near.since) if both else since, max(until, near.until) if both else until
            )
        elif beside:
            self.unused.append(f"I could not use: {beside[0].strip()}.")
        count = self._count(cued, periods)
        which = self._which(cued, periods)
        if which == 1 and topic == "venues" and NUMBER_ONE.search(cued):
            which, count = 0, count or 1  # "who is number one among the arenas"
        order = None
        if topic == "venues":
            order = self._order(cued)
        if topic in {"totals", "concerts"}:
            self._unordered(cued)
        self._unsupported(cued, topic, spans)
        if not self.blind:
            self._unknown_places(spans, periods)
            self._unknown_words(cued)
        refers = bool(which) or bool(REFERENCE_CUE.search(without_fillers(cued))) or topic == "similar"
        over = period is not None and period.until is not None and period.until <= self.today
        self._spend_cues(cued, topic, past=topic in {"totals", "venues"} or over)
        if not self.blind:
            intent, topic, sure = self._without_unknown_names(
                cued, spans, (intent, topic, sure), refers=refers, asked=limited or bool(cues - {"artist", "greeting"})
            )
        artists = [span for span in spans if span.named.kind == "artist" and not span.negated]
        venues = [span for span in spans if span.named.kind == "venue" and not span.negated]
        self._unpaired(spans)
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
        if topic or not cues & {"greeting", "help"}:
            self._name_leftovers()
        if intent == "unknown" or (intent == "general_query" and not topic):
            period = None
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
            by_price=self._is_by_price(cued, prices) and not which,
            min_capacity=seats[0],
            max_capacity=seats[1],
            count=count,
            which=which,
            refers=refers,
            the_venue=bool(THE_VENUE.search(cued)),
            order_by=order[0] if order else "popularity",
            least_first=bool(order and order[1]) or (topic == "venues" and self._found(LEAST_FIRST, cued)),
            follows=follows,
            nothing=(self.missing_genre and not genres) or (self.missing_place and not places),
            corrected=tuple(self.corrected),
            unused=tuple(dict.fromkeys(self.unused)),
        )
        return _following(question, earlier) if follows and earlier and earlier.topic in FOLLOWABLE else question

    @staticmethod
    def _are_past(topic: str, spans: Sequence[Span], *, past: bool) -> bool:
        """Whether days without a year are over: venues rank by what took place, unless a genre is to be heard there."""
        return (
            past if topic == "totals" else topic == "venues" and (past or all(s.named.kind != "genre" for s in spans))
        )

    def _period(self, past: bool) -> tuple[DayPeriod | None, list[DayPeriod]]:
        """Return the period that the question means; of several, the first, and name the others."""
        periods = [one for one in self._periods(past=past) if not self._is_used(one)]
        told = [] if past else [one for one in periods if TOLD.search(self._before(one.start))]
        periods = [one for one in periods if one not in told]
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
        if not past:  # "we came last year, what is on in March?"
            fine.sort(key=lambda one: one.until is not None and one.until <= self.today)
        first = fine[0]
        for one in fine[1:]:
            between = self.flat[first.end : one.start] if first.end <= one.start else "-"
            either = re.fullmatch(r",? ?(?:or|and|versus|,)? ?", between)
            if (
                not between.strip() and first.until and one.since and one.since < first.until
            ):  # "Monday to Friday next week"
                either = None
            if either and first.since and first.until and one.since and one.until:
                if one.until <= first.since and first.since - one.since < timedelta(days=7):  # the weekday after it
                    one = one._replace(since=one.since + WEEK, until=one.until + WEEK)
                if one.since and one.until and first.since <= one.since <= first.until:
                    first = first._replace(end=one.end, until=max(first.until, one.until))
                    continue
            if self._is_end(first, one):
                first = first._replace(end=one.end, until=one.until)
                continue
            since = max((day for day in (first.since, one.since) if day), default=None)
            until = min((day for day in (first.until, one.until) if day), default=None)
            if since and until and since >= until:
                self.unused.append(f"I took the days {first.words}, and could not use {one.words} as well.")
            else:
                first = first._replace(since=since, until=until)
        return first, periods

    def _is_end(self, day: DayPeriod, end: DayPeriod) -> bool:
        """Whether a stay that begins on a day goes on to the end of another period: "and I stay until the 22nd"."""
        if not (day.since and day.until and end.until) or day.until - day.since != DAY:
            return False
        if not day.until < end.until < day.until + LONGEST_STAY:
            return False
        return end.since is None or (end.until - end.since == DAY and bool(LEAVING.search(self._before(end.start))))

    def _afterwards(self, period: DayPeriod) -> DayPeriod:
        """The days from, before or after the only ones that are named: "on the 14th, or after that"."""
        found = AFTERWARDS.search(self.flat)
        if not found:
            return period
        if period.since is None:  # "not before the 14th, but from then on"
            late = NOT_AT_FIRST.search(self._before(period.start) + found[1])
            return period._replace(since=period.until, until=None) if late else period
        if not period.until or period.end > found.start():
            return period
        since = {"after": period.until, "from": period.since}.get(found[1])
        return period._replace(since=since, until=None if since else period.since)

    def _left_out(self, period: DayPeriod) -> bool:
        """Whether the days are negated, which no answer can honour, so the reply names them."""
        negated = bool(
            re.search(
                r"\b(?:not|neither|nor|except|but|without|excluding|avoid) (?:on |in |for )?(?:the |a |any )?$",
                self._before(period.start),
            )
        )
        if negated:
            words = self.flat[period.start : period.end]
            self.unused.append(f"I cannot leave out days: {words} ({period.words}).")
        return negated

    def _is_used(self, period: DayPeriod) -> bool:
        """Whether another part has used words of the days: "upcoming Winter Wolves", "2000 to 5000 people"."""
        return any(self.used[place] or self.spent[place] for place in self._places_in(period.start, period.end))

    def _is_name_like(self, period: DayPeriod) -> bool:
        """Periods of one ordinary word may be part of a name, such as Sunday Choir; longer ones if it begins there."""
        places = list(self._places_in(period.start, period.end))
        if len(places) < 2:
            return True
        last = [word.plain for word in self.words[places[-1] : places[-1] + 3]]
        return tuple(last) in self.lexicon.spans or tuple(last[:2]) in self.lexicon.spans

    def _prices(self, cued: str) -> tuple[float | None, float | None]:
        days = self._periods(past=False)
        cued = self._unspent(cued, days)
        numbered = FIGURE.search(cued) is not None
        if numbered and (found := PRICE_BETWEEN.search(cued)):
            self._spend(found)
            low, high = [number for number in map(_number, found.groups()) if number is not None][:2]
            return (low, high) if low <= high else (high, low)
        if numbered and (found := PRICE_AROUND.search(cued)):
            self._spend(found)
            middle, spread = (number or 0 for number in map(_number, found.groups()))
            return middle - spread, middle + spread
        if self._found(FREE, cued):
            return None, 0.0
        most = least = None
        if numbered:
            limits = [match for match in PRICE_MOST.finditer(cued) if self._is_price(match, cued)]
            most = self._share(cued) or self._limit(PRICE_EACH.finditer(cued)) or self._limit(limits)
            for match in limits if most else ():
                self._spend(match)
            least = self._limit(PRICE_LEAST.finditer(self._unspent(cued, days)))  # "no more than 70" has "more than 70"
            if most is least is None:
                most = self._limit(PRICE_AT.finditer(cued))
            self.exact_price = least is None and most is not None and not limits
        if not CHEAP.search(cued) and (dear := self._words_of(DEAR, self._unspent(cued, days))):
            self.unused.append(f"I could not use: {', '.join(dear)}. I cannot choose by a price that has no number.")
        return least, most

    def _is_by_price(self, cued: str, prices: tuple[float | None, float | None]) -> bool:
        """Whether the cheapest are to come first; words such as "cheap" beside a limit only say the limit again."""
        first = self._found(CHEAPEST_FIRST, cued)
        return first or (bool(CHEAP.search(cued)) and prices == (None, None))

    def _share(self, cued: str) -> float | None:
        """What one ticket may cost where all who come have an amount together; the reply says how it was divided."""
        shared, sharers = SHARED.search(cued), OF_US.search(cued) or SHARERS.search(cued)
        if not shared or not sharers or PRICE_EACH.search(cued):
            return None
        amount = next(number for number in map(_number, reversed(shared.groups())) if number)
        *_, word = (group for group in sharers.groups() if group)
        people = 2 if word in {"both", "pair", "and"} else (NUMBER_WORDS.get(word) or int(word)) + (sharers[1] == "me")
        if not amount or people < 2:
            return None
        self._spend(shared)
        self._spend(sharers)
        self.corrected.append(f"I took {amount:g} for {people} as {amount / people:.2f} for each.")
        return round(amount / people, 2)

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
        if re.search(r"(?<!\d )\b(?:capacity|seats?|seating|holds?|holding)(?: of| for| is)? $", cued[: match.start()]):
            return False
        if number is not None and number <= MOST_COUNTED:
            after = OF_LISTED.match(cued, match.end())
            if after and (after[0] or (number < FEW and not UNDER.search(match[0]))):
                return False
        return number is not None and not (1900 <= number <= 2100 and "before" in cued)

    def _seats(self, cued: str) -> tuple[int | None, int | None]:
        cued = self._unspent(cued, ())
        least, most = self._seats_in_figures(cued) if FIGURE.search(cued) else (None, None)
        if least is None and most is None:
            if SMALL.search(cued):
                return None, SMALL_SEATS
            if LARGE.search(cued):
                return LARGE_SEATS, None
        return least, most

    def _seats_in_figures(self, cued: str) -> tuple[int | None, int | None]:
        if match := CAPACITY_BETWEEN.search(cued):
            self._spend(match)
            one, other = filter(None, match.groups())
            low, high = sorted(map(_seats_in, (one + "k" * (other.endswith("k") and len(one) < 3), other)))
            return low, high
        found: list[int | None] = []
        for pattern in (CAPACITY_MOST, CAPACITY_LEAST):
            match = pattern.search(self._unspent(cued, ()))
            if match:
                self._spend(match)
            found.append(_seats_in(next(group for group in match.groups() if group)) if match else None)
        most, least = found
        return least, most

    def _count(self, cued: str, periods: Sequence[DayPeriod]) -> int | None:
        if self._found(SINGLE, cued):
            return 1
        for match in COUNT.finditer(self._unspent(cued, periods)):
            text = next(group for group in match.groups() if group)
            number = NUMBER_WORDS.get(text) or (int(text) if text.isdigit() else 0)
            lone = r"\b(?:top|only|just|best)(?: (?:want|need|give me|show me))? (?:the )?one\b"
            alone = (
                text == "one"
                and (
                    re.search(lone, cued[max(0, match.start() - 20) : match.end()])
                    or re.search(r"\b(?:is|will be) enough\b|\bwill do\b", cued)
                )
                and "the only one" not in cued
            )
            if text in {"a", "an", "one"} and not alone:
                continue
            if number > MOST_COUNTED:
                self.unused.append(f"I list at most {MOST_COUNTED} at once, not {number}.")
            if number:
                self._spend(match)
                return min(number, MOST_COUNTED)
        return None

    def _which(self, cued: str, periods: Sequence[DayPeriod]) -> int:
        cued = self._unspent(cued, periods)
        matches = [
            match for match in ORDINAL.finditer(cued) if not re.search(r"\bnot $", clause_before(cued, match.start()))
        ]
        if not matches:
            return 0
        match = matches[0]
        self._spend(match)
        text = next(group for group in match.groups() if group)
        return ORDINALS.get(text) or NUMBER_WORDS.get(text) or int(text)

    def _order(self, cued: str) -> tuple[OrderBy, bool] | None:
        """What a ranking goes by, and whether the least come first."""
        if ends := OTHER_END.search(cued):
            self._spend(ends)
            cued = cued[: ends.start(1)] + "~" * len(ends[1]) + cued[ends.end(1) :]
        return next(((order, least) for pattern, order, least in ORDER_CUES if self._found(pattern, cued)), None)

    def _unordered(self, cued: str) -> None:
        """Name orders that only a ranking of venues has: totals and lists of concerts begin with the best."""
        for pattern, order, least in ORDER_CUES:
            if (least or order == "capacity") and (words := self._words_of(pattern, self._unspent(cued, ()))):
                self.unused.append(f"I could not use: {', '.join(words)}. I rank only venues so.")

    def _unsupported(self, cued: str, topic: str, spans: Sequence[Span]) -> None:
        cued = self._unspent(cued, ())
        for pattern, sentence in UNSUPPORTED:
            words = self._words_of(pattern, cued)
            answered = (topic == "venue" and "amenities" in sentence) or (topic == "genres" and "genre" in sentence)
            if words and not answered:
                self.unused.append(f"I could not use: {', '.join(words)}. {sentence}")
            elif words and topic == "venue":
                self.unused.append(f"Of {', '.join(words)}, I know what the venue lists.")

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
        plain = [word.plain for word in self.words]
        for place in range(len(plain)):
            for size in (3, 2, 1):
                name = " ".join(plain[place : place + size])
                coded = size == 1 and name in STATE_CODES
                if not (coded or name in WIDE_NAMES) or any(self.used[place : place + size]):
                    continue
                words = self.words[place : place + size]
                wide = size > 1 or name not in IDLE
                if coded:
                    wide = self._is_place(place, place + 1, self._before(words[0].at))
                if len(words) == size and wide:
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
        if part and place == first and self.lower and place + 1 < len(self.words):  # "in new england"
            return self._is_left_over(place + 1) and place + 1 not in timed and self.words[place + 1].plain.isalpha()
        if word.plain in STOP_WORDS and (self.shout or not word.raw[:1].isupper() or not part):
            return False
        if word.raw[:1].isupper() and not self.shout:
            return True
        return (
            (self.lower or self.shout)
            and (place == first or not self.words[first].raw[:1].isupper())
            and place - first < 2
        )


def _following(question: ChatQuestion, earlier: ChatQuestion) -> ChatQuestion:
    """Fill the parts that a follow-up leaves open from the earlier question."""
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

"""What a message asks for: its intent, and every part of it that narrows the answer.

No model: names that the warehouse knows, the words around them, and the words of the question decide. What a part
narrows is in the ChatQuestion; what no answer can honour is in its `unused`, a sentence each. Nothing is dropped
silently.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

from chalicelib.concerts.cues import (
    ARTIST_AFTER,
    BOUNDARY,
    CAPACITY_LEAST,
    CAPACITY_MOST,
    CHEAP,
    COMMON,
    CONTEXT,
    COUNT,
    CUES,
    DEAR,
    FILLERS,
    FREE,
    GENRE_WORDS,
    GREETING,
    LARGE,
    LARGE_SEATS,
    MOST_COUNTED,
    MOST_TOKENS,
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
    PUNCTUATION,
    REFERENCE_CUE,
    SHORT_CODES,
    SMALL,
    SMALL_SEATS,
    STOP_WORDS,
    THE_VENUE,
    TOKEN,
    TYPE_WORDS,
    UNSUPPORTED,
)
from chalicelib.concerts.lexicon import COUNTRY_ALIASES, STATE_CODES, Lexicon, Named, key, plain_text
from chalicelib.concerts.models import Intent
from chalicelib.concerts.periods import NUMBER_WORDS, SHORT, DayPeriod, periods_in
from chalicelib.concerts.values import ChatQuestion, NamedArtist, NamedVenue, Place, Vocabulary

WEEK = timedelta(days=7)
LETTER = 1
CLAUSE = 300
"""Characters before a name in which a negation may reach it."""
JOINERS = frozenset(("in", "at", "near", "around", "from", "the", "or", "and", "nor", ",", "anything", "anywhere"))


class Word(NamedTuple):
    """One word or mark of a message: plain, as it was written, and where the plain ones stand in the flat text."""

    plain: str
    raw: str
    at: int


class Span(NamedTuple):
    """Words that name something."""

    first: int
    after: int
    named: Named
    others: tuple[Named, ...]
    negated: bool


def read(message: str, lexicon: Lexicon | None, today: date) -> ChatQuestion:
    """The question that a message asks; without a lexicon its names stay unread."""
    return _Reader(message, lexicon, today).question()


class _Reader:
    """One message in the reading: its words, and which of them a part of the question has used."""

    def __init__(self, message: str, lexicon: Lexicon | None, today: date) -> None:
        self.blind = lexicon is None
        self.lexicon = lexicon or Lexicon(Vocabulary())
        self.today = today
        self.words = list(_words(message))
        self.flat = " ".join(word.plain for word in self.words)
        self.used = [False] * len(self.words)
        self.unused: list[str] = []
        self.missing_genre = self.missing_place = False
        self.in_places: set[int] = set()
        self.shout = message.upper() == message
        self.lower = message.lower() == message

    def question(self) -> ChatQuestion:
        """All of it, in the order in which one part keeps words from the next."""
        concert = next((word.plain for word in self.words if word.plain.startswith("con-")), "")
        holidays = self._periods(past=False)
        spans = self._names([period for period in holidays if not _is_name_like(self.flat, period)])
        cued = self._cued(spans)
        cues = {name for name, pattern in CUES if pattern.search(cued)}
        past = bool(PAST.search(cued)) or bool("analysis" in cues and "forecast" not in cues)
        spans = self._without_false_places(spans)
        if cues == {"greeting", "concert"} and not spans and not GREETING.sub("", cued).strip(" .,!?"):
            cues = {"greeting"}  # "good evening" is none to go out
        intent, topic, sure = self._intent(cues, cued, spans, concert)
        past = past if intent == "data_analysis" or topic == "venues" else past and not cues & {"when"}
        period, periods = self._period(past and topic in {"totals", "venues", "concerts"})
        prices = self._prices(cued)
        seats = self._seats(cued, topic)
        count = self._count(cued, periods)
        which = self._which(cued, periods)
        order = next(((order, least) for pattern, order, least in ORDER_CUES if pattern.search(cued)), None)
        self._unsupported(cued, topic, spans)
        if not self.blind:
            self._unknown_places(spans, periods)
            self._unknown_words(cued)
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
        refers = bool(which) or bool(REFERENCE_CUE.search(_without_names(cued))) or topic == "similar"
        return ChatQuestion(
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
            order_by=order[0] if order and topic == "venues" else "popularity",
            least_first=order[1] if order and topic == "venues" else False,
            follows=bool(CONTEXT.search(cued)) and not cues - {"concert", "greeting"},
            past=past,
            nothing=(self.missing_genre and not genres) or (self.missing_place and not places),
            unused=tuple(dict.fromkeys(self.unused)),
        )

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
        return Span(first, after, meant, tuple(one for one in fitting if one is not meant), self._negated(first))

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
        capital = word.raw.isupper() and len(word.raw) > 1
        after_city = first > 1 and self.words[first - 1].plain == "," and self.used[first - 2]
        adjacent = first > 0 and self.used[first - 1] and capital
        if capital and not self.shout:
            return True
        if word.plain in SHORT_CODES and not (after_city or adjacent):
            return word.plain == "la" and bool(re.search(r"\bin $", before))
        return after_city or adjacent or bool(PLACE_BEFORE.search(before)) or word.plain in {"nyc", "usa", "cdmx"}

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
        wide = {key(name) for name in (*STATE_CODES.values(), *COUNTRY_ALIASES.values())}
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
                after = self.words[span.after : span.after + 3]
                tail = key(" ".join(word.raw for word in after[1:]))
                state = next((name for name in wide if f"{tail} ".startswith(f"{name} ")), None)
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

    def _negated(self, first: int) -> bool:
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
        for place, word in enumerate(self.words):
            span = skip.get(place)
            if span is None:
                parts.append(word.plain)
            elif place == span.first:
                parts.append(f"_{span.named.kind}")
        return " ".join(parts)

    def _intent(self, cues: set[str], cued: str, spans: Sequence[Span], concert: str) -> tuple[Intent, str, float]:
        """The intent, what is to be done about it, and how sure that is."""
        kinds = {span.named.kind for span in spans}
        about = kinds & {"artist", "venue"}
        of_many = re.search(r"\b(?:which|what) genres?\b", cued) or (
            "venue" in cues and "venue" not in kinds and re.search(r"\b(?:which|what|top|best)\b", cued)
        )
        if "forecast" in cues and not of_many:
            return "ticket_prediction", "forecast", 0.9 if about or concert else 0.75
        if concert and "similar" in cues:
            return "concert_recommendation", "similar", 0.95
        if concert:
            if cues & {"price", "when", "facts"} or "concert" in cues:
                return "concert_recommendation", "concert", 0.9
            return "ticket_prediction", "forecast", 0.85
        if "similar" in cues and not cues & {"analysis"}:
            return "concert_recommendation", "similar", 0.9
        if "genres" in cues and "analysis" not in cues:
            return "general_query", "genres", 0.9
        if "venue" in kinds:
            if "price" in cues and "facts" not in cues:
                return "concert_recommendation", "concerts", 0.8
            if "analysis" in cues and not cues & {"facts"}:
                return "data_analysis", "totals", 0.8
            if cues & {"facts"} or not cues & {"concert", "when"}:
                return "venue_search", "venue", 0.9
            return "concert_recommendation", "concerts", 0.8
        ranks = re.search(r"\b(?:which|what|popular|best|top|rank\w*|biggest|largest|smallest|least|most|list)\b", cued)
        asks_venue = (
            "venue" in cues
            and not ("genre" in kinds and not ranks)
            and (bool(cues & {"ranking", "facts"}) or not cues & {"concert", "price", "analysis"})
        )
        if asks_venue and re.search(
            r"\b(?:concerts?|gigs?|shows?|tickets|events?) (?:\S+ ){0,4}?(?:in|at) (?:\S+ ){0,3}?(?:_type|venues?)",
            cued,
        ):
            asks_venue = bool(
                re.search(r"\b(?:which|what|popular|best|top|rank\w*) (?:\S+ ){0,3}?(?:venues?|_type)", cued)
            )
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
            if "price" in cues:
                return "concert_recommendation", "price", 0.85
            return "artist_lookup", "artist", 0.9
        if "price" in cues and (REFERENCE_CUE.search(cued) or ORDINAL.search(cued)):
            return "concert_recommendation", "price", 0.8
        if "when" in cues and not kinds and (REFERENCE_CUE.search(cued) or ORDINAL.search(cued)):
            return "artist_lookup", "artist", 0.75
        if "help" in cues and not kinds & {"genre", "place"}:
            return "general_query", "", 0.9
        if "greeting" in cues and not cues & {"concert", "when", "price"} and not kinds:
            return "general_query", "", 0.9
        if re.search(r"\b(?:which|what) (?:\S+ )?(?:artists?|bands?|singers?|acts?|musicians?)\b", cued):
            return "artist_lookup", "concerts", 0.8
        named = bool(kinds & {"genre", "place", "type"}) or any(word.plain in GENRE_WORDS for word in self.words)
        if (
            named
            or re.search(r"[$€£] ?\d", cued)
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
        return periods_in(self.flat, self.today, past=past)

    def _period(self, past: bool) -> tuple[DayPeriod | None, list[DayPeriod]]:
        """The days that are meant; of several periods the first, and the others are named."""
        periods = [one for one in self._periods(past=past) if not self._all_used(one)]
        self.unused += [one.problem for one in periods if one.problem]
        fine = [one for one in periods if not one.problem]
        for one in fine:
            for place in self._places_in(one.start, one.end):
                self.used[place] = True
        if not fine:
            return None, periods
        fine = [one for one in fine if not self._left_out(one)]
        if not fine:
            return None, periods
        first = fine[0]
        for one in fine[1:]:
            either = re.fullmatch(r",? ?(?:or|and|,)? ?", self.flat[first.end : one.start])
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
        negated = bool(re.search(r"\b(?:not|except|but not|without) (?:on |in )?(?:the )?$", self.flat[: period.start]))
        if negated:
            self.unused.append(f"I cannot leave out days: {period.words}.")
        return negated

    def _all_used(self, period: DayPeriod) -> bool:
        places = list(self._places_in(period.start, period.end))
        return bool(places) and all(self.used[place] for place in places)

    def _prices(self, cued: str) -> tuple[float | None, float | None]:
        if found := PRICE_BETWEEN.search(cued):
            low, high = [number for number in map(_number, found.groups()) if number is not None][:2]
            return (low, high) if low <= high else (high, low)
        if FREE.search(cued):
            return None, 0.0
        most = next(
            (
                number
                for match in PRICE_MOST.finditer(cued)
                for group in match.groups()
                if (number := _number(group)) is not None and self._is_price(match, cued)
            ),
            None,
        )
        least = next(
            (
                number
                for match in PRICE_LEAST.finditer(PRICE_MOST.sub(" ", cued))  # "no more than 70" has "more than 70"
                for group in match.groups()
                if (number := _number(group)) is not None
            ),
            None,
        )
        if DEAR.search(cued) and not CHEAP.search(cued):
            self.unused.append("I cannot choose by a price that has no number.")
        return least, most

    def _is_price(self, match: re.Match[str], cued: str) -> bool:
        """A bare number after "under" is a price, unless the words around it count something else."""
        if re.search(r"[$€£]|dollar|buck|usd|euro|eur\b|pound|gbp", match[0]):
            return True
        number = next((_number(group) for group in match.groups() if group), None)
        if re.search(r"\b(?:capacity|seats?|seating|holds?|holding|hold)\b", cued):
            return False
        return number is not None and not (1900 <= number <= 2100 and "before" in cued)

    def _seats(self, cued: str, topic: str) -> tuple[int | None, int | None]:
        least = next(
            (_seats_in(group) for match in CAPACITY_LEAST.finditer(cued) for group in match.groups() if group), None
        )
        most = next(
            (_seats_in(group) for match in CAPACITY_MOST.finditer(cued) for group in match.groups() if group), None
        )
        if least is None and most is None:
            if SMALL.search(cued):
                return None, SMALL_SEATS
            if LARGE.search(cued):
                return LARGE_SEATS, None
        return least, most

    def _count(self, cued: str, periods: Sequence[DayPeriod]) -> int | None:
        taken = cued
        for period in periods:
            taken = taken.replace(self.flat[period.start : period.end], " ")
        for match in COUNT.finditer(taken):
            text = next(group for group in match.groups() if group)
            number = NUMBER_WORDS.get(text) or (int(text) if text.isdigit() else 0)
            if text in {"a", "an", "one"} and not re.search(rf"\b(?:top|only|just|best) (?:the )?{text}\b", match[0]):
                continue
            if number > MOST_COUNTED:
                self.unused.append(f"I list at most {MOST_COUNTED} at once, not {number}.")
            if number:
                return min(number, MOST_COUNTED)
        return None

    def _which(self, cued: str, periods: Sequence[DayPeriod]) -> int:
        taken = cued
        for period in periods:
            taken = taken.replace(self.flat[period.start : period.end], " ")
        if not (match := ORDINAL.search(taken)):
            return 0
        text = next(group for group in match.groups() if group)
        return ORDINALS.get(text) or NUMBER_WORDS.get(text) or int(text)

    def _unsupported(self, cued: str, topic: str, spans: Sequence[Span]) -> None:
        for pattern, sentence in UNSUPPORTED:
            if (
                pattern.search(cued)
                and not (topic == "venue" and "amenities" in sentence)
                and not (topic == "genres" and "genre" in sentence)
            ):
                self.unused.append(sentence)

    def _unknown_places(self, spans: Sequence[Span], periods: Sequence[DayPeriod]) -> None:
        """Names after "in" that are no place, period or anything else that the warehouse knows."""
        timed = {place for period in periods for place in self._places_in(period.start, period.end)}
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
                if after > first and not (
                    word.plain in {"at", "to", "around", "from"} and not self.words[first].raw[:1].isupper()
                ):
                    name = " ".join(one.raw for one in self.words[first:after])
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
                    self.unused.append(f"No venue is in {' '.join(one.raw for one in self.words[place + 1 : after])}.")
                    place = after
                    continue
            place += 1

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
        if word.plain in STOP_WORDS:
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


def _words(message: str) -> Iterator[Word]:
    at, last = 0, ""
    for number, match in enumerate(TOKEN.finditer(message)):
        if number >= MOST_TOKENS:
            return
        raw = match[0]
        if raw == "." and last in SHORT:  # as in "Dec. 19"
            continue
        last = raw.lower()
        text = "and" if raw == "&" else re.sub(r"['’´`]", "", plain_text(raw))
        if (
            raw.lower().endswith(("'s", "’s"))
            and len(raw) > 3
            and text not in {"lets", "thats", "whats", "wheres", "whos", "hows", "its", "heres"}
        ):
            for part, spelled in ((text[:-1], raw[:-2]), ("s", "s")):
                yield Word(part, spelled, at)
                at += len(part) + 1
            continue
        yield Word(text, raw, at)
        at += len(text) + 1


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

"""The local chat provider: parse a message, use the tools for it, and put their results into words.

It uses no model. The message is never executed; its parts reach the tools as arguments, which they check as usual. The
reply first states the interpretation of the question, and the parts that could not be used.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from msgspec import to_builtins

from chalicelib.concerts.lexicon import Lexical, Lexicon
from chalicelib.concerts.outcomes import SUGGESTIONS, subjects_of
from chalicelib.concerts.periods import DAY, DayPeriod
from chalicelib.concerts.phrases import told, understanding
from chalicelib.concerts.reading import read
from chalicelib.concerts.tools import ToolAnswer, Toolbox
from chalicelib.concerts.values import ChatOutcome, ChatQuestion, Delta, Exchange, Piece, Place, Subject, Turn
from chalicelib.errors import UpstreamError

ITEM = re.compile(r"\d+\. ")
LISTED = 5
"""The length of a list if the question names no number."""
FOLLOWED = 5
"""The number of earlier questions that a follow-up such as "and in Boston?" may refer to."""
MOST_VENUES = 3
"""The most venues of one name that an answer shows."""


@dataclass
class AnswerPlan:
    """How to answer a question: a tool with its arguments, or words alone; and the parts that this cannot honour."""

    tool: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)
    say: str = ""
    forecast: bool = False
    """Whether the first concert that the tool finds is to be forecast."""


class LocalRouter:
    """Answers from the tools alone."""

    source = "local"

    def __init__(self, toolbox: Toolbox, lexicon: Lexical, clock: Callable[[], datetime]) -> None:
        self._toolbox = toolbox
        self._lexicon = lexicon
        self._clock = clock

    def answer(self, turn: Turn) -> Iterator[Piece]:
        """Yield the answer to a turn, a sentence at a time, even if the warehouse fails."""
        today = self._clock().date()
        lexicon: Lexicon | None = None
        with suppress(UpstreamError):
            lexicon = self._lexicon()
        question = self._question(turn, lexicon, today)
        plan = planned(question, turn.history, today)
        if lexicon is None and question.topic:
            plan.unused.append("I could not look up genres, places and names.")
        nothing = question.nothing and plan.tool in {
            "recommend_concerts",
            "find_concerts",
            "popular_venues",
            "season_totals",
        }
        found = self._toolbox.run(plan.tool, plan.arguments) if plan.tool and not nothing else None
        if found is not None and plan.forecast:
            found = self._forecast_of_first(found, plan)
        unused = [*question.unused, *plan.unused, *(found.data.get("notes", ()) if found else ())]
        understood = understanding(question, plan.arguments)
        told_of = self._told(question, plan, found)
        if nothing:
            offers = plan.tool in {"recommend_concerts", "find_concerts"}
            told_of = self._offer(plan.arguments) if offers else iter(("I have no figures of that.",))
        words = [understood, *question.corrected, *unused, *told_of]
        in_list = False
        for sentence in filter(None, words):
            item = bool(ITEM.match(sentence))
            yield Delta(("\n" if item or in_list else "") + f"{sentence.strip()} ")
            in_list = item
        yield ChatOutcome(
            intent=question.intent,
            confidence=question.confidence,
            data={} if found is None else found.content,
            suggestions=SUGGESTIONS[question.intent],
            listed=subjects_of(found.data) if found else (),
            understood=understood,
            question={**to_builtins(question), "unused": list(dict.fromkeys(unused))},
        )

    def _question(self, turn: Turn, lexicon: Lexicon | None, today: date) -> ChatQuestion:
        """Read the turn's question; a follow-up takes the parts that it leaves open from earlier questions."""
        question = read(turn.message, lexicon, today)
        if not question.follows:
            return question
        earlier: ChatQuestion | None = None
        for exchange in turn.history[-FOLLOWED:]:
            earlier = read(exchange.message, lexicon, today, earlier)
        return read(turn.message, lexicon, today, earlier)

    def _forecast_of_first(self, found: ToolAnswer, plan: AnswerPlan) -> ToolAnswer:
        """Forecast the first concert that was found; return an empty or failed search as it is."""
        if found.error is not None or not found.data["recommendations"]:
            return found
        plan.tool, plan.arguments = (
            "predict_ticket_sales",
            {"concert_id": found.data["recommendations"][0]["concert_id"]},
        )
        return self._toolbox.run(plan.tool, plan.arguments)

    def _told(self, question: ChatQuestion, plan: AnswerPlan, found: ToolAnswer | None) -> Iterator[str]:
        if found is None:
            yield from told("", {}, None, question.intent) if not plan.say else (plan.say,)
            return
        yield from told(found.tool, found.data, found.error, question.intent)
        if found.error is None and plan.tool == "recommend_concerts" and not found.data["recommendations"]:
            yield from self._offer(plan.arguments)

    def _offer(self, asked: Mapping[str, Any]) -> Iterator[str]:
        """If nothing fits, offer what there is without the narrowest part of the question."""
        for names, words in (
            ((), "else"),
            (("locations",), "elsewhere"),
            (("since", "until"), "on other days"),
            (("genres",), "of other genres"),
        ):
            if names and not any(asked.get(name) for name in names):
                continue
            wider = {key: value for key, value in asked.items() if key not in names}
            found = self._toolbox.run("recommend_concerts", {**wider, "top_n": 1})
            for one in found.data.get("recommendations", []):
                yield (
                    f"There is something {words}, if you like: {one['artist']} in {one['city']} on {one['event_date']} "
                    f"({one['concert_id']})."
                )
                return


def planned(question: ChatQuestion, history: Sequence[Exchange], today: date) -> AnswerPlan:
    """The plan for `question`, given the earlier conversation."""
    subject, problem = _subject(question, history)
    plan = AnswerPlan(unused=[problem] if problem else [])
    if question.topic:
        _PLANS[question.topic](question, subject, plan, today)
        plan.unused += unhonoured(question, plan)
    return plan


def _subject(question: ChatQuestion, history: Sequence[Exchange]) -> tuple[Subject, str]:
    """Find what "it" or "the second one" refers to in the latest list, or say why that fails."""
    if not question.refers or question.concert_id:
        return Subject(), ""
    listed = next((exchange.listed for exchange in reversed(history) if exchange.listed), ())
    if not listed:
        old = next((exchange.concert_id for exchange in reversed(history) if exchange.concert_id), None)
        listed = (Subject(concert_id=old),) if old else ()
    if not listed:
        return Subject(), "I have listed nothing yet that you could mean." if question.which else ""
    place = question.which - 1 if question.which > 0 else len(listed) - 1 if question.which else 0
    if place >= len(listed):
        return Subject(), f"My last list has only {len(listed)}, so there is no number {question.which}."
    return listed[place], ""


def _forecast(question: ChatQuestion, subject: Subject, plan: AnswerPlan, today: date) -> None:
    concert = question.concert_id
    if not concert and (question.artists or question.venues or question.places or question.since):
        if not (question.artists or question.venues) and subject.concert_id:
            concert = subject.concert_id
        else:
            plan.tool, plan.arguments = "recommend_concerts", _wish(question, today)
            plan.arguments |= {"order": "date", "top_n": 1}
            plan.forecast = True
            if len(question.artists) > 1:
                plan.unused.append("I forecast one concert at a time, the first of them.")
            elif question.count and question.count > 1:
                plan.unused.append(f"I forecast one concert at a time, the first of the {question.count}.")
            return
    concert = concert or subject.concert_id
    if concert:
        plan.tool, plan.arguments = "predict_ticket_sales", {"concert_id": concert}
    else:
        plan.say = "Which concert do you mean? Name its id, such as con-000042, or its artist."


def _similar(question: ChatQuestion, subject: Subject, plan: AnswerPlan, today: date) -> None:
    plan.tool, plan.arguments = "recommend_concerts", _wish(question, today, artists=False)
    plan.arguments["top_n"] = question.count or LISTED
    concert = question.concert_id or subject.concert_id
    if question.artists:
        parts = [part for artist in question.artists for part in artist.genre.split("/")]
        plan.arguments["genres"] = list(dict.fromkeys([*question.genres, *parts]))
        plan.arguments["exclude_artist_ids"] = [artist.artist_id for artist in question.artists]
    elif concert:
        plan.arguments["similar_to"] = concert
    elif not question.genres:
        plan.tool, plan.arguments = "", {}
        plan.say = "Similar to what? Name an artist, a genre or a concert."


def _concerts(question: ChatQuestion, subject: Subject, plan: AnswerPlan, today: date) -> None:
    if question.until and question.until <= today:
        plan.tool = "find_concerts"
        names = [*(artist.name for artist in question.artists), *(venue.name for venue in question.venues)]
        plan.arguments = {
            "q": names[0] if names else "",
            "genre": list(question.genres),
            "place": _spelled(question.places),
            "type": list(question.venue_types),
            "from": str(question.since or date(1970, 1, 1)),
            "to": str(question.until - DAY),
            "limit": question.count or LISTED,
        }
        plan.unused.append("Those days are over, so I list what was played then.")
        if len(names) > 1:
            plan.unused.append(f"I look back on one name at a time: ask again for {' and for '.join(names[1:])}.")
        return
    plan.tool, plan.arguments = "recommend_concerts", _wish(question, today)
    plan.arguments["top_n"] = question.count or LISTED


def _concert(question: ChatQuestion, subject: Subject, plan: AnswerPlan, today: date) -> None:
    plan.tool, plan.arguments = "concert_details", {"concert_id": question.concert_id}


def _price(question: ChatQuestion, subject: Subject, plan: AnswerPlan, today: date) -> None:
    if question.artists or not (subject.concert_id or subject.artist_id):
        _concerts(question, subject, plan, today)
        if plan.tool == "recommend_concerts":
            plan.arguments.setdefault("order", "date")
    elif subject.concert_id:
        plan.tool, plan.arguments = "concert_details", {"concert_id": subject.concert_id}
    else:
        plan.tool, plan.arguments = "artist_details", {"artist_id": subject.artist_id}


def _artist(question: ChatQuestion, subject: Subject, plan: AnswerPlan, today: date) -> None:
    if not question.artists and not subject.artist_id:
        plan.say = "Which artist do you mean?"
        if not question.refers and not any("I know no artist" in sentence for sentence in question.unused):
            plan.unused.append("I know no artist of that name.")
        return
    if question.artists and question.until and question.until <= today:
        _concerts(question, subject, plan, today)
        return
    narrowed = question.places or question.not_places or question.since or question.until or question.venue_types
    priced = question.min_price is not None or question.max_price is not None or question.by_price
    if narrowed or priced or len(question.artists) > 1 or question.count:
        plan.tool = "recommend_concerts"
        ids = [artist.artist_id for artist in question.artists] or [subject.artist_id]
        plan.arguments = {
            **_wish(question, today),
            "artist_ids": ids,
            "order": "price" if question.by_price else "date",
        }
        plan.arguments["top_n"] = question.count or LISTED
        return
    artist_id = question.artists[0].artist_id if question.artists else subject.artist_id
    plan.tool, plan.arguments = "artist_details", {"artist_id": artist_id}


def _venue(question: ChatQuestion, subject: Subject, plan: AnswerPlan, today: date) -> None:
    if len(question.venues) > 1:
        plan.tool = "find_venues"
        plan.arguments = {"q": question.venues[0].name, "place": _spelled(question.places), "limit": MOST_VENUES}
        if others := {venue.name for venue in question.venues} - {question.venues[0].name}:
            plan.unused.append(f"I tell of one venue at a time: ask again for {' and for '.join(sorted(others))}.")
        elif len(question.venues) > MOST_VENUES:
            plan.unused.append(f"{len(question.venues)} venues are named so; say in which city for the others.")
    elif question.venues:
        plan.tool, plan.arguments = "venue_details", {"venue_id": question.venues[0].venue_id}
    elif subject.venue_id:
        plan.tool, plan.arguments = "venue_details", {"venue_id": subject.venue_id}
    elif question.places or question.venue_types:
        plan.tool = "find_venues"
        plan.arguments = {"place": _spelled(question.places), "type": list(question.venue_types), "limit": LISTED}
    else:
        plan.say = "Which venue do you mean? Name it, or ask for the popular ones."


def _venues(question: ChatQuestion, subject: Subject, plan: AnswerPlan, today: date) -> None:
    plan.tool = "popular_venues"
    plan.arguments = {
        "top_n": question.count or LISTED,
        "locations": _spelled(question.places),
        "exclude_locations": _spelled(question.not_places),
        "venue_types": list(question.venue_types),
        "order_by": question.order_by,
        "least_first": question.least_first,
        **_limits(question, ("min_capacity", "max_capacity")),
    }
    if question.places or question.venue_types:
        plan.arguments["min_events"] = 1
    _past_days(question, plan, today)


def _totals(question: ChatQuestion, subject: Subject, plan: AnswerPlan, today: date) -> None:
    plan.tool = "season_totals"
    plan.arguments = {
        "genres": list(question.genres),
        "exclude_genres": list(question.not_genres),
        "locations": _spelled(question.places),
        "exclude_locations": _spelled(question.not_places),
        "artist_ids": [artist.artist_id for artist in question.artists],
        "venue_ids": [venue.venue_id for venue in question.venues],
        "venue_types": list(question.venue_types),
    }
    if question.refers and not (question.artists or question.venues) and (subject.artist_id or subject.venue_id):
        name = "venue_ids" if question.the_venue or not subject.artist_id else "artist_ids"
        plan.arguments[name] = [subject.venue_id if name == "venue_ids" else subject.artist_id]
    _past_days(question, plan, today)


def _past_days(question: ChatQuestion, plan: AnswerPlan, today: date) -> None:
    """Add the days of completed concerts, and say so if the period is in the future."""
    if question.since and question.since >= today:
        plan.unused.append("No concert of those days is completed yet; I looked at the last year.")
        return
    if question.since:
        plan.arguments["since"] = str(question.since)
    if question.until:
        plan.arguments["until"] = str(min(question.until, today) - DAY)
        if not question.since:
            plan.arguments["since"] = str(date(question.until.year - 10, 1, 1))


def _genres(question: ChatQuestion, subject: Subject, plan: AnswerPlan, today: date) -> None:
    plan.tool = "list_genres"


def _wish(question: ChatQuestion, today: date, *, artists: bool = True) -> dict[str, Any]:
    """A question about scheduled concerts as the arguments of a recommendation."""
    wish: dict[str, Any] = {
        "genres": list(question.genres),
        "exclude_genres": list(question.not_genres),
        "locations": _spelled(question.places),
        "exclude_locations": _spelled(question.not_places),
        "venue_types": list(question.venue_types),
        "exclude_artist_ids": [artist.artist_id for artist in question.not_artists],
        **_limits(question, ("min_price", "max_price", "min_capacity", "max_capacity")),
    }
    if question.by_price:
        wish["order"] = "price"
    if artists and question.artists:
        wish["artist_ids"] = [artist.artist_id for artist in question.artists]
    if question.venues:
        wish["venue_ids"] = [venue.venue_id for venue in question.venues]
    if question.until and question.until <= today:  # days that are over; unhonoured says so
        return {name: value for name, value in wish.items() if value not in ([], None)}
    if question.since:
        wish["since"] = str(max(question.since, today))
    if question.until:
        wish["until"] = str(question.until - DAY)
    return {name: value for name, value in wish.items() if value not in ([], None)}


def _limits(question: ChatQuestion, names: Sequence[str]) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(question, name)) is not None}


def _spelled(places: Sequence[Place]) -> list[str]:
    return [place.address for place in places]


def _between(low: float | None, high: float | None) -> str:
    return " ".join(f"{word} {number:g}" for word, number in (("from", low), ("to", high)) if number is not None)


PARTS: Mapping[str, tuple[str, Callable[[ChatQuestion], str]]] = {
    "genres": ("a genre", lambda question: ", ".join(question.genres)),
    "not_genres": ("a genre to leave out", lambda question: ", ".join(question.not_genres)),
    "types": ("a type of venue", lambda question: ", ".join(question.venue_types)),
    "places": ("a place", lambda question: ", ".join(place.name for place in question.places)),
    "not_places": ("a place to leave out", lambda question: ", ".join(place.name for place in question.not_places)),
    "artists": ("an artist", lambda question: ", ".join(artist.name for artist in question.artists)),
    "not_artists": ("an artist to leave out", lambda question: ", ".join(one.name for one in question.not_artists)),
    "venues": ("a venue", lambda question: ", ".join(venue.name for venue in question.venues)),
    "days": ("days", lambda question: DayPeriod(0, 0, question.since, question.until).words),
    "prices": ("a price", lambda question: _between(question.min_price, question.max_price)),
    "cheapness": ("price", lambda question: "the cheapest first" if question.by_price else ""),
    "seats": ("a number of seats", lambda question: _between(question.min_capacity, question.max_capacity)),
    "order": (
        "an order",
        lambda question: "the least first" * question.least_first or question.order_by.removeprefix("popularity"),
    ),
    "count": ("a number of results", lambda question: str(question.count or "")),
}
"""The possible parts of a question, as an answer names them."""
WISHED = frozenset(PARTS) - {"order"}
HONOURED: Mapping[str, frozenset[str]] = {
    tool: frozenset(parts.split())
    for tool, parts in {
        "find_concerts": "genres types places artists venues days count",
        "popular_venues": "types places not_places days seats order count",
        "season_totals": "genres not_genres types places not_places artists venues days",
        "artist_details": "artists",
        "venue_details": "venues places",
        "find_venues": "venues places types",
        "predict_ticket_sales": "artists venues",
    }.items()
} | {"recommend_concerts": WISHED}
"""The parts that each tool's arguments hold; those that the question has besides are named."""


def unhonoured(question: ChatQuestion, plan: AnswerPlan) -> list[str]:
    """A sentence for each part of the question that the plan's tool has no argument for."""
    honoured = HONOURED.get(plan.tool, frozenset())
    if plan.tool == "recommend_concerts" and not {"since", "until"} & plan.arguments.keys():
        honoured -= {"days"}
    if "similar_to" in plan.arguments:
        honoured -= {"cheapness"}
    return [
        f"I cannot narrow this by {name}: {words(question)}."
        for part, (name, words) in PARTS.items()
        if part not in honoured and words(question)
    ]


_PLANS: Mapping[str, Callable[[ChatQuestion, Subject, AnswerPlan, date], None]] = {
    "forecast": _forecast,
    "similar": _similar,
    "concerts": _concerts,
    "concert": _concert,
    "price": _price,
    "artist": _artist,
    "venue": _venue,
    "venues": _venues,
    "totals": _totals,
    "genres": _genres,
}

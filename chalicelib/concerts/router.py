"""The local chat provider: finds what a message asks for, uses the tool for it, and says what came back.

No model: the words of the message, the genres and places that the warehouse knows, and the artists that it names
decide. Nothing of the message is executed; it reaches the tools as arguments, which they check like anyone's.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.concerts.models import Intent
from chalicelib.concerts.outcomes import SUGGESTIONS, subject_of
from chalicelib.concerts.phrases import told
from chalicelib.concerts.ports import ConcertCatalogue
from chalicelib.concerts.tools import TOOL_ROWS, Toolbox
from chalicelib.concerts.values import ChatOutcome, Delta, Piece, Turn, Vocabulary
from chalicelib.errors import UpstreamError

CONCERT_ID = re.compile(r"\bcon-[0-9]{1,12}\b", re.IGNORECASE)
NUMBER = re.compile(
    r"\btop[ -]?([0-9]{1,3})\b|\b([0-9]{1,3}) (?:most |best |top )?(?:popular |busiest )?(?:venues|concerts)"
)

CUES: Mapping[Intent, re.Pattern[str]] = {
    "ticket_prediction": re.compile(
        r"\b(predict\w*|forecast\w*|sales|sell(?:s|ing)?|sell[- ]?out|how many tickets|takings)\b"
    ),
    "data_analysis": re.compile(
        r"\b(statistics|stats|revenue|average|totals?|analy[sz]e|analysis|compare|trends?|how many concerts|by genre)\b"
    ),
    "venue_search": re.compile(r"\b(venues?|halls?|arenas?|stadiums?|clubs?|theat(?:er|re)s?)\b"),
    "concert_recommendation": re.compile(
        r"\b(recommend\w*|suggest\w*|concerts?|gigs?|shows?|go to|see|listen|playing|what's on|tonight|weekend)\b"
    ),
    "artist_lookup": re.compile(r"\b(who|artist|band|singer|tell me about|touring|tour)\b"),
    "general_query": re.compile(r"\b(hello|hi|hey|help|thanks?|thank you|what can you do|good (?:morning|evening))\b"),
}
POPULAR = re.compile(r"\b(popular|best|busiest|top|rank\w*|favou?rite)\b")
REFERENCE = re.compile(r"\b(it|its|that|this|first|one)\b")


@dataclass(frozen=True)
class Reading:
    """What a message was taken to ask: the intent, how sure that is, and the tool with its arguments."""

    intent: Intent
    confidence: float
    tool: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)


class LocalRouter:
    """Answers from the tools alone."""

    source = "local"

    def __init__(self, toolbox: Toolbox, catalogue: ConcertCatalogue) -> None:
        self._toolbox = toolbox
        self._catalogue = catalogue

    def answer(self, turn: Turn) -> Iterator[Piece]:
        """The answer to a turn, a sentence at a time; it answers even where the warehouse does not."""
        reading = self._read(turn)
        if not reading.tool:
            for sentence in told("", {}, None, reading.intent):
                yield Delta(sentence)
            yield ChatOutcome(reading.intent, reading.confidence, {}, SUGGESTIONS[reading.intent])
            return
        found = self._toolbox.run(reading.tool, reading.arguments)
        for sentence in told(found.tool, found.data, found.error, reading.intent):
            yield Delta(sentence)
        yield ChatOutcome(
            reading.intent, reading.confidence, found.content, SUGGESTIONS[reading.intent], subject_of(found.data)
        )

    def _read(self, turn: Turn) -> Reading:
        try:
            vocabulary = self._catalogue.vocabulary()
            reading = read(turn, vocabulary)
            if (
                reading.intent in {"ticket_prediction", "artist_lookup", "unknown"}
                and "concert_id" not in reading.arguments
            ):
                return self._by_artist(turn, reading)
        except UpstreamError:
            return read(turn, Vocabulary())
        return reading

    def _by_artist(self, turn: Turn, reading: Reading) -> Reading:
        found = self._toolbox.run("find_artists", {"text": turn.message})
        artists = found.data.get("artists") or []
        if not artists:
            return reading
        concert_id = artists[0]["next_concert_id"]
        if reading.intent == "ticket_prediction" and concert_id:
            return Reading("ticket_prediction", 0.9, "predict_ticket_sales", {"concert_id": concert_id})
        return Reading("artist_lookup", 0.9, "find_artists", {"text": turn.message})


def read(turn: Turn, vocabulary: Vocabulary) -> Reading:
    """What a message asks for, by its words alone."""
    text = turn.message.lower()
    concert_id = _concert_id(turn)
    genres = _named(text, vocabulary.genres)
    places = _named(text, (*vocabulary.cities, *vocabulary.countries))
    cues = {intent for intent, pattern in CUES.items() if pattern.search(text)}
    top_n = _number(text)
    if "ticket_prediction" in cues or CONCERT_ID.search(text):
        if concert_id:
            sure = 0.95 if CONCERT_ID.search(text) else 0.85
            return Reading("ticket_prediction", sure, "predict_ticket_sales", {"concert_id": concert_id})
        return Reading("ticket_prediction", 0.6)
    if "venue_search" in cues and not (genres or "concert_recommendation" in cues):
        sure = 0.9 if POPULAR.search(text) else 0.7
        return Reading("venue_search", sure, "popular_venues", {"top_n": top_n})
    if "data_analysis" in cues:
        return Reading("data_analysis", 0.8, "season_totals", {})
    if genres or places or "concert_recommendation" in cues:
        arguments: dict[str, Any] = {"genres": list(genres), "top_n": top_n}
        if places:
            arguments["location"] = places[0]
        sure = 0.5 + 0.15 * (bool(genres) + bool(places) + ("concert_recommendation" in cues))
        return Reading("concert_recommendation", sure, "recommend_concerts", arguments)
    if "artist_lookup" in cues:
        return Reading("artist_lookup", 0.5, "find_artists", {"text": turn.message})
    if "general_query" in cues:
        return Reading("general_query", 0.8)
    return Reading("unknown", 0.2)


def _concert_id(turn: Turn) -> str | None:
    if match := CONCERT_ID.search(turn.message):
        return match[0].lower()
    if REFERENCE.search(turn.message.lower()):
        return next((exchange.concert_id for exchange in reversed(turn.history) if exchange.concert_id), None)
    return None


def _named(text: str, words: Sequence[str]) -> tuple[str, ...]:
    """The words that occur whole in `text`, the longest first; a genre such as "rock/pop" counts for each part."""
    parts = {part.strip().lower() for word in words for part in word.split("/")} - {""}
    found = [part for part in parts if re.search(rf"(?<!\w){re.escape(part)}(?!\w)", text)]
    return tuple(sorted(found, key=lambda part: (-len(part), part)))[:5]


def _number(text: str) -> int:
    match = NUMBER.search(text)
    return min(TOOL_ROWS, max(1, int(match[1] or match[2]))) if match else 5

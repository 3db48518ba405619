"""The rules by which the local chat read messages before it had a structured question, for comparison."""

import re
from typing import Any

from chalicelib.concerts.values import Vocabulary

CONCERT_ID = re.compile(r"\bcon-[0-9]{1,12}\b", re.IGNORECASE)
NUMBER = re.compile(
    r"\btop[ -]?([0-9]{1,3})\b|\b([0-9]{1,3}) (?:most |best |top )?(?:popular |busiest )?(?:venues|concerts)"
)
CUES = {
    "ticket_prediction": r"\b(predict\w*|forecast\w*|sales|sell(?:s|ing)?|sell[- ]?out|how many tickets|takings)\b",
    "data_analysis": r"\b(statistics|stats|revenue|average|totals?|analy[sz]e|analysis|compare|trends?|"
    r"how many concerts|by genre)\b",
    "venue_search": r"\b(venues?|halls?|arenas?|stadiums?|clubs?|theat(?:er|re)s?)\b",
    "concert_recommendation": r"\b(recommend\w*|suggest\w*|concerts?|gigs?|shows?|go to|see|listen|playing|what's on|"
    r"tonight|weekend)\b",
    "artist_lookup": r"\b(who|artist|band|singer|tell me about|touring|tour)\b",
    "general_query": r"\b(hello|hi|hey|help|thanks?|thank you|what can you do|good (?:morning|evening))\b",
}


def read(message: str, vocabulary: Vocabulary) -> dict[str, Any]:
    """The intent and the parts that the earlier rules found."""
    text = message.lower()
    genres = _named(text, vocabulary.genres)
    cities = [place.city for place in vocabulary.places]
    places = _named(text, (*cities, *{place.country for place in vocabulary.places}))
    artists = [artist.name for artist in vocabulary.artists if artist.name.lower() in text]
    cues = {intent for intent, pattern in CUES.items() if re.search(pattern, text)}
    number = NUMBER.search(text)
    found: dict[str, Any] = {"n": int(number[1] or number[2])} if number else {}
    match = CONCERT_ID.search(text)
    if "ticket_prediction" in cues or match:
        return {"intent": "ticket_prediction", "a": artists, **({"id": match[0]} if match else {})}
    if "venue_search" in cues and not (genres or "concert_recommendation" in cues):
        return {"intent": "venue_search", **found}
    if "data_analysis" in cues:
        return {"intent": "data_analysis"}
    if genres or places or "concert_recommendation" in cues:
        return {
            "intent": "concert_recommendation",
            "g": list(genres),
            "p": [one.title() for one in places[:1]],
            **found,
        }
    if artists or "artist_lookup" in cues:
        return {"intent": "artist_lookup", "a": artists}
    return {"intent": "general_query" if "general_query" in cues else "unknown"}


def _named(text: str, words: Any) -> tuple[str, ...]:
    parts = {part.strip().lower() for word in words for part in word.split("/")} - {""}
    found = [part for part in parts if re.search(rf"(?<!\w){re.escape(part)}(?!\w)", text)]
    return tuple(sorted(found, key=lambda part: (-len(part), part)))[:5]

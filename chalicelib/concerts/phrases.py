"""What the local chat says about what its tools found, a sentence at a time."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from chalicelib.errors import OmnibusError

CAPABILITIES = (
    "I can rank venues by popularity, recommend concerts by genre and place, look up artists, "
    "sum up the season, and forecast the ticket sales of a concert."
)


def told(tool: str, data: Mapping[str, Any], error: OmnibusError | None, intent: str) -> Iterator[str]:
    """The sentences for a tool's answer, each ending so that the next may follow; for its error, what went wrong."""
    if error is not None:
        if error.status >= 500:
            yield "The concert warehouse cannot answer right now, so I have no figures to give you. "
            yield "Please ask again in a moment."
        else:
            yield f"I cannot answer that: {error.message}."
        return
    yield from _SENTENCES.get(tool, _without_tool)(data, intent)


def _without_tool(_data: Mapping[str, Any], intent: str) -> Iterator[str]:
    if intent == "ticket_prediction":
        yield "Which concert do you mean? "
        yield "Name its id, such as con-000042, or its artist."
        return
    if intent == "unknown":
        yield "I did not understand that. "
    yield CAPABILITIES


def _venues(data: Mapping[str, Any], _intent: str) -> Iterator[str]:
    if not data["venues"]:
        yield "No venue had enough concerts in that time."
        return
    yield f"The most popular venues since {data['since']}: "
    for venue in data["venues"]:
        yield (
            f"{venue['popularity_rank']}. {venue['name']} in {venue['city']}, {venue['total_events']} concerts, "
            f"{venue['avg_attendance_rate']:.0%} full, {money(venue['revenue_per_event'])} a concert. "
        )


def _prediction(data: Mapping[str, Any], _intent: str) -> Iterator[str]:
    concert = data["concert"]
    yield f"{concert['artist']} at {concert['venue']} in {concert['city']} on {concert['event_date']} "
    yield f"should sell tickets for about {money(data['predicted_sales'])}. "
    yield f"My confidence is {data['confidence_level']}, {data['confidence']:.0%}: "
    yield "; ".join(part["reason"] for part in data["confidence_parts"]) + "."


def _recommendations(data: Mapping[str, Any], _intent: str) -> Iterator[str]:
    if not data["recommendations"]:
        yield "I found no scheduled concert like that."
        return
    yield "I would go to: "
    for number, concert in enumerate(data["recommendations"], 1):
        yield (
            f"{number}. {concert['artist']} at {concert['venue']} in {concert['city']} on {concert['event_date']} "
            f"({concert['concert_id']}), because {concert['reasons'][0]}. "
        )


def _artists(data: Mapping[str, Any], _intent: str) -> Iterator[str]:
    if not data["artists"]:
        yield "I know no artist of that name."
        return
    for artist in data["artists"]:
        yield f"{artist['name']} plays {artist['genre']}, popularity {float(artist['popularity_score']):.0f} of 100. "
        if artist["next_concert_id"]:
            yield (
                f"The next of {artist['upcoming_concerts']} concerts is on {artist['next_date']} at "
                f"{artist['next_venue']} in {artist['next_city']} ({artist['next_concert_id']}). "
            )
        else:
            yield "No concert is scheduled. "


def _totals(data: Mapping[str, Any], _intent: str) -> Iterator[str]:
    genres = data["genres"]
    if not genres:
        yield "No concert was completed in that time."
        return
    concerts = sum(genre["concerts"] for genre in genres)
    revenue = sum((Decimal(genre["revenue"]) for genre in genres), Decimal(0))
    yield f"{concerts:,} concerts took {money(revenue)}. "
    for genre in genres[:3]:
        yield f"{genre['genre'].capitalize()}: {genre['concerts']:,} concerts, {money(genre['revenue'])}. "


def money(amount: str | Decimal) -> str:
    """An amount to be read out: whole units, thousands apart."""
    return f"${Decimal(amount):,.0f}"


_SENTENCES = {
    "popular_venues": _venues,
    "predict_ticket_sales": _prediction,
    "recommend_concerts": _recommendations,
    "find_artists": _artists,
    "season_totals": _totals,
}

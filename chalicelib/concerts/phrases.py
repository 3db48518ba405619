"""The local chat's sentences: its reading of the question, and the results of its tools."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from chalicelib.concerts.values import ChatQuestion
from chalicelib.errors import OmnibusError

CAPABILITIES = (
    "I can rank venues by popularity, recommend concerts by genre, place, days and price, look up artists and venues, "
    "sum up the season, and forecast the ticket sales of a concert."
)
SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
TOPICS = {
    "forecast": "a sales forecast",
    "similar": "similar concerts",
    "concerts": "concerts",
    "concert": "one concert",
    "price": "ticket prices",
    "artist": "dates and facts",
    "venue": "a venue",
    "venues": "a ranking of venues",
    "totals": "totals of the season",
    "genres": "the genres",
}
ORDER_NAMES = {
    "revenue": "revenue",
    "attendance_rate": "how full they are",
    "concerts": "the number of concerts",
    "capacity": "seats",
    "popularity": "popularity",
}


def understanding(question: ChatQuestion, arguments: Mapping[str, Any]) -> str:
    """State in one sentence how the question was read, part by part; empty if the message was no question."""
    if not question.topic:
        return ""
    parts = [TOPICS[question.topic]]
    if question.concert_id:
        parts.append(f"of {question.concert_id}")
    if question.artists:
        parts.append(f"of {_or([artist.name for artist in question.artists])}")
    if question.venues:
        parts.append(f"at {_or([venue.name for venue in question.venues])}")
    if question.genres:
        parts.append(f"of {_or(question.genres)}")
    if question.not_genres:
        parts.append(f"without {_or(question.not_genres)}")
    if question.venue_types:
        kinds = _or(question.venue_types)
        parts.append(f"of the type {kinds}" if question.topic == "venues" else f"in venues of the type {kinds}")
    if question.places:
        parts.append(f"in {_or([place.name for place in question.places])}")
    if question.not_places:
        parts.append(f"not in {_or([place.name for place in question.not_places])}")
    if question.not_artists:
        parts.append(f"not by {_or([artist.name for artist in question.not_artists])}")
    parts += _limits(question)
    if question.topic == "venues":
        parts.append(f"by {ORDER_NAMES[question.order_by]}{', lowest first' if question.least_first else ''}")
    if question.which:
        parts.append(f"of {'the last' if question.which < 0 else f'number {question.which}'} in my list")
    if question.count:
        parts.append(f", {question.count} of them")
    return f"You ask for {' '.join(parts).replace(' ,', ',')}."


def _limits(question: ChatQuestion) -> list[str]:
    parts = []
    if question.since and question.until:
        last = question.until - timedelta(days=1)
        parts.append(f"on {last}" if last == question.since else f"from {question.since} to {last}")
    elif question.since:
        parts.append(f"from {question.since} on")
    elif question.until:
        parts.append(f"until {question.until - timedelta(days=1)}")
    if question.min_price is not None:
        parts.append(f"for at least {question.min_price:g}")
    if question.max_price is not None:
        parts.append(f"for at most {question.max_price:g}")
    if question.by_price:
        parts.append(", cheapest first")
    if question.min_capacity is not None:
        parts.append(f"with at least {question.min_capacity:,} seats")
    if question.max_capacity is not None:
        parts.append(f"with at most {question.max_capacity:,} seats")
    return parts


def told(tool: str, data: Mapping[str, Any], error: OmnibusError | None, intent: str) -> Iterator[str]:
    """Put a tool's answer into sentences, or explain its error."""
    if error is not None:
        if error.status >= 500:
            yield "The concert warehouse cannot answer right now, so I have no figures to give you."
            yield "Please ask again in a moment."
        else:
            yield f"I cannot answer that: {error.message.rstrip('.')}."
        return
    yield from _SENTENCES.get(tool, _without_tool)(data, intent)


def _without_tool(_data: Mapping[str, Any], intent: str) -> Iterator[str]:
    if intent == "unknown":
        yield "I did not understand that."
    yield CAPABILITIES


def _venues(data: Mapping[str, Any], _intent: str) -> Iterator[str]:
    if not data["venues"]:
        yield "No venue had enough concerts in that time."
        return
    yield f"Venues, by their concerts from {data['since']} until {data['until']}:"
    for number, venue in enumerate(data["venues"], 1):
        rate, taken = venue["avg_attendance_rate"], venue["revenue_per_event"]
        yield (
            f"{number}. {venue['name']} in {venue['city']}, number {venue['popularity_rank']} in popularity, "
            f"{venue['total_events']} concerts, {'attendance unknown' if rate is None else f'{rate:.0%} full'}, "
            f"{'revenue unknown' if taken is None else f'{money(taken, data)} a concert'}."
        )


def _prediction(data: Mapping[str, Any], _intent: str) -> Iterator[str]:
    concert, interval = data["concert"], data["interval"]
    yield (
        f"{concert['artist']} at {concert['venue']} in {concert['city']} on {concert['event_date']} "
        f"should sell tickets for about {money(data['predicted_sales'], data)}."
    )
    yield (
        f"In {interval['level']:.0%} of cases it is between {money(interval['low'], data)} and "
        f"{money(interval['high'], data)}; my confidence is {data['confidence_level']}."
    )
    if data["unknown"]:
        yield f"I do not know {_and(data['unknown'])}, so the interval is wider."
    yield "I forecast revenue, not the number of tickets."


def _recommendations(data: Mapping[str, Any], _intent: str) -> Iterator[str]:
    if not data["recommendations"]:
        yield "I found no scheduled concert like that."
        return
    yield "I would go to:"
    for number, concert in enumerate(data["recommendations"], 1):
        price = concert["price_from"]
        yield (
            f"{number}. {concert['artist']} ({concert['genre']}) at {concert['venue']} in {concert['city']} on "
            f"{concert['event_date']} ({concert['concert_id']}), "
            f"{'price unknown' if price is None else f'from {money(price, data)}'}, because {concert['reasons'][0]}."
        )


def _concerts(data: Mapping[str, Any], _intent: str) -> Iterator[str]:
    if not data["concerts"]:
        yield "I found no concert like that."
    for number, concert in enumerate(data["concerts"], 1):
        yield f"{number}. {_line(concert)}"


def _concert(data: Mapping[str, Any], _intent: str) -> Iterator[str]:
    yield _line(data)
    yield _prices(data)


def _artists(data: Mapping[str, Any], _intent: str) -> Iterator[str]:
    if not data["artists"]:
        yield "I know no artist of that name."
    for artist in data["artists"]:
        yield f"{artist['name']} plays {artist['genre']}, popularity {float(artist['popularity_score']):.0f} of 100."


def _artist(data: Mapping[str, Any], _intent: str) -> Iterator[str]:
    yield f"{data['name']} plays {data['genre']}, popularity {float(data['popularity_score']):.0f} of 100."
    if not data["upcoming"]:
        yield "No concert is scheduled."
        return
    yield f"The next of {data['upcoming_concerts']} concerts:"
    for number, concert in enumerate(data["upcoming"][:3], 1):
        yield f"{number}. {_line(concert)}"
    yield _prices(data["upcoming"][0])


def _venue_list(data: Mapping[str, Any], _intent: str) -> Iterator[str]:
    if not data["venues"]:
        yield "I know no such venue."
    for number, venue in enumerate(data["venues"], 1):
        yield f"{number}. {_facts(venue)}"


def _venue(data: Mapping[str, Any], _intent: str) -> Iterator[str]:
    yield _facts(data)
    if data["amenities"]:
        yield f"It has {_and(data['amenities'])}."
    if data["upcoming"]:
        concert = data["upcoming"][0]
        yield f"Next there: {concert['artist']} on {concert['event_date']} ({concert['concert_id']})."


def _totals(data: Mapping[str, Any], _intent: str) -> Iterator[str]:
    genres = data["genres"]
    period = f"from {data['since']} until {data['until']}"
    if not genres:
        yield f"No such concert was completed {period}."
        return
    concerts = sum(genre["concerts"] for genre in genres)
    reported = sum(genre["reported_concerts"] for genre in genres)
    revenue = sum((Decimal(genre["revenue"]) for genre in genres if genre["revenue"] is not None), Decimal(0))
    heads = [genre["attendance"] for genre in genres if genre["attendance"] is not None]
    yield f"{period.capitalize()}, {concerts:,} concerts took {money(revenue, data)}, with {sum(heads):,} visitors."
    if reported < concerts:
        yield f"The revenue of {concerts - reported:,} of them was not reported and is not in the sum."
    for genre in genres[:3]:
        taken = "revenue unknown" if genre["revenue"] is None else money(genre["revenue"], data)
        yield f"{genre['genre'].capitalize()}: {genre['concerts']:,} concerts, {taken}."


def _genres(data: Mapping[str, Any], _intent: str) -> Iterator[str]:
    yield f"I know {_and([one['genre'] for one in data['genres']])}."


def _line(concert: Mapping[str, Any]) -> str:
    status = "" if concert["status"] == "scheduled" else f", {concert['status']}"
    return (
        f"{concert['artist']} ({concert['genre']}) at {concert['venue']} in {concert['city']} on "
        f"{concert['event_date']} ({concert['concert_id']}){status}."
    )


def _prices(concert: Mapping[str, Any]) -> str:
    if concert["price_from"] is None:
        return "The ticket prices are unknown."
    return f"Tickets cost {money(concert['price_from'], concert)} to {money(concert['price_to'], concert)}."


def _facts(venue: Mapping[str, Any]) -> str:
    where = ", ".join(part for part in (venue["address"], venue["city"], venue["state"], venue["country"]) if part)
    return f"{venue['name']} is a venue of the type {venue['venue_type']} for {venue['capacity']:,} people at {where}."


def _or(names: Sequence[str]) -> str:
    several = list(dict.fromkeys(names))
    return " or ".join(filter(None, (", ".join(several[:-1]), several[-1])))


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def money(amount: str | Decimal, data: Mapping[str, Any]) -> str:
    """Format an amount in the currency of `data`: whole units, with commas between thousands."""
    currency = str(data.get("currency", "USD"))
    return f"{SIGNS.get(currency, f'{currency} ')}{Decimal(amount):,.0f}"


_SENTENCES = {
    "popular_venues": _venues,
    "predict_ticket_sales": _prediction,
    "recommend_concerts": _recommendations,
    "find_concerts": _concerts,
    "concert_details": _concert,
    "find_artists": _artists,
    "artist_details": _artist,
    "find_venues": _venue_list,
    "venue_details": _venue,
    "season_totals": _totals,
    "list_genres": _genres,
}

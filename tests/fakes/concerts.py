"""The concert domain's ports in memory; `FakeWarehouse` computes in plain Python what one SQL statement computes."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from statistics import fmean
from typing import Any

from msgspec import structs

from chalicelib.concerts.features import LOOKBACK_DAYS
from chalicelib.concerts.models import VenueStanding
from chalicelib.concerts.values import (
    ArtistMatch,
    ChatOutcome,
    ChatSession,
    ConcertOutlook,
    Criteria,
    Delta,
    Estimates,
    GenreTotals,
    Piece,
    ProgrammeItem,
    Turn,
    Vocabulary,
)
from chalicelib.errors import Conflict, OmnibusError

DEMAND_DAYS = 365
CENT = Decimal("0.01")

WEIGHTS = {
    "total_events": 0.15,
    "avg_attendance": 0.10,
    "avg_attendance_rate": 0.20,
    "total_revenue": 0.10,
    "revenue_per_event": 0.15,
    "booking_frequency": 0.15,
    "capacity": 0.05,
    "type_demand": 0.02,
    "city_events": 0.03,
    "distinct_artists": 0.03,
    "repeat_booking": 0.02,
}


@dataclass(frozen=True)
class Artist:
    artist_id: str
    name: str
    genre: str
    popularity_score: Decimal


@dataclass(frozen=True)
class Venue:
    venue_id: str
    name: str
    city: str
    state: str
    country: str
    capacity: int
    venue_type: str


@dataclass(frozen=True)
class Concert:
    concert_id: str
    artist: Artist
    venue: Venue
    event_date: date
    prices: str | None
    attendance: int
    revenue: Decimal
    status: str

    @property
    def rate(self) -> float:
        return min(self.attendance / self.venue.capacity, 1.0) if self.venue.capacity else 0.0


@dataclass
class FakeWarehouse:
    """VenueRanking, Outlooks, Programme and Catalogue over rows in the generator's order; `fail` makes it raise."""

    artists: dict[str, Artist]
    venues: dict[str, Venue]
    concerts: dict[str, Concert]
    sold: dict[str, Decimal]
    ranks: dict[str, int] = field(default_factory=dict)
    fail: OmnibusError | None = None

    @classmethod
    def of(cls, rows: Callable[[str], Iterator[tuple[Any, ...]]]) -> "FakeWarehouse":
        """The warehouse that `rows(table)` describes."""
        artists = {row[0]: Artist(row[0], row[1], row[2], row[3]) for row in rows("artists")}
        venues = {row[0]: Venue(row[0], row[1], row[3], row[4], row[5], row[9], row[10]) for row in rows("venues")}
        concerts = {
            row[0]: Concert(
                row[0], artists[row[1]], venues[row[2]], row[3], row[4], row[5] or 0, row[6] or Decimal(0), row[7]
            )
            for row in rows("concerts")
        }
        sold: dict[str, Decimal] = defaultdict(Decimal)
        for row in rows("ticket_sales"):
            sold[row[1]] += row[5]
        return cls(artists, venues, concerts, dict(sold))

    # -- VenueRanking

    def popular_venues(self, since: date, until: date, *, min_events: int, top_n: int) -> list[VenueStanding]:
        self._check()
        by_venue = _grouped(self._completed(since, until), lambda concert: concert.venue.venue_id)
        by_type = _grouped(self._completed(since, until), lambda concert: concert.venue.venue_type)
        by_city = _grouped(self._completed(since, until), lambda concert: _city(concert.venue))
        figures = []
        for venue_id, concerts in by_venue.items():
            if len(concerts) < min_events:
                continue
            venue = self.venues[venue_id]
            visits = Counter(concert.artist.artist_id for concert in concerts)
            revenue = sum((self.sold.get(concert.concert_id, concert.revenue) for concert in concerts), Decimal(0))
            days = (until - min(concert.event_date for concert in concerts)).days
            figures.append(
                {
                    "venue": venue,
                    "total_events": len(concerts),
                    "avg_attendance": fmean(concert.attendance for concert in concerts),
                    "avg_attendance_rate": fmean(concert.rate for concert in concerts),
                    "total_revenue": revenue,
                    "revenue_per_event": revenue / len(concerts),
                    "booking_frequency": len(concerts) / max(days / 30, 1.0),
                    "capacity": venue.capacity,
                    "type_demand": fmean(concert.rate for concert in by_type[venue.venue_type]),
                    "city_events": len(by_city[_city(venue)]),
                    "distinct_artists": len(visits),
                    "repeat_booking": sum(n for n in visits.values() if n > 1) / len(concerts),
                }
            )
        return _ranked(figures)[:top_n]

    def store_popularity(self, since: date, until: date, min_events: int, calculated_at: datetime) -> int:
        found = self.popular_venues(since, until, min_events=min_events, top_n=1_000_000)
        self.ranks = {standing.venue_id: standing.popularity_rank for standing in found}
        return len(found)

    # -- Outlooks

    def outlooks(self, concert_ids: Sequence[str], as_of: date) -> list[ConcertOutlook]:
        self._check()
        return [self._outlook(self.concerts[name], as_of) for name in set(concert_ids) if name in self.concerts]

    def _outlook(self, concert: Concert, as_of: date) -> ConcertOutlook:
        artist, venue = concert.artist, concert.venue
        past = self._completed(as_of - timedelta(days=LOOKBACK_DAYS), as_of)
        his = [one for one in past if one.artist == artist]
        here = [one for one in past if one.venue == venue]
        genre = [one for one in past if one.artist.genre == artist.genre]
        kind = [one for one in genre if one.venue.venue_type == venue.venue_type]
        town = [one for one in past if _city(one.venue) == _city(venue)]
        takings = sorted(
            {sum(one.revenue for one in group) for group in _grouped(past, lambda one: one.venue).values()},
            reverse=True,
        )
        return ConcertOutlook(
            concert_id=concert.concert_id,
            as_of=as_of,
            event_date=concert.event_date,
            status=concert.status,
            artist_name=artist.name,
            venue_name=venue.name,
            city=venue.city,
            venue_type=venue.venue_type,
            prices=concert.prices,
            artist_popularity_score=float(artist.popularity_score),
            artist_avg_attendance=_mean([one.attendance for one in his]),
            artist_total_concerts=len(his),
            artist_avg_revenue=_mean([float(one.revenue) for one in his]),
            artist_genre_popularity=len(genre) / len(past) if past else 0.0,
            venue_capacity=venue.capacity,
            venue_total_concerts=len(here),
            venue_avg_attendance_rate=_mean([one.rate for one in here]),
            venue_popularity_rank=takings.index(sum(one.revenue for one in here)) + 1 if here else 0,
            venue_location_popularity=len(town) / len(past) if past else 0.0,
            historical_avg_sales=_mean([float(one.revenue) for one in here]),
            historical_max_sales=max((float(one.revenue) for one in here), default=0.0),
            similar_concert_avg_sales=_mean([float(one.revenue) for one in kind]),
        )

    # -- Programme

    def upcoming(self, criteria: Criteria, today: date, top_n: int) -> list[ProgrammeItem]:
        self._check()
        past = self._completed(today - timedelta(days=DEMAND_DAYS), today)
        demand = {
            kind: fmean(one.rate for one in group)
            for kind, group in _grouped(past, lambda one: one.venue.venue_type).items()
        }
        programme = [one for one in self.concerts.values() if one.status == "scheduled" and one.event_date >= today]
        if criteria.genres:
            programme = [one for one in programme if _overlap(one.artist.genre, criteria.genres)]
        if criteria.places:
            programme = [one for one in programme if _nearness(one.venue, criteria.places)]
        most_seats = max((one.venue.capacity for one in programme), default=0)
        most_demand = max((demand.get(one.venue.venue_type, 0.0) for one in programme), default=0.0)
        items = [
            self._item(one, criteria, demand.get(one.venue.venue_type, 0.0), most_seats, most_demand)
            for one in programme
        ]
        return sorted(items, key=lambda item: (-item.score, item.event_date, item.concert_id))[:top_n]

    def _item(
        self, concert: Concert, criteria: Criteria, demand: float, most_seats: int, most_demand: float
    ) -> ProgrammeItem:
        artist, venue = concert.artist, concert.venue
        popularity = float(artist.popularity_score) / 100
        overlap = _overlap(artist.genre, criteria.genres)
        nearness = _nearness(venue, criteria.places)
        size, kind = venue.capacity / most_seats, demand / most_demand if most_demand else 0.0
        by_artist = 0.6 * overlap + 0.4 * popularity
        by_venue = 0.4 * nearness + 0.3 * size + 0.3 * kind
        scores = [score for score, used in ((by_artist, criteria.genres), (by_venue, criteria.places)) if used]
        return ProgrammeItem(
            concert_id=concert.concert_id,
            event_date=concert.event_date,
            artist_id=artist.artist_id,
            artist_name=artist.name,
            genre=artist.genre,
            popularity=popularity,
            shared_genres=len(set(artist.genre.lower().split("/")) & set(criteria.genres)),
            overlap=overlap,
            nearness=nearness,
            venue_id=venue.venue_id,
            venue_name=venue.name,
            city=venue.city,
            state=venue.state,
            country=venue.country,
            venue_type=venue.venue_type,
            capacity=venue.capacity,
            size_share=size,
            demand=demand,
            type_share=kind,
            venue_rank=self.ranks.get(venue.venue_id),
            score=round(max(fmean(scores) if scores else popularity, 0.0001), 6),
        )

    # -- Catalogue

    def artists_mentioned(self, text: str, today: date, top_n: int) -> list[ArtistMatch]:
        self._check()
        named = [artist for artist in self.artists.values() if artist.name.lower() in text.lower()]
        named.sort(key=lambda artist: (-len(artist.name), -artist.popularity_score, artist.artist_id))
        return [self._match(artist, today) for artist in named[:top_n]]

    def _match(self, artist: Artist, today: date) -> ArtistMatch:
        coming = sorted(
            (
                one
                for one in self.concerts.values()
                if one.artist == artist and one.status == "scheduled" and one.event_date >= today
            ),
            key=lambda one: (one.event_date, one.concert_id),
        )
        match = ArtistMatch(
            artist_id=artist.artist_id,
            name=artist.name,
            genre=artist.genre,
            popularity_score=artist.popularity_score,
            upcoming_concerts=len(coming),
            next_concert_id=None,
            next_date=None,
            next_venue=None,
            next_city=None,
        )
        if not coming:
            return match
        first = coming[0]
        return structs.replace(
            match,
            next_concert_id=first.concert_id,
            next_date=first.event_date,
            next_venue=first.venue.name,
            next_city=first.venue.city,
        )

    def vocabulary(self) -> Vocabulary:
        self._check()
        return Vocabulary(
            tuple(sorted({artist.genre for artist in self.artists.values()})),
            tuple(sorted({venue.city for venue in self.venues.values()})),
            tuple(sorted({venue.country for venue in self.venues.values()})),
        )

    def totals(self, since: date, until: date) -> list[GenreTotals]:
        self._check()
        groups = _grouped(self._completed(since, until), lambda one: one.artist.genre)
        found = [
            GenreTotals(
                genre=genre,
                concerts=len(group),
                attendance=sum(one.attendance for one in group),
                revenue=sum((one.revenue for one in group), Decimal(0)),
                avg_attendance_rate=round(fmean(one.rate for one in group), 6),
            )
            for genre, group in groups.items()
        ]
        return sorted(found, key=lambda total: (-total.revenue, total.genre))

    def ping(self) -> None:
        self._check()

    def _completed(self, since: date, until: date) -> list[Concert]:
        return [one for one in self.concerts.values() if one.status == "completed" and since <= one.event_date < until]

    def _check(self) -> None:
        if self.fail is not None:
            raise self.fail


class FakeTicketModel:
    """TicketModel that answers `per_seat` times the capacity, or fails as told."""

    def __init__(self, source: str = "sagemaker", fail: OmnibusError | None = None, per_seat: float = 10.0) -> None:
        self.source = source
        self.fail = fail
        self.per_seat = per_seat
        self.calls: list[list[list[float]]] = []

    def estimate(self, rows: Sequence[Sequence[float]]) -> Estimates:
        self.calls.append([list(row) for row in rows])
        if self.fail is not None:
            raise self.fail
        return Estimates([row[5] * self.per_seat for row in rows], self.source, "fake-1")


class FakeSessions:
    """Sessions in memory; `fail` makes both methods raise, `interfere` runs once before the next save."""

    def __init__(self) -> None:
        self.kept: dict[str, ChatSession] = {}
        self.fail: OmnibusError | None = None
        self.interfere: Callable[[], None] | None = None

    def find(self, session_id: str) -> ChatSession | None:
        if self.fail is not None:
            raise self.fail
        return self.kept.get(session_id)

    def save(self, session: ChatSession) -> None:
        if self.fail is not None:
            raise self.fail
        if self.interfere is not None:
            interfere, self.interfere = self.interfere, None
            interfere()
        known = self.kept.get(session.session_id)
        if session.version != (known.version if known else 0) + 1:
            raise Conflict("The session was changed meanwhile.")
        self.kept[session.session_id] = session


class FakeProvider:
    """ChatProvider that gives its pieces, then raises `fail` if it is set."""

    def __init__(self, source: str, *pieces: Piece, fail: OmnibusError | None = None) -> None:
        self.source = source
        self.pieces = pieces or (Delta("Hello "), Delta("there."), ChatOutcome("general_query", 0.9, {}))
        self.fail = fail
        self.turns: list[Turn] = []

    def answer(self, turn: Turn) -> Iterator[Piece]:
        self.turns.append(turn)
        if self.fail is None:
            yield from self.pieces
            return
        yield from (piece for piece in self.pieces if isinstance(piece, Delta))
        raise self.fail


def _ranked(figures: list[dict[str, Any]]) -> list[VenueStanding]:
    highest = {name: max((float(row[name]) for row in figures), default=0.0) for name in WEIGHTS}
    for row in figures:
        row["score"] = round(
            sum(weight * float(row[name]) / highest[name] for name, weight in WEIGHTS.items() if highest[name]), 6
        )
    ranks = {score: place for place, score in enumerate(sorted({row["score"] for row in figures}, reverse=True), 1)}
    figures.sort(key=lambda row: (-row["score"], row["venue"].venue_id))
    return [
        VenueStanding(
            popularity_rank=ranks[row["score"]],
            venue_id=row["venue"].venue_id,
            name=row["venue"].name,
            city=row["venue"].city,
            state=row["venue"].state,
            country=row["venue"].country,
            venue_type=row["venue"].venue_type,
            capacity=row["capacity"],
            score=row["score"],
            total_events=row["total_events"],
            avg_attendance=round(row["avg_attendance"], 2),
            avg_attendance_rate=round(row["avg_attendance_rate"], 6),
            total_revenue=row["total_revenue"].quantize(CENT, ROUND_HALF_UP),
            revenue_per_event=row["revenue_per_event"].quantize(CENT, ROUND_HALF_UP),
            booking_frequency=round(row["booking_frequency"], 4),
            distinct_artists=row["distinct_artists"],
            repeat_booking=round(row["repeat_booking"], 6),
        )
        for row in figures
    ]


def _grouped(concerts: Sequence[Concert], key: Callable[[Concert], Any]) -> dict[Any, list[Concert]]:
    groups: dict[Any, list[Concert]] = defaultdict(list)
    for concert in concerts:
        groups[key(concert)].append(concert)
    return groups


def _city(venue: Venue) -> tuple[str, str]:
    return venue.country, venue.city


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else 0.0


def _overlap(genre: str, wanted: Sequence[str]) -> float:
    own = set(genre.lower().split("/"))
    return len(own & set(wanted)) / len(own | set(wanted))


def _nearness(venue: Venue, places: Sequence[str]) -> float:
    levels = [(venue.city.lower(), 1.0), (venue.state.lower(), 0.8), (venue.country.lower(), 0.6)]
    if not places or not all(any(place == name for name, _ in levels) for place in places):
        return 0.0
    return max(value for name, value in levels if name in places)

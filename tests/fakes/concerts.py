"""The concert domain's ports in memory; `FakeWarehouse` computes in plain Python what one SQL statement computes."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import combinations
from statistics import fmean
from typing import Any, TypeVar

from chalicelib.concerts.features import LOOKBACK_DAYS
from chalicelib.concerts.models import ChatSessionSummary, GenreTotals, OrderBy, ScorePart, VenueMonth, VenueStanding
from chalicelib.concerts.values import (
    SCORE_WEIGHTS,
    ArtistRow,
    ChatOutcome,
    ChatSession,
    ConcertOutlook,
    ConcertRow,
    Criteria,
    Delta,
    ErrorBand,
    ErrorBands,
    Estimates,
    GenreRow,
    NamedArtist,
    NamedVenue,
    Piece,
    Place,
    ProgrammeItem,
    Turn,
    VenueRow,
    Vocabulary,
    summary_of,
)
from chalicelib.errors import Conflict, OmnibusError

DEMAND_DAYS = 365
CENT = Decimal("0.01")
Thing = TypeVar("Thing")
ERROR_BANDS = ErrorBands(
    0.8,
    {
        name: ErrorBand(0.75, 1.25, 0.8)
        for name in (
            "settled",
            "new artist",
            *(
                " + ".join(names)
                for size in (1, 2, 3)
                for names in combinations(("venue history", "artist history", "prices"), size)
            ),
        )
    },
)


@dataclass(frozen=True)
class FakeArtist:
    artist_id: str
    name: str
    genre: str
    popularity_score: Decimal
    formation_date: date | None = None
    members: str | None = None

    @property
    def parts(self) -> set[str]:
        return set(self.genre.split("/"))


@dataclass(frozen=True)
class FakeVenue:
    venue_id: str
    name: str
    address: str | None
    city: str
    state: str
    country: str
    postal_code: str | None
    latitude: float | None
    longitude: float | None
    capacity: int
    venue_type: str
    amenities: str | None

    @property
    def place(self) -> Place:
        return Place(self.city, self.state, self.country)


@dataclass(frozen=True)
class FakeConcert:
    concert_id: str
    artist: FakeArtist
    venue: FakeVenue
    event_date: date
    prices: str | None
    attendance: int | None
    revenue: Decimal | None
    status: str

    @property
    def rate(self) -> float | None:
        known = self.attendance is not None and self.venue.capacity
        return min(self.attendance / self.venue.capacity, 1.0) if known else None  # type: ignore[operator]

    def suits(self, criteria: Criteria) -> bool:
        """Whether it is what `criteria` asks for."""
        artist, venue, seats = self.artist, self.venue, self.venue.capacity
        return (
            (not criteria.genres or bool(artist.parts & set(criteria.genres)))
            and not artist.parts & set(criteria.without_genres)
            and (not criteria.places or any(venue.place.within(place) for place in criteria.places))
            and not any(venue.place.within(place) for place in criteria.without_places)
            and (not criteria.concerts or self.concert_id in criteria.concerts)
            and (not criteria.artists or artist.artist_id in criteria.artists)
            and artist.artist_id not in criteria.without_artists
            and (not criteria.venues or venue.venue_id in criteria.venues)
            and (
                not any(criteria.named) or artist.artist_id in criteria.named[0] or venue.venue_id in criteria.named[1]
            )
            and (not criteria.venue_types or venue.venue_type in criteria.venue_types)
            and (criteria.min_capacity is None or seats >= criteria.min_capacity)
            and (criteria.max_capacity is None or seats <= criteria.max_capacity)
            and (criteria.since is None or self.event_date >= criteria.since)
            and (criteria.until is None or self.event_date < criteria.until)
        )


@dataclass
class FakeWarehouse:
    """VenueRanking, Outlooks, Programme and Catalogue over rows in the generator's order; `fail` makes it raise."""

    artists: dict[str, FakeArtist]
    venues: dict[str, FakeVenue]
    concerts: dict[str, FakeConcert]
    sold: dict[str, Decimal]
    ranks: dict[str, int] = field(default_factory=dict)
    fail: OmnibusError | None = None
    names: Vocabulary | None = None

    @classmethod
    def of(cls, rows: Callable[[str], Iterator[tuple[Any, ...]]]) -> "FakeWarehouse":
        """The warehouse that `rows(table)` describes."""
        artists = {row[0]: FakeArtist(*row[:6]) for row in rows("artists")}
        venues = {row[0]: FakeVenue(*row[:12]) for row in rows("venues")}
        concerts = {
            row[0]: FakeConcert(row[0], artists[row[1]], venues[row[2]], row[3], row[4], row[5], row[6], row[7])
            for row in rows("concerts")
        }
        sold: dict[str, Decimal] = defaultdict(Decimal)
        for row in rows("ticket_sales"):
            sold[row[1]] += row[5]
        return cls(artists, venues, concerts, dict(sold))

    # -- VenueRanking

    def popular_venues(
        self, criteria: Criteria, *, min_events: int, top_n: int, order_by: OrderBy, least_first: bool
    ) -> list[VenueStanding]:
        self._check()
        assert criteria.since is not None
        assert criteria.until is not None
        since, until = criteria.since, criteria.until
        past = self._completed(since, until)
        by_venue = _grouped([one for one in past if one.suits(criteria)], lambda concert: concert.venue.venue_id)
        by_type = _grouped(past, lambda concert: concert.venue.venue_type)
        by_city = _grouped(past, lambda concert: _city(concert.venue))
        figures = []
        for venue_id, concerts in by_venue.items():
            if len(concerts) < min_events:
                continue
            venue = self.venues[venue_id]
            visits = Counter(concert.artist.artist_id for concert in concerts)
            taken = [self.sold.get(concert.concert_id, concert.revenue) for concert in concerts]
            reported = [one for one in taken if one is not None]
            mean = sum(reported, Decimal(0)) / len(reported) if reported else None
            figures.append(
                {
                    "venue": venue,
                    "reported_events": len(reported),
                    "total_revenue": sum(reported, Decimal(0)) if reported else None,
                    "concerts": len(concerts),
                    "attendance": _mean([concert.attendance for concert in concerts]),
                    "attendance_rate": _mean([concert.rate for concert in concerts]),
                    "revenue": None if mean is None else mean * len(concerts),
                    "revenue_per_event": mean,
                    "booking_frequency": len(concerts) * 30 / (until - since).days,
                    "capacity": venue.capacity or None,
                    "venue_type": _mean([concert.rate for concert in by_type[venue.venue_type]]),
                    "location": len(by_city[_city(venue)]),
                    "artist_diversity": len(visits),
                    "repeat_booking": sum(n for n in visits.values() if n > 1) / len(concerts),
                }
            )
        ranked = _ranked(figures)
        measure = {"popularity": "score", "revenue": "total_revenue", "attendance_rate": "avg_attendance_rate",
                   "concerts": "total_events", "capacity": "capacity"}[order_by]  # fmt: skip
        known = [one for one in ranked if getattr(one, measure) is not None]
        sign = 1 if least_first else -1
        known.sort(key=lambda one: (sign * getattr(one, measure), one.venue_id))
        return [*known, *(one for one in ranked if getattr(one, measure) is None)][:top_n]

    def store_popularity(self, since: date, until: date, min_events: int, calculated_at: datetime) -> int:
        found = self.popular_venues(
            Criteria(since=since, until=until),
            min_events=min_events,
            top_n=1_000_000,
            order_by="popularity",
            least_first=False,
        )
        self.ranks = {standing.venue_id: standing.popularity_rank for standing in found}
        return len(found)

    # -- Outlooks

    def outlooks(self, concert_ids: Sequence[str], as_of: date) -> list[ConcertOutlook]:
        self._check()
        return [self._outlook(self.concerts[name], as_of) for name in set(concert_ids) if name in self.concerts]

    def _outlook(self, concert: FakeConcert, as_of: date) -> ConcertOutlook:
        artist, venue = concert.artist, concert.venue
        past = self._completed(as_of - timedelta(days=LOOKBACK_DAYS), as_of)
        his = [one for one in past if one.artist == artist]
        here = [one for one in past if one.venue == venue]
        genre = [one for one in past if one.artist.genre == artist.genre]
        kind = [one for one in genre if one.venue.venue_type == venue.venue_type]
        town = [one for one in past if _city(one.venue) == _city(venue)]
        sums = {
            venue: _total([one.revenue for one in group])
            for venue, group in _grouped(past, lambda one: one.venue).items()
        }
        takings = sorted({one for one in sums.values() if one is not None}, reverse=True)
        own = sums.get(venue)
        return ConcertOutlook(
            concert_id=concert.concert_id,
            as_of=as_of,
            event_date=concert.event_date,
            status=concert.status,
            artist_id=artist.artist_id,
            artist_name=artist.name,
            venue_id=venue.venue_id,
            venue_name=venue.name,
            city=venue.city,
            venue_type=venue.venue_type,
            prices=concert.prices,
            artist_popularity_score=float(artist.popularity_score),
            artist_avg_attendance=_mean([one.attendance for one in his]),
            artist_total_concerts=len(his),
            artist_avg_revenue=_mean([one.revenue for one in his]),
            artist_genre_popularity=len(genre) / len(past) if past else None,
            venue_capacity=venue.capacity,
            venue_total_concerts=len(here),
            venue_avg_attendance_rate=_mean([one.rate for one in here]),
            venue_popularity_rank=None if own is None else takings.index(own) + 1,
            venue_location_popularity=len(town) / len(past) if past else None,
            historical_avg_sales=_mean([one.revenue for one in here]),
            historical_max_sales=max((float(one.revenue) for one in here if one.revenue is not None), default=None),
            similar_concert_avg_sales=_mean([one.revenue for one in kind]),
        )

    # -- Programme

    def upcoming(self, criteria: Criteria, today: date, top_n: int, *, by_date: bool = False) -> list[ProgrammeItem]:
        self._check()
        past = self._completed(today - timedelta(days=DEMAND_DAYS), today)
        demand = {
            kind: _mean([one.rate for one in group])
            for kind, group in _grouped(past, lambda one: one.venue.venue_type).items()
        }
        programme = [
            one
            for one in self.concerts.values()
            if one.status == "scheduled" and one.event_date >= today and one.suits(criteria)
        ]
        most_seats = max((one.venue.capacity for one in programme), default=0)
        demands = [known for one in programme if (known := demand.get(one.venue.venue_type)) is not None]
        most, mean = max(demands, default=0.0), fmean(demands) if demands else None
        items = [
            self._item(one, criteria, demand.get(one.venue.venue_type), most_seats, most, mean) for one in programme
        ]
        return sorted(items, key=lambda it: (0 if by_date else -it.score, it.event_date, it.concert_id))[:top_n]

    def _item(
        self,
        concert: FakeConcert,
        criteria: Criteria,
        demand: float | None,
        most_seats: int,
        most: float,
        mean: float | None,
    ) -> ProgrammeItem:
        artist, venue = concert.artist, concert.venue
        popularity = float(artist.popularity_score) / 100
        overlap = len(artist.parts & set(criteria.genres)) / len(artist.parts | set(criteria.genres))
        nearness = max((place.nearness for place in criteria.places if venue.place.within(place)), default=0.0)
        likely = mean if demand is None else demand
        size, kind = venue.capacity / most_seats, likely / most if likely is not None and most else 0.5
        by_artist = 0.6 * overlap + 0.4 * popularity
        by_venue = 0.4 * nearness + 0.3 * size + 0.3 * kind
        scores = [score for score, used in ((by_artist, criteria.genres), (by_venue, nearness)) if used]
        return ProgrammeItem(
            concert_id=concert.concert_id,
            event_date=concert.event_date,
            ticket_prices=concert.prices,
            artist_id=artist.artist_id,
            artist_name=artist.name,
            genre=artist.genre,
            popularity=popularity,
            shared_genres=len(artist.parts & set(criteria.genres)),
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

    # -- Listings

    def concerts_after(self, criteria: Criteria, statuses: Sequence[str], after: tuple[date, str]) -> list[FakeConcert]:
        found = [
            one
            for one in self.concerts.values()
            if one.status in statuses and one.suits(criteria) and (one.event_date, one.concert_id) > after
        ]
        return sorted(found, key=lambda one: (one.event_date, one.concert_id))

    def list_concerts(
        self, criteria: Criteria, statuses: Sequence[str], after: tuple[date, str], limit: int
    ) -> list[ConcertRow]:
        self._check()
        return [
            ConcertRow(
                concert_id=one.concert_id,
                event_date=one.event_date,
                status=one.status,
                ticket_prices=one.prices,
                artist_id=one.artist.artist_id,
                artist_name=one.artist.name,
                genre=one.artist.genre,
                popularity_score=one.artist.popularity_score,
                venue_id=one.venue.venue_id,
                venue_name=one.venue.name,
                address=one.venue.address,
                city=one.venue.city,
                state=one.venue.state,
                country=one.venue.country,
                latitude=one.venue.latitude,
                longitude=one.venue.longitude,
                venue_type=one.venue.venue_type,
                capacity=one.venue.capacity,
            )
            for one in self.concerts_after(criteria, statuses, after)[:limit]
        ]

    def list_artists(self, artist_ids: Sequence[str], since: date, today: date) -> list[ArtistRow]:
        self._check()
        found = [self._artist_row(self.artists[one], since, today) for one in artist_ids if one in self.artists]
        return sorted(found, key=lambda row: (row.name, row.artist_id))

    def _artist_row(self, artist: FakeArtist, since: date, today: date) -> ArtistRow:
        own = Criteria(artists=(artist.artist_id,))
        coming = self.concerts_after(own.but(since=today), ("scheduled",), (date.min, ""))
        past = self.concerts_after(own.but(since=since, until=today), ("completed",), (date.min, ""))
        first = coming[0] if coming else None
        mean, rate = _mean([one.attendance for one in past]), _mean([one.rate for one in past])
        return ArtistRow(
            artist_id=artist.artist_id,
            name=artist.name,
            genre=artist.genre,
            popularity_score=artist.popularity_score,
            formation_date=artist.formation_date,
            members=artist.members,
            upcoming_concerts=len(coming),
            next_concert_id=first.concert_id if first else None,
            next_date=first.event_date if first else None,
            next_venue_id=first.venue.venue_id if first else None,
            next_venue=first.venue.name if first else None,
            next_city=first.venue.city if first else None,
            past_concerts=len(past),
            avg_attendance=None if mean is None else round(mean, 2),
            avg_attendance_rate=None if rate is None else round(rate, 6),
        )

    def list_venues(self, venue_ids: Sequence[str], today: date) -> list[VenueRow]:
        self._check()
        found = [
            VenueRow(
                **{name: getattr(self.venues[one], name) for name in FakeVenue.__dataclass_fields__},
                popularity_rank=self.ranks.get(one),
                upcoming_concerts=len(
                    self.concerts_after(Criteria(venues=(one,), since=today), ("scheduled",), (date.min, ""))
                ),
            )
            for one in venue_ids
            if one in self.venues
        ]
        return sorted(found, key=lambda row: (row.name, row.venue_id))

    def venue_history(self, venue_id: str, since: date, until: date) -> list[VenueMonth]:
        self._check()
        past = self.concerts_after(
            Criteria(venues=(venue_id,), since=since, until=until), ("completed",), (date.min, "")
        )
        return [
            VenueMonth(
                month=month,
                concerts=len(group),
                reported_concerts=sum(one.revenue is not None for one in group),
                avg_attendance=_mean([one.attendance for one in group]),
                avg_attendance_rate=_mean([one.rate for one in group]),
                revenue=_total([one.revenue for one in group]),
            )
            for month, group in sorted(_grouped(past, lambda one: one.event_date.replace(day=1)).items())
        ]

    # -- ConcertCatalogue

    def vocabulary(self) -> Vocabulary:
        self._check()
        if self.names is None:
            self.names = Vocabulary(
                genres=tuple(sorted({artist.genre for artist in self.artists.values()})),
                places=tuple(
                    sorted({one.place for one in self.venues.values()}, key=lambda it: (it.city, it.state, it.country))
                ),
                venue_types=tuple(sorted({venue.venue_type for venue in self.venues.values()})),
                artists=tuple(NamedArtist(one.artist_id, one.name, one.genre) for one in self.artists.values()),
                venues=tuple(
                    NamedVenue(one.venue_id, one.name, one.place, one.venue_type) for one in self.venues.values()
                ),
            )
        return self.names

    def genres(self, today: date) -> list[GenreRow]:
        self._check()
        groups = _grouped(list(self.artists.values()), lambda artist: artist.genre)
        coming = Counter(
            one.artist.genre for one in self.concerts_after(Criteria(since=today), ("scheduled",), (date.min, ""))
        )
        return [
            GenreRow(genre=genre, artists=len(group), upcoming_concerts=coming[genre])
            for genre, group in sorted(groups.items())
        ]

    def totals(self, criteria: Criteria) -> list[GenreTotals]:
        self._check()
        past = self.concerts_after(criteria, ("completed",), (date.min, ""))
        found = []
        for genre, group in _grouped(past, lambda one: one.artist.genre).items():
            heads, rate = (
                [one.attendance for one in group if one.attendance is not None],
                _mean([one.rate for one in group]),
            )
            found.append(
                GenreTotals(
                    genre=genre,
                    concerts=len(group),
                    reported_concerts=sum(one.revenue is not None for one in group),
                    attendance=sum(heads) if heads else None,
                    revenue=_total([one.revenue for one in group]),
                    avg_attendance_rate=None if rate is None else round(rate, 6),
                )
            )
        return sorted(found, key=lambda total: (-(total.revenue or 0), total.genre))

    def ping(self) -> None:
        self._check()

    def _completed(self, since: date, until: date) -> list[FakeConcert]:
        return [one for one in self.concerts.values() if one.status == "completed" and since <= one.event_date < until]

    def _check(self) -> None:
        if self.fail is not None:
            raise self.fail


class FakeListings:
    """Listings over a FakeWarehouse, whose own attributes have the ports' names."""

    def __init__(self, warehouse: FakeWarehouse) -> None:
        self.concerts = warehouse.list_concerts
        self.artists = warehouse.list_artists
        self.venues = warehouse.list_venues
        self.venue_history = warehouse.venue_history


class FakeTicketModel:
    """TicketModel that answers `per_seat` times the capacity, or fails as told."""

    def __init__(self, source: str = "sagemaker", fail: OmnibusError | None = None, per_seat: float = 10.0) -> None:
        self.source = source
        self.fail = fail
        self.per_seat = per_seat
        self.calls: list[list[list[float | None]]] = []

    def estimate(self, rows: Sequence[Sequence[float | None]]) -> Estimates:
        self.calls.append([list(row) for row in rows])
        if self.fail is not None:
            raise self.fail
        return Estimates([(row[5] or 0) * self.per_seat for row in rows], self.source, "fake-1")


class FakeSessions:
    """Sessions in memory; `fail` makes both methods raise, `interfere` runs once before the next save."""

    def __init__(self) -> None:
        self.kept: dict[str, ChatSession] = {}
        self.stops: dict[str, datetime] = {}
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

    def of_owner(self, owner: str, limit: int) -> list[ChatSessionSummary]:
        if self.fail is not None:
            raise self.fail
        own = [summary_of(one) for one in self.kept.values() if one.owner == owner and one.exchanges]
        return sorted(own, key=lambda one: one.updated_at, reverse=True)[:limit]

    def forget(self, session_id: str) -> None:
        if self.fail is not None:
            raise self.fail
        self.kept.pop(session_id, None)

    def ask_to_stop(self, answer: str, now: datetime) -> None:
        self.stops[answer] = now

    def asked_to_stop(self, answer: str, since: datetime) -> bool:
        return answer in self.stops and self.stops[answer] >= since


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
    highest = {
        name: max((float(row[name]) for row in figures if row[name] is not None), default=0.0) for name in SCORE_WEIGHTS
    }
    for row in figures:
        known = sum(weight for name, weight in SCORE_WEIGHTS.items() if row[name] is not None)
        row["parts"] = {
            name: None if row[name] is None else weight * float(row[name]) / (highest[name] or 1) / known
            for name, weight in SCORE_WEIGHTS.items()
        }
        row["score"] = round(sum(part for part in row["parts"].values() if part is not None), 6)
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
            latitude=row["venue"].latitude,
            longitude=row["venue"].longitude,
            venue_type=row["venue"].venue_type,
            capacity=row["venue"].capacity,
            score=row["score"],
            contributions=[
                ScorePart(name=name, weight=weight, contribution=row["parts"][name])
                for name, weight in SCORE_WEIGHTS.items()
            ],
            total_events=row["concerts"],
            reported_events=row["reported_events"],
            avg_attendance=_rounded(row["attendance"], 2),
            avg_attendance_rate=_rounded(row["attendance_rate"], 6),
            total_revenue=_cents(row["total_revenue"]),
            revenue_per_event=_cents(row["revenue_per_event"]),
            booking_frequency=round(row["booking_frequency"], 4),
            distinct_artists=row["artist_diversity"],
            repeat_booking=round(row["repeat_booking"], 6),
        )
        for row in figures
    ]


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _cents(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else amount.quantize(CENT, ROUND_HALF_UP)


def _total(amounts: Sequence[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if known else None


def _grouped(concerts: Sequence[Thing], key: Callable[[Thing], Any]) -> dict[Any, list[Thing]]:
    groups: dict[Any, list[Thing]] = defaultdict(list)
    for concert in concerts:
        groups[key(concert)].append(concert)
    return groups


def _city(venue: FakeVenue) -> tuple[str, str]:
    return venue.country, venue.city


def _mean(values: Sequence[float | Decimal | None]) -> float | None:
    known = [float(value) for value in values if value is not None]
    return fmean(known) if known else None

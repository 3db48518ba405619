"""A small generated season, and the concert services over it, all in memory."""

import functools
import itertools
from collections.abc import Iterator
from datetime import date
from typing import Any

from chalicelib.concerts.conversation import Conversation
from chalicelib.concerts.guide import ConcertGuide
from chalicelib.concerts.lexicon import Lexicons
from chalicelib.concerts.popularity import Totals, VenuePopularity
from chalicelib.concerts.ports import ChatProvider, TicketModel
from chalicelib.concerts.recommendations import Recommender
from chalicelib.concerts.router import LocalRouter
from chalicelib.concerts.tickets import TicketForecast
from chalicelib.concerts.tools import Toolbox
from local.season.generator import Season, generate
from local.season.names import VENUE_KINDS
from tests.fakes.clock import Clock
from tests.fakes.concerts import ERROR_BANDS, FakeConcert, FakeListings, FakeSessions, FakeTicketModel, FakeWarehouse

TODAY = date(2026, 11, 21)
VENUE_TYPES = sorted(kind.name for kind in VENUE_KINDS)


@functools.cache
def small_season() -> Season:
    """4,000 sales of 400 concerts around TODAY, which is the tests' clock's day."""
    return generate(4_000, today=TODAY, seed=7)


@functools.cache
def _small_rows(table: str) -> tuple[tuple[Any, ...], ...]:
    return tuple(small_season().rows(table))


def small_rows(table: str) -> Iterator[tuple[Any, ...]]:
    """The rows of one of its tables, which are made once."""
    return iter(_small_rows(table))


class ConcertWorld:
    """The concert services as bootstrap makes them, over fakes; what is not given answers well."""

    def __init__(
        self, *models: TicketModel, providers: tuple[ChatProvider, ...] = (), season: Season | None = None
    ) -> None:
        self.clock = Clock()
        self.warehouse = FakeWarehouse.of(season.rows if season else small_rows)
        self.listings = FakeListings(self.warehouse)
        self.lexicons = Lexicons(self.warehouse)
        self.sessions = FakeSessions()
        self.popularity = VenuePopularity(self.warehouse, self.lexicons, self.clock, "USD")
        self.totals = Totals(self.warehouse, self.lexicons, self.clock, "USD")
        self.forecast = TicketForecast(
            self.warehouse, list(models) or [FakeTicketModel()], VENUE_TYPES, ERROR_BANDS, self.clock
        )
        self.recommender = Recommender(self.warehouse, self.listings, self.lexicons, self.clock, "USD")
        self.guide = ConcertGuide(self.listings, self.warehouse, self.lexicons, self.clock, "USD")
        self.toolbox = Toolbox(self.popularity, self.forecast, self.recommender, self.totals, self.guide)
        self.router = LocalRouter(self.toolbox, self.lexicons, self.clock)
        numbers = itertools.count(1)
        self.conversation = Conversation(
            (*providers, self.router), self.sessions, self.clock, lambda: f"chat-{next(numbers)}"
        )

    def concert(self, status: str = "scheduled", *, past: bool = False) -> FakeConcert:
        """Some concert of a status, to come or past."""
        return next(
            one for one in self.warehouse.concerts.values() if one.status == status and (one.event_date < TODAY) == past
        )

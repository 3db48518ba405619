"""A small generated season, and the concert services over it, all in memory."""

import functools
import itertools
from datetime import date

from chalicelib.concerts.conversation import Conversation
from chalicelib.concerts.popularity import VenuePopularity
from chalicelib.concerts.ports import ChatProvider, TicketModel
from chalicelib.concerts.recommendations import Recommender
from chalicelib.concerts.router import LocalRouter
from chalicelib.concerts.tickets import TicketForecast
from chalicelib.concerts.tools import Toolbox
from local.season.generator import Season, generate
from local.season.names import VENUE_KINDS
from tests.fakes.clock import Clock
from tests.fakes.concerts import Concert, FakeSessions, FakeTicketModel, FakeWarehouse

TODAY = date(2026, 11, 21)
VENUE_TYPES = sorted(kind.name for kind in VENUE_KINDS)


@functools.cache
def small_season() -> Season:
    """4,000 sales of 400 concerts around TODAY, which is the tests' clock's day."""
    return generate(4_000, today=TODAY, seed=7)


class ConcertWorld:
    """The concert services as bootstrap makes them, over fakes; what is not given answers well."""

    def __init__(self, *models: TicketModel, providers: tuple[ChatProvider, ...] = ()) -> None:
        self.clock = Clock()
        self.warehouse = FakeWarehouse.of(small_season().rows)
        self.sessions = FakeSessions()
        self.popularity = VenuePopularity(self.warehouse, self.clock)
        self.forecast = TicketForecast(self.warehouse, models or (FakeTicketModel(),), VENUE_TYPES, self.clock)
        self.recommender = Recommender(self.warehouse, self.clock)
        self.toolbox = Toolbox(self.popularity, self.forecast, self.recommender, self.warehouse, self.clock)
        self.router = LocalRouter(self.toolbox, self.warehouse)
        numbers = itertools.count(1)
        self.conversation = Conversation(
            (*providers, self.router), self.sessions, self.clock, lambda: f"chat-{next(numbers)}"
        )

    def concert(self, status: str = "scheduled", *, past: bool = False) -> Concert:
        """Some concert of a status, to come or past."""
        return next(
            one for one in self.warehouse.concerts.values() if one.status == status and (one.event_date < TODAY) == past
        )

"""SpendSense's services over people in memory."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from chalicelib.spendsense.catalogue import packaged_catalogue, packaged_policy
from chalicelib.spendsense.desk import OperatorDesk
from chalicelib.spendsense.identity import Doorkeeper
from chalicelib.spendsense.imports import Imports
from chalicelib.spendsense.jobs import InsightJobs
from chalicelib.spendsense.models import ConsentRecord, ProfileChange
from chalicelib.spendsense.orders import JobOrder
from chalicelib.spendsense.people import Profiles
from chalicelib.spendsense.reading import OwnRecords
from chalicelib.wiring import Services
from tests.app.conftest import Answer
from tests.app.spendsense.tokens import token
from tests.contract.spendsense_people import JOBS, NOW, TODAY, account, owned, rows, subject, transaction
from tests.fakes.spendsense import FakePeople
from tests.fakes.spendsense_aws import FakeAnnouncements, FakePools


@pytest.fixture
def people() -> FakePeople:
    return FakePeople()


@pytest.fixture
def announcements() -> FakeAnnouncements:
    return FakeAnnouncements()


@pytest.fixture(autouse=True)
def wired(services: Services, people: FakePeople, announcements: FakeAnnouncements) -> None:
    def clock() -> Any:
        return NOW

    catalogue = packaged_catalogue()
    imports = Imports(ledger=people, announcements=announcements, clock=clock)
    wired = services.spendsense
    wired.doorkeeper = Doorkeeper(pools=FakePools(), audit=people, clock=clock)
    wired.profiles = Profiles(
        people=people, consents=people, announcements=announcements, policy=packaged_policy(), clock=clock
    )
    wired.imports = imports
    wired.own = OwnRecords(
        records=people, people=people, explanations=people, audit=people, catalogue=catalogue, clock=clock
    )
    wired.desk = OperatorDesk(
        oversight=people,
        people=people,
        explanations=people,
        reviews=people,
        imports=imports,
        catalogue=catalogue,
        audit=people,
        clock=clock,
    )
    wired.jobs = InsightJobs(
        pipeline=people, announcements=announcements, clock=clock, count=lambda name, value: None, reserve_s=0.0
    )


@pytest.fixture
def call(api: Callable[..., Answer]) -> Callable[..., Answer]:
    """Call as a person: `call(ANN, "GET", path, body)`."""

    def as_person(person: UUID, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        sent = {**token(person), **{name.replace("_", "-"): value for name, value in headers.items()}}
        return api(method, path, body, sent)

    return as_person


@pytest.fixture
def joined(people: FakePeople) -> FakePeople:
    """Ann and Bob with rows, consent, and everything computed."""
    for name in ("ann", "bob"):
        people.register(subject(name), ProfileChange(display_name=name.title()), NOW)
        people.record(subject(name), ConsentRecord(granted=True, policy_version="1", recorded_at=NOW))
        given = rows(
            [account(), account("credit card", 700.0, limit=1000.0)],
            [transaction(2 * number, 10.0 + number, merchant="Shop") for number in range(12)],
        )
        people.save(subject(name), owned(name, given), NOW)
    for job in JOBS:
        people.begin(job, JobOrder("night", TODAY), NOW)
        people.advance(job, JobOrder("night", TODAY), 10, NOW)
    return people

"""The socket channel `me`: each change once, to its own person, regardless of the sockets' faults."""

from collections.abc import Mapping
from typing import Any

import pytest

from chalicelib.errors import Gone, NotFound, RateLimited, UpstreamUnavailable
from chalicelib.spendsense.imports import Imports
from chalicelib.spendsense.jobs import InsightJobs
from chalicelib.spendsense.models import ConsentRecord, ImportQuery, Operator, ProfileChange
from chalicelib.spendsense.orders import JobOrder
from chalicelib.spendsense.progress import MOST_LISTENERS, ProgressFeed
from chalicelib.spendsense.values import Listener
from tests.contract.spendsense_people import JOBS, NOW, TODAY, account, owned, rows, subject, transaction
from tests.fakes.spendsense import FakeListeners, FakePeople
from tests.fakes.spendsense_aws import FakeAnnouncements

ANN, BOB = subject("ann"), subject("bob")
CSV = b"transaction_id,account_id,date,amount,payment_channel,pending\nnew,ann:checking,2026-11-20,5,other,false\n"


class Sockets:
    """The feed over people in memory; what is posted is kept, but for sockets that fail by their name."""

    def __init__(self) -> None:
        self.people = FakePeople()
        self.listeners = FakeListeners(self.people)
        self.posted: list[tuple[str, tuple[bool, bool]]] = []
        self.feed = ProgressFeed(self.listeners, self.post, lambda: NOW)
        for name in ("ann", "bob"):
            person = subject(name)
            self.people.register(person, ProfileChange(display_name=name), NOW)
            self.people.record(person, ConsentRecord(granted=True, policy_version="1", recorded_at=NOW))
            self.people.save(person, owned(name, rows([account()], [transaction(3, 10.0)])), NOW)

    def post(self, listener: Listener, message: Mapping[str, Any]) -> None:
        if listener.id == "closed":
            raise Gone("closed")
        if listener.id == "broken":
            raise UpstreamUnavailable("down")
        assert message["action"] == "PROGRESS"
        self.posted.append((listener.id, (message["progress"].features_due, message["progress"].is_current)))

    def run(self, **options: Any) -> None:
        jobs = InsightJobs(
            pipeline=self.people, announcements=FakeAnnouncements(), clock=lambda: NOW,
            count=lambda name, value: None, reserve_s=0.0, tell=self.feed.tell,
        )  # fmt: skip
        for job in JOBS:
            jobs.run(job, JobOrder("night", TODAY, **options), lambda: 100.0)


@pytest.fixture
def sockets() -> Sockets:
    return Sockets()


def test_a_night_tells_each_person_of_their_own_stages(sockets: Sockets) -> None:
    sockets.feed.listen(ANN, "a", "https://sockets")
    sockets.feed.listen(BOB, "b", "https://sockets")
    assert sockets.posted == [("a", (True, False)), ("b", (True, False))], "each is told at once how it is"
    sockets.run()
    for socket in ("a", "b"):
        steps = [step for name, step in sockets.posted if name == socket]
        assert steps[0] == (True, False)
        assert steps[-1] == (False, True)
        assert [step for step in steps if step == (False, True)] == [(False, True)], "the end is told once"


def test_a_run_for_one_person_tells_nobody_else(sockets: Sockets) -> None:
    sockets.feed.listen(ANN, "a", "https://sockets")
    sockets.feed.listen(BOB, "b", "https://sockets")
    sockets.posted.clear()
    sockets.run(subject=ANN)
    assert {name for name, _ in sockets.posted} == {"a"}


def test_an_import_is_told_and_its_preview_is_not(sockets: Sockets) -> None:
    sockets.run()
    sockets.feed.listen(ANN, "a", "https://sockets")
    sockets.posted.clear()
    imports = Imports(
        ledger=sockets.people, announcements=FakeAnnouncements(), clock=lambda: NOW, tell=sockets.feed.tell
    )
    by = Operator(operator=BOB, request_id="1")
    imports.take(ANN, CSV, "text/csv", ImportQuery(dry_run=True), by)
    assert sockets.posted == []
    imports.take(ANN, CSV, "text/csv", ImportQuery(), by)
    assert sockets.posted == [("a", (True, False))]


def test_a_closed_socket_is_forgotten_and_holds_up_nothing(sockets: Sockets) -> None:
    for socket in ("closed", "open"):
        sockets.feed.listen(ANN, socket, "https://sockets")
    assert [name for name, _ in sockets.posted] == ["open"]
    assert [listener.id for listener in sockets.listeners.open] == ["open"]


def test_a_gateway_that_is_down_fails_no_job(sockets: Sockets) -> None:
    sockets.feed.listen(ANN, "broken", "https://sockets")
    sockets.run()
    progress = sockets.people.progress(ANN)
    assert progress is not None
    assert progress.is_current


def test_without_a_profile_and_with_too_many_sockets(sockets: Sockets) -> None:
    with pytest.raises(NotFound):
        sockets.feed.listen(subject("nobody"), "x", "https://sockets")
    for number in range(MOST_LISTENERS):
        sockets.feed.listen(ANN, str(number), "https://sockets")
    with pytest.raises(RateLimited):
        sockets.feed.listen(ANN, "one more", "https://sockets")

"""The socket channel `runs`: each verdict once, regardless of the sockets' faults."""

import pytest

from chalicelib.errors import RateLimited
from chalicelib.flights.feed import MOST_WATCHERS
from tests.unit.flights.vectors import bad, good
from tests.unit.flights.world import ID, PROCESSED, World


def test_each_verdict_is_told_once_to_every_socket() -> None:
    world = World()
    world.feed.watch("a", "https://sockets")
    world.feed.watch("b", "https://sockets")
    world.run_through(good())
    assert [(socket, message["action"], message["run"].status) for socket, message in world.posted] == [
        ("a", "RUN", "VALIDATED"),
        ("b", "RUN", "VALIDATED"),
    ]
    world.validation.validate(PROCESSED)
    assert len(world.posted) == 2, "a repeated event is no new verdict"


def test_a_closed_socket_is_forgotten_and_holds_up_nothing() -> None:
    world = World()
    for socket in ("closed", "open"):
        world.feed.watch(socket, "https://sockets")
    assert world.run_through(bad()).tracking_id == ID
    assert [socket for socket, _ in world.posted] == ["open"]
    assert [watcher.id for watcher in world.guard.watchers()] == ["open"]


def test_a_gateway_that_is_down_fails_no_validation() -> None:
    world = World()
    world.feed.watch("broken", "https://sockets")
    assert world.run_through(good()).status == "VALIDATED"


def test_there_are_not_too_many() -> None:
    world = World()
    for number in range(MOST_WATCHERS):
        world.feed.watch(str(number), "https://sockets")
    with pytest.raises(RateLimited):
        world.feed.watch("one more", "https://sockets")

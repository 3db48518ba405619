"""Replays: the snapshots of a range, and idempotency."""

import msgspec
import pytest

from chalicelib.errors import InvalidInput
from chalicelib.flights import keys
from chalicelib.flights.models import ReplayRequest
from chalicelib.flights.status import RunStatus
from tests.unit.flights.vectors import TIME, good
from tests.unit.flights.world import ID, PROCESSED, RAW, World


def replay(start: str, end: str) -> ReplayRequest:
    return msgspec.convert({"from": start, "to": end}, ReplayRequest)


def test_a_replay_asks_for_every_raw_snapshot_of_the_range_and_no_other() -> None:
    world = World()
    times = [TIME - 1, TIME, TIME + 300, TIME + 3600, TIME + 7200]
    for time in times:
        world.put(b"", keys.raw_key(time))
    started = world.replays.start(replay("2025-11-21T12:00:00Z", "2025-11-21T14:00:00Z"))
    assert world.reprocessing.requested == [keys.raw_key(time) for time in times[1:4]]
    assert started.snapshots == 3
    assert started.tracking_ids == [keys.tracking_id(time) for time in times[1:4]]
    again = world.replays.start(replay("2025-11-21T13:00:00+01:00", "2025-11-21T15:00:00+01:00"))
    assert again.replay_id == started.replay_id, "the same range in another zone is the same replay"


def test_a_replay_passes_over_what_is_no_snapshot() -> None:
    world = World()
    folder = RAW.rpartition("/")[0]
    for key in (f"{folder}/", f"{folder}/notes.txt", RAW, f"{folder}/old/states_{TIME + 1}.json.gz"):
        world.put(b"", key)
    assert world.replays.start(replay("2025-11-21T12:00:00Z", "2025-11-21T13:00:00Z")).tracking_ids == [ID]
    assert world.reprocessing.requested == [RAW]


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        ("2025-11-21T12:00:00Z", "2025-11-21T12:00:00Z", "a time after from"),
        ("2025-11-21T12:00:00Z", "2025-11-21T11:00:00Z", "a time after from"),
        ("2025-11-21T12:00:00Z", "2025-11-22T12:00:01Z", "at most 24 hours"),
        ("0001-01-01T00:00:00+01:00", "2025-11-22T12:00:01Z", "from: is 0001"),
        ("2025-11-21T12:00:00Z", "9999-12-31T23:59:59-01:00", "to: is 9999"),
    ],
)
def test_a_replay_of_no_or_too_long_a_range_is_refused(start: str, end: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        World().replays.start(replay(start, end))


def test_a_replay_run_twice_changes_nothing() -> None:
    world = World()
    world.run_through(good())
    objects = dict(world.bucket.objects)
    for _ in range(2):
        world.replays.start(replay("2025-11-21T12:00:00Z", "2025-11-21T13:00:00Z"))
        for key in world.reprocessing.requested:
            world.processing.process(key, again=True)
            world.validation.validate(PROCESSED)
    assert {key: body for key, body in world.bucket.objects.items() if not key.startswith("reports/")} == {
        key: body for key, body in objects.items() if not key.startswith("reports/")
    }
    assert world.run().status is RunStatus.VALIDATED

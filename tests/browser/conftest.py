"""A real browser: Debian's chromium, driven by Playwright. Tests are skipped where either is missing."""

from collections.abc import Generator, Iterator
from typing import Any

import pytest

from infra import console
from local.cloud import Cloud
from local.demo import screens
from tests.browser.console import Visitor
from tests.browser.seed import Seed, sow


@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    """The browser; not for longer, for its event loop would be in the way of tests that run one of their own."""
    lacking = screens.missing()
    if lacking:
        pytest.skip(lacking)
    with screens.chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def seed(cloud: Cloud) -> Seed:
    """What the console shows; sown once for all modules."""
    if console.node() is None:
        pytest.skip("Node is not installed: make web")
    return sow(cloud)


@pytest.fixture(scope="package")
def browser(seed: Seed, chromium: Any) -> Any:
    """The browser, with the console built and something in it."""
    return chromium


@pytest.fixture(scope="package")
def everybody(cloud: Cloud, browser: Any) -> Iterator[dict[str, Visitor]]:
    """A visitor, a customer and an operator, each in a browser of their own, for all tests."""
    people = {name: Visitor(cloud, browser, name) for name in ("", "alice", "olga")}
    yield people
    for person in people.values():
        person.context.close()


@pytest.fixture
def visitor(everybody: dict[str, Visitor]) -> Iterator[Visitor]:
    yield everybody[""]
    everybody[""].check()


@pytest.fixture
def alice(everybody: dict[str, Visitor]) -> Iterator[Visitor]:
    yield everybody["alice"]
    everybody["alice"].check()


@pytest.fixture
def olga(everybody: dict[str, Visitor]) -> Iterator[Visitor]:
    yield everybody["olga"]
    everybody["olga"].check()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what the open pages show to the report of a test that failed."""
    report = yield
    if call.when == "call" and report.failed:
        report.sections += [person.state() for person in Visitor.all if not person.page.is_closed()]
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies here."""
    for item in items:
        if "/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.cloud)

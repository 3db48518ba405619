"""A real browser: Debian's chromium, driven by Playwright. Tests are skipped where either is missing."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.demo import screens


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The browser; not for longer, for its event loop would be in the way of tests that run one of their own."""
    lacking = screens.missing()
    if lacking:
        pytest.skip(lacking)
    with screens.chromium() as browser:
        yield browser


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies here."""
    for item in items:
        if "/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.cloud)

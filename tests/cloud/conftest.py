"""One local cloud for the whole session, in a folder of its own: the developer's is never touched."""

from collections.abc import Iterator

import pytest

from local.cloud import Cloud, down, up


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A running local cloud whose schedules do not fire: what a test sees is what it started."""
    home = tmp_path_factory.mktemp("cloud")
    try:
        yield up(home, parameters={"Schedules": "DISABLED"})
    finally:
        down(home)

"""What every test shares: an environment that is complete and points at nothing real."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import moto.core.models  # noqa: F401  # patches botocore's sessions from here on; one made earlier would go to AWS
import pytest

from tests.environment import ENVIRONMENT
from tests.properties import load_profile

if TYPE_CHECKING:
    from local.cloud import Cloud

load_profile()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of the deployed application, without any account of the person who runs the tests."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "OMNIBUS_ENVIRONMENT_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


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

"""The packaged template, packaged once for all tests that read it."""

import json
from typing import Any

import pytest

from infra.package import package
from infra.template.plain import plain


@pytest.fixture(scope="session")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is deployed to `dev`, but for the libraries and their layers."""
    out = tmp_path_factory.mktemp("packaged")
    loaded: dict[str, Any] = json.loads(package("dev", out).read_text())
    return loaded


@pytest.fixture(scope="session")
def transformed(packaged: dict[str, Any]) -> dict[str, Any]:
    """The same after SAM's transform: what CloudFormation deploys."""
    return plain(packaged)

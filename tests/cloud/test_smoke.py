"""`make smoke` against the local cloud: every check passes, and a failing check is reported."""

import httpx
import pytest

from infra.operate.smoke import CHECKS, Deployed, smoke
from local.cloud import STACK, Cloud

pytestmark = pytest.mark.cloud


def told(cloud: Cloud, token: str) -> tuple[int, list[str]]:
    lines: list[str] = []
    with httpx.Client(base_url=f"{cloud.rest_url}/", timeout=60) as http:
        return smoke(Deployed(http, STACK, cloud.client, token), lines.append), lines


def test_every_check_passes(cloud: Cloud) -> None:
    failed, lines = told(cloud, cloud.operator_token)
    assert (failed, len(lines)) == (0, len(CHECKS)), lines
    assert all(line.startswith("  ok") for line in lines), lines


def test_without_the_token_what_needs_it_is_skipped(cloud: Cloud) -> None:
    failed, lines = told(cloud, "")
    assert failed == 0, lines
    assert sum(line.startswith("  skipped") for line in lines) == 2


def test_what_is_not_as_it_should_be_is_told(cloud: Cloud) -> None:
    failed, lines = told(cloud, "guessed")
    assert failed == 2, lines
    assert any("GET /predictions answers 403" in line for line in lines)

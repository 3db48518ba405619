"""The audit of dependencies: an incomplete audit never counts as complete."""

import json
from typing import Any

import pytest

from infra.operate.audit import PINNED, ROOT, Said, audit, main

SOUND = {"name": "msgspec", "version": "0.22.0", "vulns": []}
UNKNOWN = {"name": "boto3", "skip_reason": "Dependency not found"}
VULNERABLE = {
    "name": "urllib3",
    "version": "1.0",
    "vulns": [{"id": "PYSEC-2020-1", "fix_versions": ["1.1"], "aliases": [], "description": "bad"}],
}


def said(*dependencies: dict[str, Any]) -> Any:
    return lambda _file: Said(json.dumps({"dependencies": dependencies, "fixes": []}), "")


@pytest.mark.parametrize(
    ("ask", "lenient", "strict", "words"),
    [
        (said(SOUND), 0, 0, "infra/layers/base.txt: 1 packages without a known vulnerability"),
        (said(SOUND, UNKNOWN), 0, 1, "NOT AUDITED, the advisory service does not know them: 1: boto3"),
        (said(SOUND, VULNERABLE), 1, 1, "VULNERABLE urllib3 1.0: PYSEC-2020-1, fixed in 1.1"),
        (
            lambda _file: Said("", "Traceback\nConnectionError: no route"),
            0,
            1,
            "NOT AUDITED: the advisory service could",
        ),
        (lambda _file: Said("", ""), 0, 1, "it printed nothing"),
    ],
)
def test_what_was_found_decides(
    capsys: pytest.CaptureFixture[str], ask: Any, lenient: int, strict: int, words: str
) -> None:
    assert main(ask, {}) == lenient
    assert words in (output := capsys.readouterr().out)
    assert ("NOT ALL PACKAGES WERE AUDITED" in output) == (lenient == 0 and strict == 1)
    assert main(ask, {"OMNIBUS_REQUIRE_AUDIT": "1"}) == strict


def test_what_ships_is_audited_and_is_pinned() -> None:
    assert {"infra/layers/base.txt", "infra/layers/arrow.txt", "infra/layers/ml.txt"} < set(PINNED)
    for file in PINNED:
        assert "==" in (ROOT / file).read_text()
    assert audit("requirements.txt", said(UNKNOWN, SOUND)).is_whole is False

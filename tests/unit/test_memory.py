"""The worst inputs of functions, each in a process that may take no more memory than the function has.

The emulator of Lambda has no limit, so only this test shows it. Predictions have a separate test.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.limited import BOMBS, IMPORTS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FUNCTIONS: dict[str, dict[str, Any]] = json.loads((ROOT / ".chalice" / "config.json").read_text())["lambda_functions"]
OURS = 0.8
"""The share of a function's memory that is its code's; the rest is the runtime's, extensions' and mapped libraries'."""


def run(case: str, function: str) -> dict[str, Any]:
    """What a case gives within the memory of a function."""
    mib = int(FUNCTIONS[function]["lambda_memory_size"] * OURS)
    command = [sys.executable, "-m", "tests.unit.limited", case, str(mib)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{case} within {mib} MiB: {done.stderr[-2000:]}"
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", BOMBS)
def test_a_compressed_snapshot_beyond_every_limit_is_refused(name: str) -> None:
    assert run(f"bomb:{name}", "process_flights")["code"] in {"too_large", "invalid_input"}


def test_a_snapshot_of_eight_times_the_worlds_aircraft_comes_through_both_steps() -> None:
    assert run("rows", "validate_flights")["rows"] == 100_000


@pytest.mark.parametrize("name", ["zeros", "empty lists", "one text", "half a character", "many keys"])
def test_the_largest_answer_that_is_read_is_kept_or_set_aside(name: str) -> None:
    assert run(f"poll:{name}", "ingest_flights")["outcome"] in {"fetched", "empty", "malformed"}


@pytest.mark.parametrize("name", IMPORTS)
def test_a_bank_file_of_the_largest_size_is_read_or_refused(name: str) -> None:
    answer = run(f"import:{name}", "api_handler")
    assert answer["status"] in ({200} if name == "rows" else {400, 413, 422}), answer


@pytest.mark.parametrize("name", ["small objects", "commas"])
def test_the_largest_file_that_api_gateway_takes_is_refused(name: str) -> None:
    answer = run(f"large import:{name}", "api_handler")
    assert (answer["status"], "too_large" in answer["body"]) == (413, True), answer


def test_a_photo_of_the_largest_size_is_judged_by_its_head() -> None:
    assert run("photo", "upload_completed")["status"] == "REJECTED"

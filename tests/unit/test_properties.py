"""Property tests do not depend on how fast the machine is, nor on chance unless `make fuzz` asks for it."""

import ast
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.properties import FUZZ_TIMES, FUZZING, UNTIMED, examples

TESTS = Path(__file__).parents[1]
OWN = {"properties.py", "test_properties.py"}


def test_the_profile_measures_no_time() -> None:
    assert settings.default.deadline is None
    assert HealthCheck.too_slow in settings.default.suppress_health_check
    assert settings.default.derandomize is not FUZZING


def test_other_numbers_of_examples_keep_the_profile() -> None:
    own = examples(7, HealthCheck.data_too_large)
    assert own.max_examples == (7 * FUZZ_TIMES if FUZZING else 7)
    assert own.deadline is None
    assert own.derandomize is not FUZZING
    assert set(own.suppress_health_check) == {*UNTIMED, HealthCheck.data_too_large}


@pytest.mark.slow
def test_no_test_has_settings_of_its_own() -> None:
    found = [
        f"{path.relative_to(TESTS)}:{node.lineno}"
        for path in TESTS.rglob("*.py")
        if path.name not in OWN
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "hypothesis"
        if "settings" in {alias.name for alias in node.names}
    ]
    assert found == [], "use tests.properties.examples"

"""Property tests: one profile for all, which no slow machine fails and which finds tomorrow what it found today.

`make test` draws the same examples each time. `make fuzz` draws fresh ones, FUZZ_TIMES as many; Hypothesis prints how
to replay what fails.
"""

import os

from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

FUZZING = os.environ.get("OMNIBUS_FUZZ") == "1"
FUZZ_TIMES = 20
EXAMPLES = 50
UNTIMED = (HealthCheck.too_slow,)
"""The health checks that measure time. The others judge what is generated, and stay."""

settings.register_profile(
    "reproducible", max_examples=EXAMPLES, deadline=None, suppress_health_check=UNTIMED, derandomize=True
)
settings.register_profile(
    "fuzz", deadline=None, suppress_health_check=UNTIMED, max_examples=EXAMPLES * FUZZ_TIMES, print_blob=True
)


def load_profile() -> None:
    """Let every property test run by the profile of this run.

    Hypothesis also draws the constants of our modules, but only of those that earlier tests have loaded: a test would
    draw other examples in the whole suite than alone. No setting turns this off.
    """
    providers._get_local_constants = Constants
    settings.load_profile("fuzz" if FUZZING else "reproducible")


def examples(count: int = EXAMPLES, *allowed: HealthCheck, steps: int = 50) -> settings:
    """Settings for a test that needs another number of examples; `allowed` are health checks that it means to fail."""
    return settings(
        max_examples=count * (FUZZ_TIMES if FUZZING else 1),
        stateful_step_count=steps,
        suppress_health_check=[*UNTIMED, *allowed],
    )

"""SnapStart: Lambda snapshots a version's process after its start, and starts workers from the snapshot.

Modules that were loaded before the snapshot are ready in every worker. Everything that must differ between workers is
made later: the first call opens connections, ids and tokens come from the system's random numbers, and the generators
of Python and numpy get a new seed.
"""

import random
import sys
from collections.abc import Callable, Mapping

SNAPSTART = "snap-start"


def load_for_snapshot(environ: Mapping[str, str], load: Callable[[str], None]) -> None:
    """If Lambda will snapshot this process, call `load` with the function's name in app.py."""
    if environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != SNAPSTART:
        return
    from snapshot_restore_py import register_after_restore  # part of Lambda's own runtime

    load(environ["AWS_LAMBDA_FUNCTION_NAME"].rpartition("-")[2])
    register_after_restore(_seed)


def _seed() -> None:
    """Seed the generators of random numbers that all workers of a snapshot would share."""
    random.seed()
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()

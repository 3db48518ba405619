"""How much load a test makes: a little in `make test`, all of it in `make load`; CI runs both."""

import os

FULL = os.environ.get("OMNIBUS_FULL_LOAD") == "1"


def sized(small: int, full: int) -> int:
    """The size for this run. A test that asks for one has the mark `load`."""
    return full if FULL else small

"""The packaged catalogue as plain JSON values, for tests that change something in it."""

from importlib.resources import files
from typing import Any

import msgspec

from chalicelib.spendsense.catalogue import PARTS

FOLDER = files("chalicelib.spendsense.declared")
DECLARED: dict[str, Any] = {name: msgspec.json.decode((FOLDER / f"{name}.json").read_bytes()) for name in PARTS}

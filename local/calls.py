"""The permitted AWS calls of a local cloud's functions, which show the used grants of a policy.

Each server appends to one file: a line for each access key, action and resource, and one for each key's function.
"""

import json
import re
from pathlib import Path

CALLS_FILE = "OMNIBUS_LOCAL_CALLS"
"""The variable that holds the file's path; without it, nothing is recorded."""
ISSUED = "sts:AssumeRole"
_KEY = re.compile(r"AWS4-HMAC-SHA256 Credential=([A-Z0-9]+)/")


class Calls:
    """Records each call once."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._known: set[tuple[str, str, str]] = set()

    def note(self, key: str, action: str, resource: str) -> None:
        """Record that the holder of an access key did `action` on `resource`."""
        call = (key, action, resource)
        if self._path and call not in self._known:
            self._known.add(call)
            with open(self._path, "a", encoding="utf-8") as file:  # a line of several processes is written whole
                file.write(json.dumps(call) + "\n")

    def note_signed(self, authorization: str, action: str) -> None:
        """Record a call to one of our own servers, which knows only the signature's access key."""
        if found := _KEY.match(authorization):
            self.note(found[1], action, "*")


def read_calls(path: Path) -> set[tuple[str, str, str]]:
    """The function, the action and the resource of every call that a function made."""
    calls = [tuple(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    functions = {key: name for key, action, name in calls if action == ISSUED}
    return {(functions[key], *call) for key, *call in calls if key in functions and call[0] != ISSUED}

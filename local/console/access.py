"""Who may sign in as a test user with one click: whoever holds the key that the console's address carries.

The server listens on the loopback address, where every account of this machine reaches it. It gives the test users'
passwords to holders of the key alone. The key is made of the passwords: it changes with them, and nobody reads either
but the owner of `cloud.json`.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping

Users = Mapping[str, Mapping[str, str]]

KEY_HEADER = "X-Console-Key"


def key_of(users: Users) -> str:
    """The key to the passwords of these users."""
    return hashlib.sha256(json.dumps({"console": dict(users)}, sort_keys=True).encode()).hexdigest()[:32]


def opens(users: Users, key: str) -> bool:
    """Is that the key? Compared in constant time."""
    return hmac.compare_digest(key_of(users).encode(), key.encode())


def address(console_url: str, users: Users) -> str:
    """The console's address with the key, for its owner's terminal; browsers send no fragment to anybody."""
    return f"{console_url}/#/?key={key_of(users)}"

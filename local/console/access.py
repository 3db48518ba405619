"""One-click sign-in as a test user, for visitors with the key in the console's address.

Every account of this machine can reach the server on the loopback address. It gives the test users' passwords only to
visitors with the key. The key is derived from the passwords and changes with them; only the owner of `cloud.json` can
read them.
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
    """Whether this is the key; compared in constant time."""
    return hmac.compare_digest(key_of(users).encode(), key.encode())


def address(console_url: str, users: Users) -> str:
    """The console's address with the key, for its owner's terminal; browsers do not send the fragment."""
    return f"{console_url}/#/?key={key_of(users)}"

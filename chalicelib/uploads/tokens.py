"""The two secrets of a session: the owner token of the desktop, and the upload token of the phone.

A session id identifies a session and proves nothing. Only hashes are stored. They include the purpose and the session,
so a secret is valid only for its own purpose and session.
"""

import hashlib
import hmac
import secrets
from typing import Literal

from chalicelib.errors import Forbidden, Unauthenticated

Side = Literal["owner", "upload"]

HEADERS: dict[Side, str] = {"owner": "X-Owner-Token", "upload": "X-Upload-Token"}
MAX_LENGTH = 128


def new_token() -> str:
    """A random secret of 128 bits, safe in URLs."""
    return secrets.token_urlsafe(16)


def hashed(side: Side, session_id: str, token: str) -> str:
    """A token's stored hash: SHA-256, in hexadecimal. The token is random, so it needs no salt or stretching."""
    return hashlib.sha256(f"{side}:{session_id}:{token}".encode()).hexdigest()


def matches(side: Side, session_id: str, token: str, known_hash: str) -> bool:
    """Does `token` match `known_hash`? Takes the same time whatever the answer."""
    return len(token) <= MAX_LENGTH and hmac.compare_digest(hashed(side, session_id, token), known_hash)


def require(side: Side, session_id: str, token: str | None, known_hash: str) -> None:
    """Require a side's token; Unauthenticated without a token, Forbidden with another one."""
    if not token:
        name = HEADERS[side]
        raise Unauthenticated(f"{name}: is missing; expected the {side} token that POST /sessions returned")
    if not matches(side, session_id, token, known_hash):
        raise Forbidden(f"{HEADERS[side]}: is not this session's {side} token")


def phone_token(session_id: str, upload_token: str) -> str:
    """The session and the phone's secret as one text, for the QR code."""
    return f"{session_id.replace('-', '')}.{upload_token}"

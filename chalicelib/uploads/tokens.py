"""The two secrets of a session: the desktop's, which owns it, and the phone's, which may upload to it.

A session id names a session and proves nothing. Only hashes are stored; the purpose and the session are hashed
along, so that neither secret opens the other's door, nor another session's.
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
    """What is stored of a token: SHA-256, in hexadecimal. The token is random, so it needs no salt or stretching."""
    return hashlib.sha256(f"{side}:{session_id}:{token}".encode()).hexdigest()


def matches(side: Side, session_id: str, token: str, known_hash: str) -> bool:
    """Is `token` the one that `known_hash` was made of? Takes the same time whatever the answer."""
    return len(token) <= MAX_LENGTH and hmac.compare_digest(hashed(side, session_id, token), known_hash)


def require(side: Side, session_id: str, token: str | None, known_hash: str) -> None:
    """Let the holder of a side's token pass; Unauthenticated without a token, Forbidden with another."""
    if not token:
        name = HEADERS[side]
        raise Unauthenticated(f"{name}: is missing; expected the {side} token that POST /sessions returned")
    if not matches(side, session_id, token, known_hash):
        raise Forbidden(f"{HEADERS[side]}: is not this session's {side} token")


def phone_token(session_id: str, upload_token: str) -> str:
    """What the QR code carries: the session and the phone's secret, as one text."""
    return f"{session_id.replace('-', '')}.{upload_token}"

"""Callers of SpendSense's routes, and their tokens as API Gateway passes them on."""

import base64
from typing import Any
from uuid import UUID

import msgspec

from tests.contract.spendsense_people import subject
from tests.fakes.spendsense_aws import POOL

ANN, BOB, OLGA = subject("ann"), subject("bob"), subject("olga")
ME = "/api/v1/users/me"


def token(person: UUID, *groups: str, **claims: Any) -> dict[str, str]:
    """What API Gateway lets through: its signature is the gateway's business, the rest is asked again."""
    payload: dict[str, Any] = {
        "sub": str(person),
        "cognito:username": str(person),
        "iss": POOL.issuer,
        "aud": "client",
        "token_use": "id",
        **claims,
    }
    if groups:
        payload["cognito:groups"] = list(groups)
    encoded = base64.urlsafe_b64encode(msgspec.json.encode(payload)).decode().rstrip("=")
    return {"Authorization": f"e30.{encoded}.c2lnbmVk"}


OPERATOR = token(OLGA, "operators")

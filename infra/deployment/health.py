"""Migrate the database of a stack that was just deployed, and check that the stack answers."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from infra.deployment.account import Tell
from infra.deployment.problems import DeploymentError

ATTEMPTS = 10
EVERY_S = 3.0
ANSWER_S = 30.0


def migrate(functions: Any, function: str, tell: Tell) -> None:
    """Run the function that migrates the database schema; DeploymentError if it fails."""
    answer = functions.invoke(FunctionName=function, Payload=b"{}")
    said = json.loads(answer["Payload"].read() or b"null")
    # The error that the function raised, or its answer if it refuses.
    if "FunctionError" in answer or (isinstance(said, dict) and "error" in said):
        raise DeploymentError(
            f"the database was not migrated: {json.dumps(said)}. The rest is deployed; fix the cause, and deploy again"
        )
    tell(f"  migrated: {json.dumps(said)}")


def check(url: str, tell: Tell, pause: Callable[[float], None] = time.sleep) -> None:
    """Ask `/health` until it answers 200; DeploymentError with the last answer if it does not.

    Just after a deployment, API Gateway may still serve the old version.
    """
    address = f"{url.rstrip('/')}/health"
    for attempt in range(ATTEMPTS):
        if attempt:
            pause(EVERY_S)
        problem = _asked(address)
        if problem is None:
            tell(f"  {address} answers 200")
            return
    raise DeploymentError(f"{address} does not answer as expected: {problem}. The stack is deployed; see its logs")


def _asked(address: str) -> str | None:
    """The problem with the answer, or None."""
    try:
        with urllib.request.urlopen(address, timeout=ANSWER_S) as answer:
            body = answer.read().decode(errors="replace")
            return None if answer.status == 200 else f"{answer.status}: {body}"
    except urllib.error.HTTPError as error:
        return f"{error.code}: {error.read().decode(errors='replace')}"
    except OSError as error:
        return str(error)

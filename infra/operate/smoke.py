"""Run ten checks through a deployed stage's real endpoints: `make smoke STAGE=prod`.

All checks are read-only except one upload, which is deleted again, and one scored row. A check without its input, such
as the operators' token, is skipped, and the output says so.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from infra.deployment.account import Client, client_of
from infra.deployment.problems import DeploymentError
from infra.deployment.stack import Stack
from infra.deployment.stages import read_stage
from infra.package import ROOT
from infra.template.names import ALIAS

ANSWER_S, UPLOAD_S, EVERY_S = 30.0, 60.0, 1.0
PHOTO = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")
"""The smallest JPEG image that is accepted: its first and its last bytes."""
ROWS = ROOT / "local" / "events" / "predict_tickets.json"


class SmokeError(Exception):
    """A check failed; the message says what it found instead."""


class Skipped(Exception):
    """A check cannot run here; the message says why."""


@dataclass(frozen=True)
class Deployed:
    """A deployed stage: its REST API, the operators' token if given, its functions."""

    http: httpx.Client
    stack: str
    client: Client
    token: str = ""
    pause: Callable[[float], None] = time.sleep

    def ask(self, method: str, path: str, *expected: int, **options: Any) -> Any:
        """The answer's body as JSON; SmokeError unless its status is one of `expected`."""
        answer = self.http.request(method, path, **options)
        if answer.status_code not in expected:
            raise SmokeError(f"{method} /{path} answers {answer.status_code}: {answer.text[:200]}")
        has_json = answer.content and answer.headers.get("content-type", "").startswith("application/json")
        return answer.json() if has_json else {}

    @property
    def operator(self) -> dict[str, str]:
        """An operator's header; Skipped without the token."""
        if not self.token:
            raise Skipped("no operators' token was given (OMNIBUS_PARAMETER_OperatorToken)")
        return {"X-Operator-Token": self.token}


def health(deployed: Deployed) -> None:
    """The application answers"""
    deployed.ask("GET", "health", 200)


def description(deployed: Deployed) -> None:
    """The API describes itself"""
    if not deployed.ask("GET", "openapi.json", 200).get("paths"):
        raise SmokeError("openapi.json has no paths")


def unknown_path(deployed: Deployed) -> None:
    """An unknown path is refused with our error body"""
    if "error" not in deployed.ask("GET", "no-such-path", 403, 404):
        raise SmokeError("the refusal has no error body: the gateway's responses are not ours")


def other_method(deployed: Deployed) -> None:
    """A method that a path does not have is refused with 405"""
    deployed.ask("DELETE", "health", 405)


def sign_in(deployed: Deployed) -> None:
    """A person's data requires a sign-in"""
    deployed.ask("GET", "api/v1/users/me/profile", 401)


def operators_only(deployed: Deployed) -> None:
    """Only operators can see jobs"""
    deployed.ask("GET", "predictions", 403)
    deployed.ask("GET", "predictions", 200, headers=deployed.operator)


def flights(deployed: Deployed) -> None:
    """The latest flights, or none yet"""
    deployed.ask("GET", "flights/latest?limit=1", 200, 404)


def dependencies(deployed: Deployed) -> None:
    """Every dependency answers"""
    deployed.ask("GET", "health?deep=1", 200, headers=deployed.operator)


def upload(deployed: Deployed) -> None:
    """A photo is uploaded, accepted and deleted again"""
    session = deployed.ask("POST", "sessions", 201)
    own = {"X-Owner-Token": session["ownerToken"]}
    try:
        asked = {"X-Upload-Token": session["uploadToken"]}
        form = deployed.ask("GET", f"upload-url?sessionId={session['sessionId']}", 200, headers=asked)["form"]
        fields = {**form["fields"], "Content-Type": "image/jpeg"}
        posted = httpx.post(form["url"], data=fields, files={"file": ("photo", PHOTO, "image/jpeg")}, timeout=ANSWER_S)
        if posted.status_code not in (201, 204):
            raise SmokeError(f"the bucket answers {posted.status_code}: {posted.text[:200]}")
        for _ in range(int(UPLOAD_S / EVERY_S)):
            state = deployed.ask("GET", f"sessions/{session['sessionId']}", 200, headers=own)
            if state["status"] in ("COMPLETED", "REJECTED"):
                break
            deployed.pause(EVERY_S)
        if state["status"] != "COMPLETED":
            raise SmokeError(f"the upload is {state['status']} after a minute")
    finally:
        deployed.ask("DELETE", f"sessions/{session['sessionId']}", 200, 204, headers=own)


def scoring(deployed: Deployed) -> None:
    """The ticket model scores a row"""
    rows = json.loads(ROWS.read_text(encoding="utf-8"))["rows"][:1]
    function = f"{deployed.stack}-predict_tickets:{ALIAS}"
    answer = deployed.client("lambda").invoke(FunctionName=function, Payload=json.dumps({"rows": rows}).encode())
    said = json.loads(answer["Payload"].read())
    if "FunctionError" in answer or "result" not in said:
        raise SmokeError(f"{function} answers {said}")


CHECKS = (
    *(health, description, unknown_path, other_method, sign_in),
    *(operators_only, flights, dependencies, upload, scoring),
)


def smoke(deployed: Deployed, tell: Callable[[str], None]) -> int:
    """Run every check and print its result; return the number of failures."""
    failed = 0
    for check in CHECKS:
        title = (check.__doc__ or "").strip()
        try:
            check(deployed)
            tell(f"  ok       {title}")
        except Skipped as reason:
            tell(f"  skipped  {title}: {reason}")
        except (SmokeError, httpx.HTTPError, ClientError, BotoCoreError, KeyError, ValueError) as error:
            failed += 1
            tell(f"  FAILED   {title}: {error}")
    return failed


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Run the checks on the stage that the command line names; return 1 if one failed."""
    parser = argparse.ArgumentParser(prog="smoke", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--stage", required=True, choices=("dev", "staging", "prod"))
    try:
        stage = read_stage(parser.parse_args(arguments).stage, environ)
        client = client_of(stage)
        outputs = Stack(client("cloudformation"), stage.stack, print).outputs()
        if "RestUrl" not in outputs:
            raise DeploymentError(f"there is no stack {stage.stack} with a REST API in this account and region")
    except (DeploymentError, ClientError, BotoCoreError) as error:
        print(f"smoke: {error}", file=sys.stderr)
        return 1
    token = str(stage.given.get("OperatorToken", ""))
    with httpx.Client(base_url=f"{outputs['RestUrl']}/", timeout=ANSWER_S) as http:
        return 1 if smoke(Deployed(http, stage.stack, client, token), print) else 0


if __name__ == "__main__":
    sys.exit(main())

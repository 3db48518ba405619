"""Replacements for commands of Chalice's command line, and fixes for `chalice local`.

app.py imports this module only under Chalice's command line. Some commands ignore `infra/`: on their own they
would make functions without variables and layers, and exit with 0.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

INFRA = Path("infra", "package.py")
"""A file that exists in this project, but not in projects rendered or copied from it."""
REFUSED = {
    "deploy": "run `make resources STAGE={stage}` once, then `make chalice-deploy STAGE={stage}`;"
    " `make deploy STAGE={stage}` deploys everything by CloudFormation",
    "delete": "run `make chalice-delete STAGE={stage}` after `chalice deploy`, or `make destroy STAGE={stage}`",
}
SIMPLE = {"pkg_format": "cloudformation", "single_file": False, "merge_template": None, "template_format": "json"}
"""The options with which `chalice package` gives the same result as `make package`."""


def stand_in() -> None:
    """Run the replacement of the current command, or refuse it in one sentence; return if Chalice's own suffices."""
    import click

    context = click.get_current_context(silent=True)
    if context is None:
        return
    if context.info_name == "local":
        mend_local()
    elif (Path(context.obj["project_dir"]) / INFRA).exists():
        _replace(str(context.info_name), context.params)
    elif context.info_name == "deploy":
        mend_deploy()


def mend_deploy() -> None:
    """Let a route accept JSON as text and CSV as bytes: `App.raw_body` decodes both, Chalice cannot."""
    from chalice.deploy import validate

    validate.validate_route_content_types = lambda routes, binary_types: None


def _replace(command: str, options: Mapping[str, Any]) -> None:
    if command in REFUSED:
        sys.exit(f"chalice {command}: {REFUSED[command].format(stage=options['stage'])}.")
    if command != "package":
        return
    if options["pkg_format"] == "terraform":
        sys.exit("chalice package: for Terraform, run `make package` and use the module in infra/terraform.")
    if other := [name for name, value in SIMPLE.items() if options[name] != value]:
        named = ", ".join(f"--{name.replace('_', '-')}" for name in other)
        sys.exit(f"chalice package: {named} cannot be used here; `chalice package --stage STAGE OUT` writes all of it.")
    arguments = ["--stage", options["stage"], "--out", options["out"]]
    sys.exit(subprocess.run([sys.executable, "-m", "infra.package", *arguments], check=False).returncode)


def mend_local() -> None:
    """Make `chalice local` answer like API Gateway instead of dropping the connection or asking for a signature."""
    from chalice.local import LocalGateway, LocalGatewayAuthorizer

    decode: Callable[[Any, str], Mapping[str, Any]] = LocalGatewayAuthorizer._decode_jwt_payload
    handle: Callable[..., Any] = LocalGateway.handle_request

    def claims_or_none(self: Any, token: str) -> Mapping[str, Any]:
        try:
            return decode(self, token)
        except (ValueError, IndexError):
            return {}  # unauthenticated, which the routes refuse

    def handle_or_404(self: Any, method: str, path: str, headers: Any, body: Any) -> Any:
        try:
            self.event_converter._route_matcher.match_route(path)
        except ValueError:
            return not_found(path)
        return handle(self, method, path, headers, body)

    LocalGatewayAuthorizer._decode_jwt_payload = claims_or_none  # type: ignore[assignment, method-assign]
    LocalGateway.handle_request = handle_or_404  # type: ignore[method-assign]


def not_found(path: str) -> dict[str, Any]:
    """The response to a path without a route."""
    error = {"code": "not_found", "message": f"There is no {path.partition('?')[0]}.", "request_id": "local"}
    return {
        "statusCode": 404,
        "headers": {"Content-Type": "application/json"},
        "multiValueHeaders": {},
        "body": json.dumps({"error": error}),
    }

"""The commands of a deployment: `python -m infra.deployment deploy --stage dev`. The Makefile calls them."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from infra.deployment import console, inner_loop, parameters, release, removal
from infra.deployment.account import client_of
from infra.deployment.problems import DeploymentError
from infra.deployment.project import ROOT
from infra.deployment.release import Site
from infra.deployment.stages import read_stage

STAGES = ("dev", "staging", "prod")
INNER_LOOP_STAGES = ("dev",)


def main(arguments: list[str] | None = None, ask: Callable[[str], str] = input) -> int:
    """Run one command; on failure, print the error to stderr and return 1."""
    options = _parser().parse_args(arguments)
    try:
        stage = read_stage(options.stage, os.environ)
        site = Site(stage, client_of(stage), lambda line: print(line, flush=True))
        _run(options, site, ask)
    except (DeploymentError, ClientError, BotoCoreError) as error:
        print(f"{options.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{options.command}: interrupted; CloudFormation continues, or rolls back, by itself", file=sys.stderr)
        return 130
    return 0


def _run(options: argparse.Namespace, site: Site, ask: Callable[[str], str]) -> None:
    if (
        options.command in {"resources", "chalice-deploy", "chalice-delete"}
        and site.stage.name not in INNER_LOOP_STAGES
    ):
        raise DeploymentError(
            f"the inner loop is for {', '.join(INNER_LOOP_STAGES)}; {site.stage.name} gets `make deploy`"
        )
    match options.command:
        case "preflight":
            release.preflight(site, parameters.read_template(options.package / "sam.json"))
            site.tell(f"{site.stage.name} can be deployed as {site.stage.stack}")
        case "deploy":
            outputs = release.deploy(site, options.package)
            console.publish(site, outputs, options.package)
        case "resources":
            inner_loop.make_resources(site, options.package)
        case "chalice-deploy":
            outputs = inner_loop.chalice_deploy(site, options.package)
            given = site.stage.given
            migrated = bool(given.get("DatabaseSecretArn") or given.get("DatabaseUrl"))
            release.verify(site, outputs, migrated=migrated)
        case "chalice-delete":
            inner_loop.chalice_delete(site)
        case "destroy":
            removal.destroy(
                site, confirmed=options.confirm, asked=ask, empty=options.empty, second_word=options.second_word
            )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.deployment", description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    told = {
        "preflight": "list everything that is missing or malformed, and change nothing",
        "deploy": "create or update the stage's stack from the package",
        "resources": "create everything but the functions, and the project for chalice deploy",
        "chalice-deploy": "run chalice deploy over the stage's resources",
        "chalice-delete": "remove what chalice deploy created",
        "destroy": "delete the stage's stack",
    }
    for name, does in told.items():
        command = commands.add_parser(name, help=does)
        command.add_argument("--stage", choices=STAGES, required=True)
        command.add_argument("--package", type=Path, default=ROOT / "dist", help="the folder that `make package` wrote")
        if name == "destroy":
            command.add_argument("--confirm", default="", help="the stack's name")
            command.add_argument("--empty", action="store_true", help="empty the buckets that the deletion removes")
            command.add_argument("--second-word", default="", help="the second confirmation for prod")
    return parser


if __name__ == "__main__":
    sys.exit(main())

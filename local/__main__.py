"""The command line of the local cloud: `python -m local up`, `down`, `status`, `logs`."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.package import PackagingError
from local import cloud, logs
from local.console.access import address
from local.deploy import DeployFailed
from local.users import MEMBER as OPERATOR


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return exit status 1 if it failed."""
    options = _parser().parse_args(arguments)
    try:
        status = _do(options)
        sys.stdout.flush()
        return status
    except (cloud.CloudError, DeployFailed, PackagingError, PermissionError) as error:
        print(f"{options.command}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader, such as `head`, has closed; without dup2, Python complains at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description="The local cloud.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what in (
        ("up", "start it, or deploy your changes into it"),
        ("down", "stop it"),
        ("status", "show its processes"),
        ("logs", "show its functions' logs"),
    ):
        command = commands.add_parser(name, help=what)
        command.add_argument("--home", type=Path, default=cloud.HOME, help="its folder (default: .local)")
        if name == "logs":
            command.add_argument("--function", default="", help="one function, e.g. process_flights")
            command.add_argument("--minutes", type=float, default=60, help="how far back (default: 60)")
            command.add_argument("--follow", action="store_true", help="keep following until interrupted")
            command.add_argument("--raw", action="store_true", help="show the original JSON")
    return parser


def _do(options: argparse.Namespace) -> int:
    if options.command == "up":
        found = cloud.up(options.home, progress=lambda line: print(line, flush=True))
        print(f"the console is at {address(found.console_url, found.users)}")
        print(f"addresses and credentials are in {cloud.cloud_file(Path(found.home))}")
        return 0
    if options.command == "down":
        print("stopped" if cloud.down(options.home, progress=print) else "nothing was running")
        return 0
    if options.command == "status":
        return _status(options.home)
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for line in logs.lines(cloud.read(options.home), options.function, options.minutes, follow=options.follow):
        shown = line.partition(": ")[2] if options.raw else logs.readable(line, coloured=coloured)
        if shown is not None:
            print(shown, flush=True)
    return 0


def _status(home: Path) -> int:
    lines = cloud.status(home)
    if not lines:
        print("nothing is running; start it with `make up`")
        return 1
    print(f"{'':12} {'pid':>8} {'port':>6}  health")
    for line in lines:
        health = "well" if line.running and (line.answers or line.port is None) else "dead"
        if line.running and not line.answers:
            health = "does not answer"
        print(f"{line.name:12} {line.pid:>8} {line.port or '':>6}  {health}")
    if not all(line.running and line.answers for line in lines):
        return 1
    print("\n" + "\n".join(_addresses(cloud.read(home))))
    return 0


def _addresses(running: cloud.Cloud) -> list[str]:
    """The URLs for people, and the test users."""
    lines = [
        f"{name:14} {url}"
        for name, url in (
            ("console", address(running.console_url, running.users)),
            ("upload page", f"{running.rest_url}/upload"),
            ("API reference", f"{running.rest_url}/openapi.json"),
            ("REST", running.rest_url),
            ("sockets", running.websocket_url),
        )
        if url
    ]
    lines += [
        f"{'test user':14} {user['username']}  {user['password']}{'  (operator)' if name == OPERATOR else ''}"
        for name, user in running.users.items()
    ]
    return [*lines, f"{'operators':14} X-Operator-Token: {running.operator_token}"]


if __name__ == "__main__":
    sys.exit(main())

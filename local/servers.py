"""The servers of the local cloud; to add one, add an entry to SERVERS."""

import hashlib
import json
import os
import secrets
import signal
import stat
import sys
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from local import postgres
from local.calls import CALLS_FILE
from local.ports import HOST
from local.processes import SECRET_PATH

ROOT = Path(__file__).resolve().parent.parent
REGION = "us-east-1"
ACCOUNT = "000000000000"
WAREHOUSE = "concerts"
FUNCTIONS_AT_ONCE = 32
"""Lambda's workers are processes of this machine; predictions, the largest, have their own limit."""
SEASON_SALES = "20000"
TICKET_ENDPOINT = "ticket-sales"
OPENSKY_CLIENT = {"OPENSKY_CLIENT_ID": "omnibus", "OPENSKY_CLIENT_SECRET": "omnibus"}  # nosec B105  # our own OpenSky's


def changing(home: Path) -> Path:
    """The folder of a home for files that change all the time.

    It is outside the project: `chalice local` watches the project, and would restart at each line of a log.
    """
    if not home.is_relative_to(ROOT):
        return home
    digest = hashlib.sha256(str(home).encode()).hexdigest()[:12]
    return Path("/tmp", f"omnibus-{os.getuid()}-{digest}")  # nosec B108  # made and checked by `own_folder`


def own_folder(folder: Path) -> None:
    """Make a folder that others (PostgreSQL's user) may enter but not list; PermissionError if it is another user's."""
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    found = folder.lstat()  # do not follow links: anybody may make one
    if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode):
        raise PermissionError(f"{folder} belongs to another user: remove it, or set HOME_DIR to another folder")


@dataclass(frozen=True)
class Keys:
    """The secrets of one local cloud: root's credentials, the operators' token, and the path of our own servers."""

    access_key_id: str
    secret_access_key: str
    operator_token: str
    path: str

    @classmethod
    def new(cls) -> "Keys":
        """New random keys."""
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
        return cls(
            access_key_id="AKIA" + "".join(secrets.choice(letters) for _ in range(16)),
            secret_access_key=secrets.token_urlsafe(30),
            operator_token=secrets.token_urlsafe(32),
            path=secrets.token_urlsafe(24),
        )

    @property
    def root(self) -> dict[str, str]:
        """The root user's credentials in boto3's variables; MiniStack enforces every other principal's policies."""
        return {"AWS_ACCESS_KEY_ID": self.access_key_id, "AWS_SECRET_ACCESS_KEY": self.secret_access_key}


@dataclass(frozen=True)
class Site:
    """The place of one local cloud: its folder and its ports by server."""

    home: Path
    ports: Mapping[str, int]

    @property
    def run(self) -> Path:
        """The folder for data that lasts as long as the servers."""
        return changing(self.home) / "run"

    @property
    def logs(self) -> Path:
        """The folder for the servers' output."""
        return changing(self.home) / "logs"

    def url(self, server: str) -> str:
        """The address of an HTTP server of this site."""
        return f"http://{HOST}:{self.ports[server]}"

    def service_url(self, server: str) -> str:
        """The endpoint of one of our AWS services: its path is the secret that admits callers."""
        return f"{self.url(server)}/{self.keys.path}"

    @property
    def keys(self) -> Keys:
        """The keys of this site."""
        return Keys(**json.loads(self.keys_file.read_text(encoding="utf-8")))

    @property
    def keys_file(self) -> Path:
        """The file of the keys, readable only by its owner."""
        return self.run / "keys.json"

    def log(self, server: str) -> Path:
        """The file for a server's output."""
        return self.logs / f"{server}.log"

    @property
    def calls_file(self) -> Path:
        """The file in which the servers record functions' calls."""
        return self.logs / "calls.jsonl"

    def ready_file(self, server: str) -> Path:
        """The file that one of our own servers writes when it answers."""
        return self.run / f"{server}.ready.json"


def _nothing(_site: Site) -> None:
    return None


def _no_environ(_site: Site) -> dict[str, str]:
    return {}


@dataclass(frozen=True)
class Server:
    """How to start a server and check that it answers; `after` names the servers that it needs."""

    name: str
    usual_port: int
    command: Callable[[Site], list[str]]
    is_ready: Callable[[Site], bool]
    environ: Callable[[Site], dict[str, str]] = _no_environ
    prepare: Callable[[Site], None] = _nothing
    after: tuple[str, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    folder: Path | None = None


def base_environ() -> dict[str, str]:
    """Variables that every server inherits: none of the developer's AWS accounts or of Python's settings."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TZ")
    return {name: os.environ[name] for name in kept if name in os.environ}


def ministack_environ(site: Site) -> dict[str, str]:
    """The emulator's settings; its Lambda workers inherit them, including the endpoints of our own services."""
    temporary = site.run / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    return {
        **site.keys.root,
        **service_endpoints(site),
        "AUTH": "true",
        "AWS_DEFAULT_REGION": REGION,
        "BIND_HOST": HOST,
        CALLS_FILE: str(site.calls_file),
        "GATEWAY_PORT": str(site.ports["ministack"]),
        "IOT_MTLS_ENABLED": "0",
        "LAMBDA_ACCOUNT_CONCURRENCY": str(FUNCTIONS_AT_ONCE),
        "LAMBDA_WARM_TTL_SECONDS": "60",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": REGION,
        "OMP_NUM_THREADS": "1",  # a function has at most one processor
        "PERSIST_STATE": "0",
        "S3_DATA_DIR": str(site.run / "s3"),
        "SFTP_ENABLED": "0",
        "STATE_DIR": str(site.run / "ministack"),
        "TMPDIR": str(temporary),
    }


def aws_environ(site: Site) -> dict[str, str]:
    """The variables with which boto3 uses this cloud as the account's root user, without a proxy."""
    return {
        **site.keys.root,
        **service_endpoints(site),
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": site.url("ministack"),
        "NO_PROXY": HOST,
    }


def service_endpoints(site: Site) -> dict[str, str]:
    """The variables with the endpoints of services that MiniStack does not serve."""
    return {variable: site.service_url(name) for name, variable in ENDPOINTS.items() if name in site.ports}


def _ministack_answers(site: Site) -> bool:
    try:
        with urllib.request.urlopen(f"{site.url('ministack')}/_ministack/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _secret_path(site: Site) -> dict[str, str]:
    return {SECRET_PATH: site.keys.path, CALLS_FILE: str(site.calls_file)}


def _postgres_folder(site: Site) -> Path:
    return site.run / "postgres"


def database_url(site: Site, user: str = postgres.USER) -> str:
    """The connection URL of a site's PostgreSQL."""
    return postgres.url(_postgres_folder(site), site.ports["postgres"], user=user)


def _own(
    name: str,
    usual_port: int,
    arguments: Callable[[Site], list[str]] = lambda _site: [],
    *,
    environ: Callable[[Site], dict[str, str]] = _no_environ,
    after: tuple[str, ...] = (),
) -> Server:
    """A server of this project, `python -m local.NAME.server`, which writes a ready file."""

    def command(site: Site) -> list[str]:
        where = ["--port", str(site.ports[name]), "--ready-file", str(site.ready_file(name))]
        return [sys.executable, "-m", f"local.{name}.server", *where, *arguments(site)]

    return Server(
        name=name,
        usual_port=usual_port,
        command=command,
        is_ready=lambda site: site.ready_file(name).exists(),
        environ=environ,
        after=after,
        folder=ROOT,
    )


SERVERS: tuple[Server, ...] = (
    Server(
        name="ministack",
        usual_port=4566,
        command=lambda _site: [sys.executable, "-m", "local.gate"],
        is_ready=_ministack_answers,
        environ=ministack_environ,
        stop_signal=signal.SIGKILL,  # it has nothing to save, and would wait for every invocation
        folder=ROOT,
    ),
    _own("opensky", 8090, environ=lambda _site: OPENSKY_CLIENT),
    Server(
        name="postgres",
        usual_port=54320,
        command=lambda site: postgres.command(_postgres_folder(site), site.ports["postgres"]),
        is_ready=lambda site: postgres.is_ready(_postgres_folder(site)),
        prepare=lambda site: postgres.initialise(_postgres_folder(site)),
        stop_signal=signal.SIGINT,  # SIGTERM would wait until the last client has gone
    ),
    _own(
        "redshift",
        8091,
        lambda _site: ["--database", WAREHOUSE, "--workgroup", WAREHOUSE, "--season", SEASON_SALES],
        environ=lambda site: {**aws_environ(site), **_secret_path(site), "REDSHIFT_ENGINE_URL": database_url(site)},
        after=("postgres",),
    ),
    _own("sagemaker", 8092, lambda _site: ["--endpoint", TICKET_ENDPOINT], environ=_secret_path),
    _own("console", 8080, lambda site: ["--home", str(site.home)]),
)

ENDPOINTS = {"redshift": "AWS_ENDPOINT_URL_REDSHIFT_DATA", "sagemaker": "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"}
"""Our server -> the variable by which boto3 finds it."""

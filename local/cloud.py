"""The local cloud: `up`, `down`, `status`, and clients for it.

    from local.cloud import up, down
    cloud = up(Path(".local"))
    cloud.client("s3").list_buckets()
    down(Path(".local"))

A home is one folder; several clouds can run in parallel, each in its own. A cloud's data is in memory and in
`HOME/run`: a cloud starts empty, and `down` deletes its data.
"""

import fcntl
import json
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from botocore.exceptions import EndpointConnectionError

from infra.package import package
from infra.template.functions import limits_text
from local import ports, users
from local.deploy import Stack, deploy, fingerprint
from local.postgres import OWNER
from local.processes import POLL_S, ProcessId, stop, write_whole
from local.servers import (
    ACCOUNT,
    REGION,
    ROOT,
    SERVERS,
    TICKET_ENDPOINT,
    WAREHOUSE,
    Site,
    aws_environ,
    base_environ,
    changing,
    database_url,
    own_folder,
)
from local.supervisor import START_S, State, read_state, state_file

HOME = ROOT / ".local"
STACK = "omnibus-local"
GATEWAY = "/_aws/execute-api"
STAGE_PATH = "api"
PREDICTIONS_AT_ONCE = 2
"""For each step of jobs, which take hundreds of MB here; further steps wait (local/gate.py)."""
PREDICTION_CALLS_AT_ONCE = 8
"""Direct callers of predictions do not wait: beyond this number they are refused."""
RESERVED = {
    **dict.fromkeys(("PredictPlanLimits", "PredictPartLimits", "PredictCompleteLimits"), PREDICTIONS_AT_ONCE),
    "PredictBatchLimits": PREDICTION_CALLS_AT_ONCE,
}
ANSWER_S = 120.0
WELL_S = 30.0
"""Time limit for a running application to answer its health check."""
SUPERVISOR_S = 9.0
"""Time limit for the supervisor to stop its servers; with later steps, `down` takes less than 15 s."""
NEEDED_TO_DEPLOY = ("ministack", "opensky", "postgres")
NOT_YET = {502, 503, 504}

_making_a_client = threading.Lock()

Progress = Callable[[str], None]


class CloudError(Exception):
    """The local cloud cannot do the requested action; the message says why, and how to fix it."""


@dataclass(frozen=True)
class Cloud:
    """The addresses and names of a running local cloud. Names are the template's, without stack and account."""

    home: str
    console_url: str
    rest_url: str
    websocket_url: str | None
    aws_endpoint_url: str
    region: str
    opensky_url: str
    redshift_data_url: str | None
    sagemaker_runtime_url: str | None
    database_url: str | None
    operator_token: str
    credentials: Mapping[str, str]
    buckets: Mapping[str, str]
    queues: Mapping[str, str]
    tables: Mapping[str, str]
    topics: Mapping[str, str]
    functions: Mapping[str, str]
    state_machines: Mapping[str, str]
    outputs: Mapping[str, str]
    users: Mapping[str, Mapping[str, str]]
    environment: Mapping[str, str]
    seconds: Mapping[str, float]
    fingerprint: str

    def client(self, service: str, config: Any = None) -> Any:
        """A boto3 client of this cloud, as the account's root user; `config` is a botocore Config."""
        own = {"redshift-data": self.redshift_data_url, "sagemaker-runtime": self.sagemaker_runtime_url}
        return _client(own.get(service) or self.aws_endpoint_url, service, tuple(self.credentials.items()), config)

    def invoke(self, function: str, event: Any = None) -> Any:
        """A function's answer to an event; CloudError with its message if it fails."""
        answer = self.client("lambda").invoke(
            FunctionName=self.functions[function], Payload=json.dumps(event if event is not None else {}).encode()
        )
        payload = json.load(answer["Payload"])
        if "FunctionError" in answer:
            raise CloudError(f"{function} failed: {payload.get('errorType')}: {payload.get('errorMessage')}")
        return payload


@dataclass(frozen=True)
class Health:
    """One line of `status`: a process of the cloud, and its health."""

    name: str
    pid: int
    port: int | None
    running: bool
    answers: bool


def cloud_file(home: Path = HOME) -> Path:
    """The file that describes a home's running cloud."""
    return home / "cloud.json"


def read(home: Path = HOME) -> Cloud:
    """The running cloud of a home; CloudError if none runs."""
    state = read_state(home)
    if state is None or not state.supervisor.is_running() or not cloud_file(home).exists():
        raise CloudError(f"no local cloud runs in {home}; start it with `make up`")
    described = json.loads(cloud_file(home).read_text(encoding="utf-8"))
    if described.keys() != {field.name for field in fields(Cloud)}:
        raise CloudError(f"{cloud_file(home)} comes from another version of this project; run `make up` to rewrite it")
    return Cloud(**described)


def up(
    home: Path = HOME, *, parameters: Mapping[str, str] | None = None, progress: Progress = lambda _line: None
) -> Cloud:
    """Return the running cloud of a home; start it if necessary, and deploy if the code has changed.

    Returns when everything answers. `parameters` override those of the local stage.
    """
    home = home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    own_folder(changing(home))
    with _lock(home, progress):
        state = read_state(home)
        if state is not None and not (state.complete and state.supervisor.is_running()):
            _stop(home, state)
            state = None
        given = dict(parameters or {})
        wanted = fingerprint(ROOT, given)
        if state is not None and cloud_file(home).exists():
            with suppress(CloudError):
                found = read(home)
                if found.fingerprint == wanted and is_well(found):
                    progress(f"already running: {found.rest_url}")
                    return found
            progress("the code has changed, or the application does not answer: deploying")
        return _raise(home, state, given, wanted, progress)


def down(home: Path = HOME, *, progress: Progress = lambda _line: None) -> bool:
    """Stop exactly the processes that `up` started in a home; False if none ran."""
    home = home.resolve()
    if not home.exists():
        return False
    with _lock(home, progress):
        state = read_state(home)
        if state is None:
            return False
        ran = state.supervisor.is_running()
        _stop(home, state)
        return ran


def status(home: Path = HOME) -> list[Health]:
    """Every process of a home's cloud, with its port and its health; empty if nothing was started."""
    state = read_state(home)
    if state is None:
        return []
    alive = state.supervisor.is_running()
    lines = [Health("supervisor", state.supervisor.pid, None, alive, alive)]
    for name, process in state.servers.items():
        port = state.ports[name]
        lines.append(Health(name, process.pid, port, process.is_running(), ports.answers(port)))
    with suppress(CloudError):
        lines.append(Health("application", state.supervisor.pid, None, alive, is_well(read(home))))
    return lines


def is_well(cloud: Cloud) -> bool:
    """Does the application report that it is healthy?"""
    try:
        with urllib.request.urlopen(f"{cloud.rest_url}/health", timeout=WELL_S) as answer:
            return bool(json.load(answer)["status"] == "ok")
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _raise(home: Path, state: State | None, parameters: dict[str, str], wanted: str, progress: Progress) -> Cloud:
    watch = _Stopwatch(progress)
    with ThreadPoolExecutor(max_workers=1) as pool:
        packaging = pool.submit(package, "local", home / "package")
        servers = _Servers(home, state)
        state = servers.await_ready(NEEDED_TO_DEPLOY)
        watch.lap("servers", ", ".join(NEEDED_TO_DEPLOY) + " answer")
        template = packaging.result()
    watch.lap("package", "application packaged by chalice package")
    site = state.site(home)

    def client(service: str) -> Any:
        return _client(site.url("ministack"), service, tuple(site.keys.root.items()))

    bucket = f"{STACK}-artifacts-{ACCOUNT}"
    try:
        stack = deploy(client, STACK, template, bucket, _stage_parameters(site, template) | parameters)
    except EndpointConnectionError:  # a server that dies stops the others; its own log says why
        raise servers.failure() from None
    watch.lap("deploy", f"{len(stack.resources)} resources deployed by CloudFormation as stack {STACK}")
    cloud = _describe(site, stack, client, watch.seconds)
    write_whole(cloud_file(home), asdict(cloud))  # for `make logs`, in case it does not answer
    _await_answer(f"{cloud.rest_url}/health")
    watch.lap("answer", f"answers at {cloud.rest_url}")
    servers.await_ready(tuple(state.ports))
    watch.lap("all", "all servers answer: " + ", ".join(state.ports))
    cloud = replace(cloud, seconds=watch.seconds, fingerprint=wanted)
    write_whole(cloud_file(home), asdict(cloud))
    return cloud


class _Stopwatch:
    def __init__(self, progress: Progress) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress
        self._last = time.monotonic()

    def lap(self, name: str, line: str) -> None:
        now = time.monotonic()
        self.seconds[name] = round(now - self._last, 3)
        self._last = now
        self._progress(f"{self.seconds[name]:6.2f} s  {line}")


class _Servers:
    """The servers of a home, running already or started under a new supervisor."""

    def __init__(self, home: Path, state: State | None) -> None:
        self._home = home
        self._log = Site(home, {}).log("supervisor")
        self._supervisor = self._start() if state is None else state.supervisor

    def await_ready(self, names: tuple[str, ...]) -> State:
        """The state once all of these servers answer; CloudError if they do not start."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            state = read_state(self._home)
            if state is not None and state.ready.issuperset(names):
                return state
            if not self._supervisor.is_running():
                break
            time.sleep(POLL_S)
        raise self.failure()

    def failure(self) -> CloudError:
        """The error for servers that do not run, with their own log."""
        said = self._log.read_text(encoding="utf-8", errors="replace")
        return CloudError(f"the servers do not run:\n{said}".rstrip())

    def _start(self) -> ProcessId:
        shutil.rmtree(self._log.parent, ignore_errors=True)
        self._log.parent.mkdir()
        with self._log.open("ab") as output:
            detached = subprocess.run(
                [sys.executable, "-m", "local.supervisor", str(self._home)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                cwd=ROOT,
                env=base_environ(),
                check=True,
            )
        return ProcessId.of(int(detached.stdout))


def _stage_parameters(site: Site, template: Path) -> dict[str, str]:
    """The template parameters in which the local stage differs from AWS."""
    declared = json.loads(template.read_text(encoding="utf-8"))["Parameters"]
    return {
        **{name: limits_text({"reserved": reserved}, declared[name]["Default"]) for name, reserved in RESERVED.items()},
        "Stage": "local",
        "CorsOrigins": "*",
        "OperatorToken": site.keys.operator_token,
        "PredictionsConcurrency": str(PREDICTIONS_AT_ONCE),
        "OpenSkyUrl": site.url("opensky"),
        "OpenSkyTokenUrl": json.loads(site.ready_file("opensky").read_text(encoding="utf-8"))["token_url"],
        "OpenSkyClientId": "omnibus",
        "OpenSkyClientSecret": "omnibus",
        "RedshiftWorkgroup": WAREHOUSE,
        "RedshiftDatabase": WAREHOUSE,
        "TicketEndpoint": TICKET_ENDPOINT,
        "DatabaseUrl": database_url(site, OWNER),
        "ConsoleUrl": site.url("console"),
        "SocketsBase": f"{site.url('ministack')}{GATEWAY}",
    }


def _describe(site: Site, stack: Stack, client: Callable[[str], Any], seconds: Mapping[str, float]) -> Cloud:
    def urls(server: str) -> str | None:
        return site.service_url(server) if server in site.ports else None

    def named(kind: str) -> dict[str, str]:
        return {_short(resource.physical): resource.physical for resource in stack.of_kind(kind)}

    endpoint = site.url("ministack")
    gateway = f"{endpoint}{GATEWAY}"
    socket = stack.outputs.get("WebsocketAPIId")
    functions = named("AWS::Lambda::Function")
    granted = client("lambda").get_function_configuration(FunctionName=functions["api_handler"])
    variables = dict(granted["Environment"]["Variables"])
    return Cloud(
        home=str(site.home),
        console_url=site.url("console"),
        rest_url=f"{gateway}/{stack.outputs['RestAPIId']}/{STAGE_PATH}",
        websocket_url=f"{gateway.replace('http', 'ws', 1)}/{socket}/{STAGE_PATH}" if socket else None,
        aws_endpoint_url=endpoint,
        region=REGION,
        opensky_url=site.url("opensky"),
        redshift_data_url=urls("redshift"),
        sagemaker_runtime_url=urls("sagemaker"),
        database_url=database_url(site) if "postgres" in site.ports else None,
        operator_token=site.keys.operator_token,
        credentials=site.keys.root,
        buckets=named("AWS::S3::Bucket"),
        queues=named("AWS::SQS::Queue"),
        tables=named("AWS::DynamoDB::Table"),
        topics=named("AWS::SNS::Topic"),
        functions=functions,
        state_machines=named("AWS::StepFunctions::StateMachine"),
        outputs=stack.outputs,
        users=users.create(client("cognito-idp"), stack),
        environment={**variables, **aws_environ(site)},
        seconds=seconds,
        fingerprint="",
    )


def _short(physical: str) -> str:
    """A resource's short name: "omnibus-local-flights-000000000000" is "flights"."""
    last = physical.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
    return last.removeprefix(f"{STACK}-").removesuffix(f"-{ACCOUNT}")


def _await_answer(url: str) -> None:
    deadline = time.monotonic() + ANSWER_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=ANSWER_S):
                return
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")
            if time.monotonic() > deadline or error.code not in NOT_YET:
                raise CloudError(f"{url} answers {error.code}: {said}; see `make logs`") from error
        except OSError as error:
            if time.monotonic() > deadline:
                raise CloudError(f"{url} does not answer: {error}") from error
        time.sleep(0.2)


@cache
def _client(endpoint: str, service: str, credentials: tuple[tuple[str, str], ...], config: Any = None) -> Any:
    from botocore.config import Config

    ours, keys = Config(s3={"addressing_style": "path"}), dict(credentials)
    with _making_a_client:  # using a client is thread-safe, creating one is not
        return _session().client(
            service,
            endpoint_url=endpoint,
            config=ours.merge(config) if config else ours,
            aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        )


@cache
def _session() -> Any:
    """One session for all clients, because each session reads the service descriptions from disk again."""
    import boto3
    from botocore.session import Session

    from chalicelib.adapters.aws import NOBODYS

    return boto3.Session(botocore_session=Session(session_vars=NOBODYS), region_name=REGION)


def _stop(home: Path, state: State) -> None:
    for server in SERVERS:  # first, because its workers would use up the processors
        if server.stop_signal == signal.SIGKILL and server.name in state.servers:
            state.servers[server.name].signal_group(signal.SIGSTOP)
    stop([state.supervisor], SUPERVISOR_S)  # it stops its servers itself; the next line stops any that remain
    stop(state.servers.values(), 0.0)
    cloud_file(home).unlink(missing_ok=True)
    state_file(home).unlink(missing_ok=True)
    _forget(Site(home, {}).run)


def _forget(folder: Path) -> None:
    """Rename a folder and delete it in the background, because each worker has a copy of the package."""
    gone = folder.with_name(f"{folder.name}-{time.time_ns()}")
    with suppress(FileNotFoundError):
        folder.rename(gone)
        subprocess.run(
            ["/bin/sh", "-c", 'rm -rf -- "$0" &', str(gone)],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )


@contextmanager
def _lock(home: Path, progress: Progress) -> Iterator[None]:
    """One `up` or `down` at a time in a home."""
    with (home / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("another command is running in this home: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield

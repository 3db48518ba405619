"""The local cloud's own guarantees."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest
from botocore.exceptions import ClientError

from infra.package import package
from local import logs, users
from local.cloud import Cloud, CloudError, cloud_file, down, read, status, up
from local.deploy import DeployFailed, Resource, Stack, deploy
from local.processes import ProcessId
from local.supervisor import read_state
from tests.patience import PATIENCE_S, until

pytestmark = pytest.mark.cloud

ROOT = Path(__file__).parents[2]
PROBE = """
import os
from chalice import Chalice

app = Chalice("probe")

@app.route("/ROUTE")
def route():
    return {"route": "ROUTE"}

@app.lambda_function()
def attempt(event, context):
    import boto3
    client = boto3.client(event["service"])
    who = boto3.client("sts").get_caller_identity()["Arn"]
    try:
        getattr(client, event["operation"])(**event["arguments"])
    except client.exceptions.ClientError as error:
        return {"who": who, "outcome": error.response["Error"]["Code"]}
    return {"who": who, "outcome": "done"}
"""
CONFIG = {
    "version": "2.0",
    "app_name": "probe",
    "api_gateway_stage": "api",
    "minimum_compression_size": 1024,
    "autogen_policy": False,
    "lambda_functions": {"attempt": {"iam_policy_file": "policy.json"}},
    "iam_policy_file": "policy.json",
    "stages": {"local": {}},
}
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["s3:PutObject"],
            "Resource": [{"Fn::Sub": "arn:${AWS::Partition}:s3:::probe-bucket/allowed/*"}],
        }
    ],
}


class Probe:
    """A tiny test application, deployed next to Omnibus in the same way."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.cloud = cloud
        self.root = folder / "probe"
        for name in ("chalicelib", ".chalice", "infra/template/fragments"):
            (self.root / name).mkdir(parents=True)
        (self.root / "requirements.txt").touch()
        (self.root / ".chalice" / "config.json").write_text(json.dumps(CONFIG))
        (self.root / ".chalice" / "policy.json").write_text(json.dumps(POLICY))

    def deploy(self, route: str, overlay: str = "Outputs: {}\n", edit: str = "") -> Stack:
        (self.root / "app.py").write_text(PROBE.replace("ROUTE", route) + edit)
        (self.root / "infra" / "template" / "fragments" / "probe.yaml").write_text(overlay)
        template = package("local", self.root / "out", root=self.root)
        return deploy(self.cloud.client, "probe", template, "probe-artifacts", {})

    def get(self, stack: Stack, route: str) -> httpx.Response:
        api = stack.outputs["RestAPIId"]
        return httpx.get(f"{self.cloud.aws_endpoint_url}/_aws/execute-api/{api}/api/{route}", timeout=PATIENCE_S)

    def attempt(self, stack: Stack, service: str, operation: str, **arguments: Any) -> dict[str, str]:
        (function,) = (each.physical for each in stack.resources if each.logical == "Attempt")
        event = {"service": service, "operation": operation, "arguments": arguments}
        answer = self.cloud.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        outcome: dict[str, str] = json.load(answer["Payload"])
        return outcome


@pytest.fixture(scope="module")
def probe(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Probe]:
    yield Probe(cloud, tmp_path_factory.mktemp("probe"))
    cloud.client("cloudformation").delete_stack(StackName="probe")


def test_a_worker_has_its_functions_role_and_no_more_rights(probe: Probe) -> None:
    stack = probe.deploy("first")
    probe.cloud.client("s3").create_bucket(Bucket="probe-bucket")
    allowed = probe.attempt(stack, "s3", "put_object", Bucket="probe-bucket", Key="allowed/a", Body="x")
    (role,) = (each.physical for each in stack.resources if each.logical == "AttemptRole")
    assert f":assumed-role/{role}/" in allowed["who"]
    assert allowed["outcome"] == "done"
    denied = {
        probe.attempt(stack, "s3", "put_object", Bucket="probe-bucket", Key="elsewhere/a", Body="x")["outcome"],
        probe.attempt(stack, "s3", "get_object", Bucket="probe-bucket", Key="allowed/a")["outcome"],
        probe.attempt(stack, "sqs", "list_queues")["outcome"],
        probe.attempt(stack, "dynamodb", "scan", TableName=probe.cloud.tables["flights-runs"])["outcome"],
    }
    assert denied <= {"AccessDenied", "AccessDeniedException"}


def test_a_changed_application_is_deployed_over_the_old_one(probe: Probe) -> None:
    first = probe.deploy("first")
    assert probe.get(first, "first").json() == {"route": "first"}
    edited = probe.deploy("first", edit="\n# edited\n")
    assert edited.outputs["RestAPIId"] == first.outputs["RestAPIId"], "the URL stays while the routes do"
    second = probe.deploy("second")
    assert probe.get(second, "second").json() == {"route": "second"}
    assert probe.get(second, "first").status_code == 403  # as API Gateway answers an unknown path


def test_a_refused_resource_is_named_and_the_stack_stays_as_it_was(probe: Probe) -> None:
    before = probe.deploy("first")
    with pytest.raises(DeployFailed, match="AWS::Nothing::AtAll"):
        probe.deploy("first", "Resources: {Nonsense: {Type: 'AWS::Nothing::AtAll', Properties: {}}}\n")
    with pytest.raises(DeployFailed, match=r"Taken: .*already exists"):
        probe.deploy(
            "first", "Resources: {Taken: {Type: 'AWS::S3::Bucket', Properties: {BucketName: probe-artifacts}}}"
        )
    assert probe.get(before, "first").json() == {"route": "first"}
    assert probe.deploy("first").outputs == before.outputs


def test_test_users_can_sign_in_and_members_are_in_every_group(cloud: Cloud) -> None:
    cognito = cloud.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="probe", UsernameAttributes=["email"])["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="probe", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    )["UserPoolClient"]["ClientId"]
    cognito.create_group(UserPoolId=pool, GroupName="operators")
    resources = (
        Resource("Pool", "AWS::Cognito::UserPool", pool),
        Resource("Client", "AWS::Cognito::UserPoolClient", client),
    )
    users.create(cognito, Stack("probe", {}, resources))
    made = users.create(cognito, Stack("probe", {}, resources))  # as when the code changes
    for user in made.values():
        tokens = cognito.initiate_auth(
            ClientId=user["client_id"],
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": user["username"], "PASSWORD": user["password"]},
        )
        assert tokens["AuthenticationResult"]["IdToken"]

    def groups(name: str) -> list[str]:
        found = cognito.admin_list_groups_for_user(UserPoolId=pool, Username=made[name]["username"])["Groups"]
        return [group["GroupName"] for group in found]

    assert (groups("alice"), groups("olga")) == ([], ["operators"])


def test_everything_listens_on_the_loopback_interface_alone(cloud: Cloud) -> None:
    httpx.get(f"{cloud.rest_url}/health").raise_for_status()  # so that there is a worker
    state = read_state(Path(cloud.home))
    assert state is not None
    tree = psutil.Process(state.supervisor.pid).children(recursive=True)
    assert any("ministack-lambda" in " ".join(process.cmdline()) for process in tree)
    listening = {
        connection.laddr
        for process in tree
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert {address.port for address in listening} == set(state.ports.values())
    assert {address.ip for address in listening} == {"127.0.0.1"}


def test_up_again_finds_what_runs(cloud: Cloud) -> None:
    before = status(Path(cloud.home))
    assert all(line.running and line.answers for line in before)
    again = up(Path(cloud.home), parameters={"Schedules": "DISABLED"})
    assert again == cloud
    assert status(Path(cloud.home)) == before


def test_its_description_is_whole_and_for_its_owner_alone(cloud: Cloud) -> None:
    path = cloud_file(Path(cloud.home))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    described = json.loads(path.read_text())
    assert described["environment"]["OMNIBUS_STAGE"] == "local"
    for name in ("rest_url", "websocket_url", "aws_endpoint_url", "opensky_url", "redshift_data_url", "database_url"):
        assert described[name], name
    with psycopg.connect(described["database_url"]) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("spendsense",)


def test_functions_log_to_where_logs_are_read(cloud: Cloud) -> None:
    request_id = httpx.get(f"{cloud.rest_url}/health").headers["X-Request-Id"]
    until(lambda: any(request_id in line for line in logs.lines(cloud, "api_handler")))
    with pytest.raises(CloudError, match=r"no function api; these are: .*api_handler"):
        list(logs.lines(cloud, "api"))


def test_logs_of_more_lines_than_one_answer_holds_are_read_whole(cloud: Cloud) -> None:
    client, group = cloud.client("logs"), f"/aws/lambda/{cloud.functions['api_handler']}"
    client.create_log_stream(logGroupName=group, logStreamName="many")
    moment = int(time.time() * 1000) - 60_000
    for start in range(0, 21_000, 7_000):
        events = [{"timestamp": moment + n // 3, "message": f"many {n}"} for n in range(start, start + 7_000)]
        client.put_log_events(logGroupName=group, logStreamName="many", logEvents=events)
    read = [line.rpartition(": many ")[2] for line in logs.lines(cloud, "api_handler") if ": many " in line]
    assert read == [str(n) for n in range(21_000)]


def test_schedules_can_be_switched_off(cloud: Cloud) -> None:
    rules = cloud.client("events").list_rules()["Rules"]
    assert rules
    assert {rule["State"] for rule in rules if "ScheduleExpression" in rule} == {"DISABLED"}


def test_chalice_local_serves_the_routes_against_it(cloud: Cloud, tmp_path: Path) -> None:
    for name in ("app.py", "chalicelib", ".chalice"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".local").symlink_to(cloud.home)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", "import sys; from chalice.cli import main; sys.exit(main())"]
    arguments = ["local", "--stage", "local", "--port", str(port), "--no-autoreload"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "OMNIBUS_"))}
    clean = {name: value for name, value in clean.items() if name.upper() != "NO_PROXY"}
    nowhere = "http://192.0.2.1:3128"
    developers = {"AWS_SESSION_TOKEN": "of another account", "HTTP_PROXY": nowhere, "http_proxy": nowhere}
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen([*command, *arguments], cwd=tmp_path, env=clean | developers, stdout=log, stderr=log)
    try:

        def answer() -> httpx.Response | None:
            assert server.poll() is None, (tmp_path / "log").read_text()
            try:
                return httpx.get(f"http://127.0.0.1:{port}/flights/quality", timeout=PATIENCE_S)
            except httpx.TransportError:
                return None

        found = until(answer)
        assert (found.status_code, "runs" in found.json()) == (200, True), found.text
    finally:
        server.terminate()  # a shell that runs tests in the background has SIGINT ignored
        server.wait(PATIENCE_S)


def test_a_crash_leaves_no_orphans_and_down_nothing_at_all(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with ThreadPoolExecutor(2) as pool:  # two at once: one starts it, the other finds it
        first, second = pool.map(lambda _: up(home), range(2))
    assert first == second
    httpx.get(f"{first.rest_url}/health").raise_for_status()
    tree = _tree(home)
    assert len(tree) > 5
    os.kill(tree[0].pid, signal.SIGKILL)
    until(lambda: not any(process.is_running() for process in tree))
    with pytest.raises(CloudError, match="make up"):
        read(home)
    assert not any(line.running for line in status(home))

    up(home)
    tree = _tree(home)
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        assert down(home)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
    assert not any(process.is_running() for process in tree)
    until(lambda: sorted(path.name for path in home.iterdir()) == ["lock", "logs", "package"])
    assert not down(home)
    shutil.rmtree(home)


def _tree(home: Path) -> list[ProcessId]:
    state = read_state(home)
    assert state is not None
    below = psutil.Process(state.supervisor.pid).children(recursive=True)
    return [state.supervisor, *(ProcessId.of(process.pid) for process in below)]


def test_the_root_user_is_told_from_strangers(cloud: Cloud) -> None:
    import boto3

    stranger = boto3.client(
        "s3",
        endpoint_url=cloud.aws_endpoint_url,
        region_name=cloud.region,
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="stranger",
    )
    with pytest.raises(ClientError) as refused:
        stranger.list_buckets()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403

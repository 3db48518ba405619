"""Attacks on the running local cloud with knowledge of its addresses: none succeeds, breaks it, or ends in a 500.

Every attacker has its own address, which keeps one test's rate limits from affecting another.
"""

import base64
import hashlib
import hmac
import itertools
import json
import socket
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import psycopg
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from chalicelib.uploads.sessions import WINDOW
from local.cloud import Cloud
from tests.cloud.test_spendsense import sign_in
from tests.patience import PATIENCE_S, until

pytestmark = pytest.mark.cloud

DENIED = {401, 403, 404, 405}
REFUSED = range(400, 500)
GATEWAY = "/_aws/execute-api/"
_numbers = itertools.count(1)


class Attacker:
    """Somebody with an address of their own, and at most a proof of somebody else."""

    def __init__(self, cloud: Cloud, **headers: str) -> None:
        number = next(_numbers)
        self.cloud = cloud
        self.headers = {"X-Forwarded-For": f"198.51.{number // 250}.{number % 250}", **headers}

    def __call__(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        sent = {**self.headers, **(headers or {})}
        return httpx.request(method, f"{self.cloud.rest_url}{path}", headers=sent, timeout=PATIENCE_S, **more)

    def plug(self, query: str = "") -> ClientConnection:
        """A socket."""
        url = f"{self.cloud.websocket_url}{query}"
        return connect(url, additional_headers=self.headers, open_timeout=PATIENCE_S, max_size=None)


@pytest.fixture
def attacker(cloud: Cloud) -> Attacker:
    return Attacker(cloud)


@pytest.fixture(scope="module")
def alice(cloud: Cloud) -> str:
    return sign_in(cloud, "alice")


@pytest.fixture(scope="module")
def operators_routes(cloud: Cloud) -> list[tuple[str, str]]:
    described = httpx.get(f"{cloud.rest_url}/openapi.json", timeout=PATIENCE_S).json()
    return [
        (method.upper(), path.replace("{", "").replace("}", ""))
        for path, item in described["paths"].items()
        for method, operation in item.items()
        if method in {"get", "post", "put", "delete"} and "operator" in json.dumps(operation.get("security", []))
    ]


def wait_for_window() -> None:
    """Return when the window of the limits, ten minutes, has some left: calls on both sides of its end count apart."""
    until(lambda: time.time() % WINDOW.total_seconds() < WINDOW.total_seconds() - 60)


def still_well(cloud: Cloud) -> bool:
    return httpx.get(f"{cloud.rest_url}/health", timeout=PATIENCE_S).json()["status"] == "ok"


def jwt(header: Mapping[str, Any], claims: Mapping[str, Any], signature: bytes = b"") -> str:
    parts = [json.dumps(part).encode() for part in (header, claims)]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in [*parts, signature])


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


class TestProofs:
    """Getting in without a proof, with a forged one, or with somebody else's."""

    def test_no_route_of_operators_answers_a_stranger(
        self, cloud: Cloud, operators_routes: list[tuple[str, str]]
    ) -> None:
        assert len(operators_routes) > 10
        for method, path in operators_routes:
            body = {"json": {}} if method == "POST" else {}
            assert Attacker(cloud)(method, path, **body).status_code in {401, 403}, (method, path)

    def test_nor_one_who_is_signed_in(self, cloud: Cloud, alice: str, operators_routes: list[tuple[str, str]]) -> None:
        for method, path in operators_routes:
            body = {"json": {}} if method == "POST" else {}
            assert Attacker(cloud, Authorization=alice)(method, path, **body).status_code == 403, (method, path)

    @pytest.mark.parametrize(
        "changed",
        [
            lambda token: "",
            lambda token: token[:-1],
            lambda token: token + "a",
            lambda token: f"{token}, {token}",
            lambda token: token.swapcase(),
            lambda token: quote(token, safe="") + "%20",
            lambda token: hashlib.sha256(token.encode()).hexdigest(),
            lambda token: f"Bearer {token}",
            lambda token: '{"token": ""}',
            lambda token: "ü" * 40,
        ],
    )
    def test_the_machines_token_is_taken_as_it_is(self, attacker: Attacker, changed: Any) -> None:
        given = changed(attacker.cloud.operator_token)
        headers = {"X-Operator-Token": given.encode("latin-1")}
        assert attacker("GET", "/operations", headers=headers).status_code == 403  # type: ignore[arg-type]

    @pytest.mark.parametrize("place", ["query", "cookie", "authorization", "body", "override"])
    def test_it_is_taken_from_its_header_alone(self, attacker: Attacker, place: str) -> None:
        token = attacker.cloud.operator_token
        sent: dict[str, Any] = {
            "query": {"params": {"X-Operator-Token": token, "operator_token": token}},
            "cookie": {"headers": {"Cookie": f"X-Operator-Token={token}"}},
            "authorization": {"headers": {"Authorization": f"Bearer {token}"}},
            "body": {"json": {"operator_token": token}},
            "override": {"headers": {"X-HTTP-Method-Override": "OPTIONS", "X-Original-URL": "/health"}},
        }[place]
        assert attacker("GET", "/operations", **sent).status_code in {400, 401, 403}

    def test_a_machines_token_is_guessed_twenty_times_and_no_more(self, attacker: Attacker) -> None:
        wait_for_window()
        found = [
            attacker("GET", "/operations", headers={"X-Operator-Token": f"{n:032d}"}).status_code for n in range(23)
        ]
        assert found.count(429) >= 2, found
        right = {"X-Operator-Token": attacker.cloud.operator_token}
        assert attacker("GET", "/operations", headers=right).status_code == 429, "it cannot tell when it is right"
        assert Attacker(attacker.cloud)("GET", "/operations", headers=right).status_code == 200, (
            "nobody else is kept out"
        )

    @pytest.mark.parametrize(
        "forged",
        [
            lambda head, claims: jwt({"alg": "none"}, claims),
            lambda head, claims: jwt({"alg": "None", "kid": head["kid"]}, claims, b"x"),
            lambda head, claims: jwt(
                {"alg": "HS256", "kid": head["kid"]}, claims, hmac.digest(head["kid"].encode(), b"x", "sha256")
            ),
            lambda head, claims: jwt({"alg": "RS256", "kid": "../../../../dev/null"}, claims, b"\0" * 256),
            lambda head, claims: jwt({"alg": "RS256", "kid": "' OR 1=1 --"}, claims, b"\0" * 256),
            lambda head, claims: jwt({"alg": "RS256", "kid": head["kid"]}, claims, b"\0" * 256),
            lambda head, claims: jwt({"alg": "RS256", "kid": head["kid"]}, claims, b"\xff" * 256),
            lambda head, claims: jwt(
                {"alg": "RS256", "kid": head["kid"], "jku": "http://127.0.0.1:1/keys"}, claims, b"x"
            ),
            lambda head, claims: jwt({"alg": "RS256", "jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}}, claims, b"x"),
            lambda head, claims: jwt({"alg": "RS256", "kid": head["kid"]}, {**claims, "exp": 1e400}, b"x"),
            lambda head, claims: "e30." + "W" * 3000 + ".c2ln",
            lambda head, claims: "...",
            lambda head, claims: "Bearer Bearer e30.e30.e30",
        ],
    )
    def test_a_forged_id_token_makes_no_operator(self, attacker: Attacker, alice: str, forged: Any) -> None:
        header = json.loads(base64.urlsafe_b64decode(alice.split(".")[0] + "=="))
        claims = {**claims_of(alice), "cognito:groups": ["operators"], "exp": int(time.time()) + 3600}
        token = forged(header, claims)
        for path in ("/operations", "/api/v1/operator/users", "/api/v1/users/me/profile"):
            assert attacker("GET", path, headers={"Authorization": token}).status_code in {401, 403}, path

    @pytest.mark.parametrize(
        "path",
        [
            "/operations/",
            "//operations",
            "/OPERATIONS",
            "/%6fperations",
            "/operations%2f",
            "/operations;a=b",
            "/operations%00",
            "/operations%20",
            "/health/../operations",
            "/health/%2e%2e/operations",
            "/health%2f..%2foperations",
            "/./operations",
        ],
    )
    def test_no_other_spelling_of_a_path_leads_past_the_check(self, attacker: Attacker, path: str) -> None:
        assert attacker("GET", path).status_code in DENIED | {400}

    def test_a_stranger_cannot_sign_up(self, cloud: Cloud) -> None:
        given = {"ClientId": cloud.users["alice"]["client_id"], "Username": "mallory", "Password": "Mallory-2026-long!"}
        assert cognito(cloud, "SignUp", given).status_code == 400

    def test_alice_cannot_make_herself_an_operator(self, cloud: Cloud) -> None:
        known = cloud.users["alice"]
        secret = {"USERNAME": known["username"], "PASSWORD": known["password"]}
        given = {"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": known["client_id"], "AuthParameters": secret}
        access = cognito(cloud, "InitiateAuth", given).json()["AuthenticationResult"]["AccessToken"]
        groups = [{"Name": name, "Value": "operators"} for name in ("cognito:groups", "custom:groups")]
        cognito(cloud, "UpdateUserAttributes", {"AccessToken": access, "UserAttributes": groups})
        try:
            token = sign_in(cloud, "alice")
            for path in ("/operations", "/api/v1/operator/users"):
                assert Attacker(cloud, Authorization=token)("GET", path).status_code == 403
        finally:
            names = [group["Name"] for group in groups]
            cognito(cloud, "DeleteUserAttributes", {"AccessToken": access, "UserAttributeNames": names})
        joined = {"UserPoolId": "us-east-1_x", "GroupName": "operators", "Username": known["username"]}
        assert cognito(cloud, "AdminAddUserToGroup", joined).status_code == 403


def cognito(cloud: Cloud, operation: str, given: Mapping[str, Any]) -> httpx.Response:
    headers = {
        "X-Amz-Target": f"AWSCognitoIdentityProviderService.{operation}",
        "Content-Type": "application/x-amz-json-1.1",
    }
    return httpx.post(cloud.aws_endpoint_url, headers=headers, content=json.dumps(given), timeout=PATIENCE_S)


class TestOthersThings:
    """Reaching what belongs to somebody else."""

    def test_an_upload_session_opens_for_its_own_tokens_alone(self, attacker: Attacker) -> None:
        mine, theirs = (attacker("POST", "/sessions").json() for _ in range(2))
        path = f"/sessions/{theirs['sessionId']}"
        hashed = hashlib.sha256(theirs["ownerToken"].encode()).hexdigest()
        guesses = [
            mine["ownerToken"],
            mine["uploadToken"],
            theirs["uploadToken"],
            hashed,
            "",
            theirs["ownerToken"][:-1],
        ]
        for guess in guesses:
            assert attacker("GET", path, headers={"X-Owner-Token": guess}).status_code in {401, 403}
            assert attacker("DELETE", path, headers={"X-Owner-Token": guess}).status_code in {401, 403}
        permission = {"sessionId": theirs["sessionId"], "contentType": "image/jpeg"}
        for guess in (mine["uploadToken"], theirs["ownerToken"]):
            answer = attacker("GET", "/upload-url", params=permission, headers={"X-Upload-Token": guess})
            assert answer.status_code in {401, 403}

    def test_a_chat_session_is_its_owners(self, attacker: Attacker) -> None:
        session = attacker("POST", "/chat", json={"message": "hello", "user_id": "victim"}).json()["session_id"]
        for query in ("", "?user_id=attacker", "?user_id=anonymous", "?user_id=victim&user_id=attacker"):
            assert attacker("GET", f"/chat/sessions/{session}{query}").status_code in {400, 404}
            assert attacker("DELETE", f"/chat/sessions/{session}{query}").status_code in {400, 404}
        said = attacker("POST", "/chat", json={"message": "hi", "user_id": "attacker", "session_id": session})
        assert said.status_code == 404
        assert attacker("DELETE", f"/chat/sessions/{session}?user_id=victim").status_code == 204

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
    @pytest.mark.parametrize("bucket", ["uploads", "flights", "models", "predictions"])
    def test_no_bucket_is_open(self, cloud: Cloud, bucket: str, method: str) -> None:
        name = cloud.buckets[bucket]
        for path in ("", "/", "/output/a.csv", "/?list-type=2", "/?policy", "/?delete"):
            answer = httpx.request(
                method, f"{cloud.aws_endpoint_url}/{name}{path}", content=b"<a/>", timeout=PATIENCE_S
            )
            assert answer.status_code == 403, path

    @pytest.mark.parametrize("key", ["test", "000000000000", "AKIAIOSFODNN7EXAMPLE", ""])
    def test_a_stranger_does_not_even_learn_that_a_socket_is_not_there(self, attacker: Attacker, key: str) -> None:
        base = attacker.cloud.websocket_url.replace("ws", "http", 1)  # type: ignore[union-attr]
        signed = {"Authorization": f"AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/execute-api/aws4_request"}
        for method in ("POST", "GET", "DELETE"):
            for path in ("/@connections/AAAAAAAAAAAAAAA%3D", "/%40connections/AAAAAAAAAAAAAAA%3D"):
                answer = httpx.request(method, f"{base}{path}", headers=signed, content=b"{}", timeout=PATIENCE_S)
                assert answer.status_code == 403, (method, path)

    def test_no_function_or_queue_takes_a_strangers_order(self, cloud: Cloud) -> None:
        base = cloud.aws_endpoint_url
        tries: list[tuple[str, dict[str, str], str]] = [
            (f"/2015-03-31/functions/{cloud.functions['migrate']}/invocations", {}, "{}"),
            ("/", {"Content-Type": "application/x-www-form-urlencoded"}, "Action=ListUsers&Version=2010-05-08"),
            ("/?Action=ListQueues", {}, ""),
            ("/", {"X-Amz-Target": "DynamoDB_20120810.ListTables"}, "{}"),
            ("/", {"X-Amz-Target": "secretsmanager.ListSecrets"}, "{}"),
            ("/", {"X-Amz-Target": "AWSStepFunctions.ListStateMachines"}, "{}"),
            (f"{GATEWAY}x/api/health", {"X-Amz-Target": "DynamoDB_20120810.ListTables"}, "{}"),
            (f"{GATEWAY}x/api/health?Action=ListUsers&Version=2010-05-08", {}, ""),
            (f"{GATEWAY}../../_ministack/reset", {}, ""),
            (f"{GATEWAY}%2e%2e/%2e%2e/_ministack/reset", {}, ""),
            (f"{GATEWAY}x/../../../_ministack/reset", {}, ""),
            ("/_ministack/health/../reset", {}, ""),
            ("/_MINISTACK/reset", {}, ""),
        ]
        for path, headers, body in tries:
            status, answer = raw(base, "POST", path, headers, body)
            assert status in {400, 403, 404, 405}, (path, answer)
            assert "TableNames" not in answer
            assert "ListUsersResult" not in answer
        assert still_well(cloud)

    def test_a_page_in_another_origin_cannot_read_the_consoles_passwords(self, cloud: Cloud) -> None:
        for host in ("evil.example", "127.0.0.1.evil.example", "[::ffff:a00:1]"):
            status, answer = raw(cloud.console_url, "GET", "/config.json", {"Host": host}, "")
            assert status in {400, 403}, host
            assert cloud.users["olga"]["password"] not in answer
        answered = httpx.get(
            f"{cloud.console_url}/config.json", headers={"Origin": "http://127.0.0.1:1"}, timeout=PATIENCE_S
        )
        assert "access-control-allow-origin" not in answered.headers

    @pytest.mark.parametrize(
        "path",
        [
            "/../app.py",
            "/%2e%2e/app.py",
            "/..%2fapp.py",
            "/assets/../../../.local/cloud.json",
            "//etc/passwd",
            "/\\..\\app.py",
        ],
    )
    def test_the_console_serves_its_own_files_alone(self, cloud: Cloud, path: str) -> None:
        _status, answer = raw(cloud.console_url, "GET", path, {}, "")
        assert "Chalice" not in answer
        assert "root:" not in answer
        assert cloud.operator_token not in answer

    def test_the_database_wants_its_password(self, cloud: Cloud) -> None:
        assert cloud.database_url is not None
        found = urlsplit(cloud.database_url)
        for user, password in (
            ("postgres", ""),
            ("postgres", "postgres"),
            (found.username or "", "guessed"),
            ("omnibus", ""),
        ):
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(host="127.0.0.1", port=found.port, user=user, password=password, dbname="postgres")


def raw(base: str, method: str, path: str, headers: Mapping[str, str], body: str) -> tuple[int, str]:
    """A request whose path is sent unchanged; its status and its answer."""
    place = urlsplit(base)
    sent = {"Host": place.netloc, "Connection": "close", "Content-Length": str(len(body)), **headers}
    head = "".join(f"{name}: {text}\r\n" for name, text in sent.items())
    with socket.create_connection((place.hostname or "", place.port or 80), timeout=PATIENCE_S) as plug:
        plug.sendall(f"{method} {path} HTTP/1.1\r\n{head}\r\n{body}".encode())
        answer = b"".join(iter(lambda: plug.recv(65536), b"")).decode("utf-8", errors="replace")
    return int(([*answer.split(" ", 2), "0", "0"])[1] or 0), answer


HOSTILE = [
    "' OR '1'='1",
    "'; DROP TABLE venues; --",
    '" UNION SELECT 1 --',
    "../../../../etc/passwd",
    "{{7*7}}${7*7}#{7*7}",
    "${jndi:ldap://127.0.0.1/a}",
    "<script>alert(1)</script>",
    "a\x00b",
    "\u202egnp.exe",
    "\U0001f600" * 400,
    "%s%n%x",
    "a" * 4000,
    "\r\nSet-Cookie: a=b",
    "=cmd|' /C calc'!A0",
    "-1",
    "9" * 400,
]


def answers_to_hostile_text(attacker: Attacker, path: str) -> list[httpx.Response]:
    """Every hostile text in a path's gaps; each must be refused, or find something or nothing."""
    answers = []
    for text in HOSTILE:
        answer = attacker("GET", path.replace("{}", quote(text, safe="")))
        assert answer.status_code == 200 or answer.status_code in REFUSED, (text[:40], answer.text[:300])
        answers.append(answer)
    return answers


class TestInjection:
    """Text that something behind the edge might take for more than text."""

    @pytest.mark.parametrize(
        "path",
        [
            "/concerts?search={}",
            "/concerts?city={}",
            "/concerts?after={}",
            "/artists?search={}",
            "/artists?after={}",
            "/venues?search={}",
            "/concerts/{}",
            "/artists/{}",
            "/venues/{}",
            "/concerts/totals?genres={}",
            "/chat/sessions/{}",
            "/flights/latest?box={}",
            "/flights/aircraft?callsign={}",
            "/flights/aircraft/{}/track",
            "/flights/snapshots/{}/aircraft",
            "/flights/runs/{}",
            "/flights/runs/{}/report",
            "/flights/runs?after={}",
            "/flights/quality?since={}",
            "/sessions/{}",
            "/sessions/{}?ownerToken={}",
            "/upload-url?sessionId={}&contentType={}",
            "/upload/assets/{}",
        ],
    )
    def test_hostile_text_is_refused_or_finds_nothing(self, attacker: Attacker, path: str) -> None:
        for answer in answers_to_hostile_text(attacker, path):
            assert "set-cookie" not in answer.headers
            if answer.headers["content-type"].startswith("text/html"):
                assert "<script>alert" not in answer.text

    @pytest.mark.parametrize(
        "path",
        [
            "/predictions/{}",
            "/predictions/{}/output",
            "/predictions?after={}",
            "/predictions/models/{}",
            "/predictions/models?after={}",
            "/predictions/data?after={}",
            "/flights/runs/{}/downloads",
            "/flights/runs/{}/release",
            "/flights/replays/{}",
        ],
    )
    def test_so_it_is_for_operators(self, cloud: Cloud, path: str) -> None:
        machine = Attacker(cloud, **{"X-Operator-Token": cloud.operator_token})
        assert answers_to_hostile_text(machine, path)

    @pytest.mark.parametrize(
        "path",
        [
            "/api/v1/operator/users?search={}",
            "/api/v1/operator/users?after={}",
            "/api/v1/operator/users/{}",
            "/api/v1/operator/users/{}/signals",
            "/api/v1/operator/users/{}/traces/{}",
            "/api/v1/operator/review?after={}",
            "/api/v1/users/me/transactions?search={}",
            "/api/v1/users/me/recommendations/{}",
        ],
    )
    def test_and_in_the_bank(self, cloud: Cloud, path: str) -> None:
        operator = Attacker(cloud, Authorization=sign_in(cloud, "olga"))
        assert answers_to_hostile_text(operator, path)

    @pytest.mark.parametrize(
        "uri",
        [
            "s3://{bucket}/data/../output/a.csv",
            "s3://{bucket}/data/%2e%2e/a.csv",
            "s3://{bucket}/output/a.csv",
            "s3://{bucket}/data",
            "s3://{bucket}/",
            "s3://{bucket}//data/a.csv",
            "s3://another-bucket/data/a.csv",
            "s3://{bucket}@evil.example/data/a.csv",
            "http://169.254.169.254/latest/meta-data/",
            "https://{bucket}.s3.amazonaws.com/data/a.csv",
            "file:///etc/passwd",
            "S3://{bucket}/data/a.csv",
            "s3://{bucket}/data/a.csv\n",
            "s3://{bucket}/data/a\x00.csv",
            "s3://{bucket}/data/a.csv?versionId=x",
        ],
    )
    def test_a_job_reads_from_its_places_alone(self, cloud: Cloud, uri: str) -> None:
        machine = Attacker(cloud, **{"X-Operator-Token": cloud.operator_token})
        bucket = cloud.buckets["predictions"]
        order = {
            "model_s3_uri": f"s3://{cloud.buckets['models']}/none.skops",
            "data_s3_uri": uri.replace("{bucket}", bucket),
            "output_s3_uri": f"s3://{bucket}/output/attack.csv",
            "prediction_column_name": "price",
            "feature_columns": ["x"],
        }
        for field in ("data_s3_uri", "model_s3_uri", "output_s3_uri"):
            given = {**order, field: order["data_s3_uri"].replace("/data/", "/other/")}
            answer = machine("POST", "/predictions?dry_run=true", json=given)
            assert answer.status_code in REFUSED, (field, answer.text)

    @pytest.mark.parametrize(
        "name",
        ["../a.csv", "a/../../b.csv", "/a.csv", "", ".", "a\x00.csv", "a\nb.csv", "a.csv\n", "a" * 2000, "\ud800.csv"],
    )
    def test_a_data_file_has_a_plain_name(self, cloud: Cloud, name: str) -> None:
        machine = Attacker(cloud, **{"X-Operator-Token": cloud.operator_token})
        body = json.dumps({"name": name}).encode("utf-8", "surrogatepass")
        answer = machine("POST", "/predictions/data", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in REFUSED, answer.text

    def test_a_form_for_data_is_for_one_key(self, cloud: Cloud) -> None:
        machine = Attacker(cloud, **{"X-Operator-Token": cloud.operator_token})
        form = machine("POST", "/predictions/data", json={"name": "rows.csv"}).json()
        folder = form["fields"]["key"].rpartition("/")[0]
        changes = (
            {"key": "output/rows.csv"},
            {"key": f"{folder}/../rows.csv"},
            {"acl": "public-read"},
            {"success_action_redirect": "https://evil.example/"},
            {"policy": base64.b64encode(b'{"expiration": "2099-01-01T00:00:00Z", "conditions": []}').decode()},
        )
        for change in changes:
            given = {**form["fields"], **change}
            sent = httpx.post(form["url"], data=given, files={"file": ("rows.csv", b"x\n1\n")}, timeout=PATIENCE_S)
            assert sent.status_code in {400, 403}, change
        sent = httpx.post(form["url"], data=form["fields"], files={"file": ("rows.csv", b"x\n1\n")}, timeout=PATIENCE_S)
        assert sent.status_code in {200, 201, 204}, sent.text

    @pytest.mark.parametrize("name", ["..%2f..%2fapp.py", "%2e%2e", "..%5capp.py", "page.html%00.js", ".%2e/app.py"])
    def test_the_upload_page_has_its_own_assets_alone(self, attacker: Attacker, name: str) -> None:
        answer = attacker("GET", f"/upload/assets/{name}")
        assert answer.status_code in {400, 403, 404}
        assert "Chalice" not in answer.text

    def test_an_answers_links_do_not_follow_the_callers_headers(self, attacker: Attacker) -> None:
        names = ("X-Forwarded-Host", "X-Forwarded-Server", "X-Host", "Forwarded", "X-Original-Host")
        headers = dict.fromkeys(names, "evil.example") | {
            "Forwarded": "host=evil.example",
            "X-Forwarded-Proto": "evil",
        }
        for method, path in (("POST", "/sessions"), ("GET", "/"), ("GET", "/openapi.json"), ("GET", "/health")):
            assert "evil" not in attacker(method, path, headers=headers).text

    @pytest.mark.parametrize(
        "page",
        [
            "javascript:alert(1)//",
            "https://evil.example#/",
            "//evil.example/u",
            "https://a/u\nb",
            "data:text/html,x",
            "https://a/<b>",
        ],
    )
    def test_a_code_leads_to_a_web_page(self, attacker: Attacker, page: str) -> None:
        assert attacker("POST", "/sessions", params={"phonePage": page}).status_code == 400


DEEP = 100_000


class TestBombs:
    """Requests that are cheap to send and dear to read."""

    POSTS = ("/chat", "/recommendations", "/tickets/predict", "/tickets/predict/batch", "/venues/popularity", "/mcp")

    @pytest.mark.parametrize(
        "body",
        [
            b"[" * DEEP,
            b'{"a":' * DEEP,
            b'{"message":' + b"[" * DEEP + b"]" * DEEP + b"}",
            b'{"message": "' + b"a" * 900_000 + b'"}',
            b'{"top_n": ' + b"9" * 100_000 + b"}",
            b'{"top_n": 1e400}',
            b'{"top_n": NaN, "limit": Infinity}',
            b'{"message": "\\ud800"}',
            b'{"message": "\xff\xfe"}',
            b"\xef\xbb\xbf{}",
            b'{"message": "a", "message": {"$ne": null}}',
            b'{"message": {"$ne": null}, "user_id": {"$gt": ""}}',
            b'{"__proto__": {"admin": true}, "constructor": {}}',
            b"{" + b",".join(b'"%d":0' % n for n in range(60_000)) + b"}",
            b"null",
            b'"text"',
            b"",
            b"\x00" * 1000,
            b"a" * (2 << 20),
        ],
    )
    def test_a_body_is_read_or_refused(self, attacker: Attacker, body: bytes) -> None:
        for path in self.POSTS:
            answer = attacker("POST", path, content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code in {200, 202} or answer.status_code in REFUSED, (path, answer.text[:300])
        assert still_well(attacker.cloud)

    def test_nothing_is_unpacked(self, attacker: Attacker) -> None:
        import gzip

        bomb = gzip.compress(b'{"message": "' + bytes(50 << 20) + b'"}')
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        assert attacker("POST", "/chat", content=bomb, headers=headers).status_code in REFUSED

    def test_a_query_string_is_short(self, attacker: Attacker) -> None:
        for query in (
            "&".join(f"a{n}=1" for n in range(3000)),
            "limit=1&" * 2000,
            "limit=" + "9" * 5000,
            "a[" * 2000 + "=1",
        ):
            assert attacker("GET", f"/concerts?{query}").status_code in REFUSED

    @pytest.mark.parametrize(
        "path",
        [
            "/concerts?search=" + "a%20" * 2000 + "!",
            "/artists?search=" + "%28" * 2000,
            "/sessions?phonePage=https://" + "a/" * 250 + "%22",
            "/flights/aircraft?callsign=" + "A1" * 2000 + "!",
            "/chat/sessions/" + "a-" * 2000,
        ],
    )
    def test_no_pattern_takes_long(self, attacker: Attacker, path: str) -> None:
        method = "POST" if path.startswith("/sessions") else "GET"
        assert attacker(method, path).status_code in {*REFUSED, 200}

    @pytest.mark.parametrize(
        "message",
        [
            "a " * 900 + "!",
            "between " * 200,
            "under $" * 250,
            "1" * 1500,
            "jazz and " * 150,
            "not " * 400,
            "in new york " * 120,
            "\u0301" * 1500,
            "(" * 1500,
            "today tomorrow " * 100,
        ],
    )
    def test_no_question_takes_the_chat_long(self, attacker: Attacker, message: str) -> None:
        answer = attacker("POST", "/chat", json={"message": message})
        assert answer.status_code in {200, 400}, answer.text[:300]

    @pytest.mark.parametrize(
        "name",
        ["If-None-Match", "Range", "Accept", "Accept-Encoding", "Cookie", "X-Amzn-Trace-Id", "Origin", "Referer"],
    )
    def test_long_and_odd_headers_change_nothing(self, attacker: Attacker, name: str) -> None:
        for text in ('"a",' * 1500, "bytes=0-1," * 500, "*", "W/" * 2000, "\\" * 3000):
            assert attacker("GET", "/flights/latest", headers={name: text}).status_code in {
                200,
                304,
                400,
                404,
                406,
                413,
                431,
            }


class TestRaces:
    """The same call several times in parallel."""

    def test_one_address_opens_only_so_many_sessions_at_once(self, attacker: Attacker) -> None:
        wait_for_window()
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: attacker("POST", "/sessions").status_code, range(64)))
        assert found.count(201) + found.count(200) <= 60, found
        assert set(found) <= {200, 201, 429}
        assert Attacker(attacker.cloud)("POST", "/sessions").status_code in {200, 201}

    def test_a_profile_is_made_once(self, cloud: Cloud) -> None:
        bob = Attacker(cloud, Authorization=sign_in(cloud, "bob"))
        with ThreadPoolExecutor(6) as pool:
            made = list(
                pool.map(lambda n: bob("PUT", "/api/v1/users/me/profile", json={"display_name": f"Bob {n}"}), range(6))
            )
            assert {answer.status_code for answer in made} <= {200, 201}
            assert len({answer.json()["user_id"] for answer in made}) == 1
            ended = list(pool.map(lambda _: bob("DELETE", "/api/v1/users/me/profile").status_code, range(4)))
        assert set(ended) <= {204, 404}

    def test_a_photos_permission_is_counted_however_many_ask_at_once(self, attacker: Attacker) -> None:
        session = attacker("POST", "/sessions").json()
        query = {"sessionId": session["sessionId"], "contentType": "image/jpeg"}
        headers = {"X-Upload-Token": session["uploadToken"]}
        with ThreadPoolExecutor(8) as pool:
            found = list(
                pool.map(lambda _: attacker("GET", "/upload-url", params=query, headers=headers).status_code, range(30))
            )
        assert set(found) <= {200, 409, 429}
        assert found.count(200) <= 20


class TestOtherPages:
    """What a page of another origin can make a visitor's browser do."""

    @pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
    def test_a_simple_request_is_no_order(self, attacker: Attacker, kind: str) -> None:
        for path in ("/chat", "/predictions", "/recommendations", "/mcp"):
            answer = attacker("POST", path, content=b'{"message": "hi"}', headers={"Content-Type": kind})
            assert answer.status_code in {400, 403, 415}, path

    def test_no_answer_is_for_a_page_with_credentials(self, attacker: Attacker) -> None:
        for method in ("GET", "OPTIONS"):
            answer = attacker(method, "/health", headers={"Origin": "https://evil.example"})
            assert "access-control-allow-credentials" not in answer.headers
            assert answer.headers["x-content-type-options"] == "nosniff" or method == "OPTIONS"

    def test_our_pages_run_no_script_of_others_and_are_framed_by_nobody(self, attacker: Attacker) -> None:
        for path in ("/upload", "/u", "/u?a=<script>alert(1)</script>"):
            answer = attacker("GET", path)
            policy = answer.headers["content-security-policy"]
            assert "unsafe-inline" not in policy.split("script-src")[-1].split(";")[0]
            assert "frame-ancestors 'none'" in policy
            assert "<script>alert" not in answer.text


class TestSockets:
    """What a socket may be told and may ask."""

    @pytest.mark.parametrize(
        "query",
        [
            "",
            "?channel=admin",
            "?channel=jobs%00",
            "?channel=",
            "?sessionId=x",
            "?sessionId=*&ownerToken=*",
            "?channel=chat2",
        ],
    )
    def test_a_channel_that_is_none_is_not_opened(self, attacker: Attacker, query: str) -> None:
        with pytest.raises(InvalidStatus) as refused, attacker.plug(query):
            pass
        assert refused.value.response.status_code in {400, 401, 403, 404}

    def test_jobs_are_for_operators(self, attacker: Attacker, alice: str) -> None:
        for proof in ({}, {"operator_token": "guessed"}, {"authorization": alice}, {"authorization": "e30.e30.e30"}):
            with attacker.plug("?channel=jobs") as plug:
                plug.send(json.dumps({"action": "watch_jobs", **proof}))
                answer = json.loads(plug.recv(timeout=PATIENCE_S))
                assert (answer["action"], answer["error"]["code"]) in {
                    ("ERROR", "forbidden"),
                    ("ERROR", "unauthenticated"),
                }
        olga, machine = sign_in(attacker.cloud, "olga"), attacker.cloud.operator_token
        for proof in ({"authorization": olga}, {"operator_token": machine}):
            with attacker.plug("?channel=jobs") as plug:
                plug.send(json.dumps({"action": "watch_jobs", **proof}))
                assert json.loads(plug.recv(timeout=PATIENCE_S)) == {"action": "JOBS_WATCHED"}

    @pytest.mark.parametrize(
        "text",
        [
            "[" * 500,
            '{"action": {"a": 1}}',
            '{"action": ["chat"]}',
            '{"action": "__init__"}',
            '{"action": "chat", "message": {"$ne": 1}}',
            '{"action": "chat", "message": "a", "session_id": "../x"}',
            '{"action": "sync", "sessionId": {"S": "x"}}',
            '{"action": "sync", "sessionId": "' + "x" * 5000 + '"}',
            '{"action": "chat_stop", "connection": "other"}',
            '{"action": "' + "a" * 30_000 + '"}',
            "\x00",
            "null",
            "",
        ],
    )
    def test_nonsense_is_answered_and_the_socket_stays(self, attacker: Attacker, text: str) -> None:
        with attacker.plug("?channel=chat") as plug:
            if text:
                plug.send(text)
                assert json.loads(plug.recv(timeout=PATIENCE_S))["action"] == "ERROR"
            plug.send(json.dumps({"action": "ping"}))
            assert json.loads(plug.recv(timeout=PATIENCE_S))["action"] == "PONG"

    def test_what_a_socket_may_do_it_does(self, attacker: Attacker) -> None:
        """So that the refusals around this test are no accident."""
        mine = attacker("POST", "/sessions").json()
        with attacker.plug(f"?sessionId={mine['sessionId']}&ownerToken={mine['ownerToken']}") as plug:
            plug.send(json.dumps({"action": "sync"}))
            assert json.loads(plug.recv(timeout=PATIENCE_S))["action"] == "SESSION_STATE"
        with attacker.plug("?channel=runs") as plug:
            plug.send(json.dumps({"action": "ping"}))
            assert json.loads(plug.recv(timeout=PATIENCE_S))["action"] == "PONG"

    def test_anothers_session_cannot_be_watched(self, attacker: Attacker) -> None:
        theirs = attacker("POST", "/sessions").json()
        with attacker.plug("?channel=chat") as plug:
            for token in (None, "", theirs["uploadToken"], 1, ["a"]):
                plug.send(json.dumps({"action": "sync", "sessionId": theirs["sessionId"], "ownerToken": token}))
                assert json.loads(plug.recv(timeout=PATIENCE_S))["error"]["code"] in {"forbidden", "unauthenticated"}

    def test_a_message_beyond_every_limit_ends_no_more_than_its_socket(self, attacker: Attacker) -> None:
        with suppress(ConnectionClosed), attacker.plug("?channel=chat") as plug:
            plug.send("a" * (2 << 20))
            plug.recv(timeout=PATIENCE_S)
        assert still_well(attacker.cloud)


class TestMcp:
    """The tools, for somebody who may use few of them."""

    def call(self, attacker: Attacker, message: Any, **headers: str) -> httpx.Response:
        sent = {"Accept": "application/json, text/event-stream", **headers}
        return attacker("POST", "/mcp", json=message, headers=sent)

    def test_operators_tools_are_for_operators(self, attacker: Attacker, alice: str) -> None:
        listed = self.call(attacker, {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).json()
        assert listed["result"]["tools"]
        for name in ("list_prediction_jobs", "submit_prediction", "release_snapshot"):
            message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": {}}}
            for headers in ({}, {"Authorization": alice}, {"X-Operator-Token": "guessed"}):
                answer = self.call(attacker, message, **headers)
                text = answer.text
                assert (
                    answer.status_code in REFUSED or '"error"' in text or '"isError":true' in text.replace(" ", "")
                ), text

    @pytest.mark.parametrize(
        "message",
        [
            [],
            [{"jsonrpc": "2.0", "id": n, "method": "tools/list"} for n in range(500)],
            {"jsonrpc": "2.0", "id": {"a": 1}, "method": "tools/list"},
            {"jsonrpc": "2.0", "id": 10**400, "method": "tools/list"},
            {"jsonrpc": "2.0", "id": 1, "method": "../tools"},
            {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": []},
            {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "__class__", "arguments": {}}},
            {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "tools/call",
                "params": {"name": "search_concerts", "arguments": {"__proto__": 1}},
            },
            {"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": "file:///etc/passwd"}},
            {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "a" * 10_000}},
        ],
    )
    def test_odd_messages_are_errors(self, attacker: Attacker, message: Any) -> None:
        answer = self.call(attacker, message)
        assert answer.status_code < 500, answer.text
        assert "root:" not in answer.text


class TestTheWire:
    """Requests that two readers would take apart differently."""

    @pytest.mark.parametrize(
        "head",
        [
            "Content-Length: 4\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
            "Transfer-Encoding:\x0bchunked",
            "Content-Length: 4\r\nContent-Length: 60",
            "Content-Length: +60",
            "Content-Length: -1",
        ],
    )
    def test_no_second_request_hides_in_a_first(self, cloud: Cloud, head: str) -> None:
        place = urlsplit(cloud.rest_url)
        last = "Connection: close"  # the server does not wait for a third request
        hidden = f"POST /_ministack/reset HTTP/1.1\r\nHost: {place.netloc}\r\n{last}\r\nContent-Length: 0\r\n\r\n"
        request = (
            f"POST {place.path}/recommendations HTTP/1.1\r\nHost: {place.netloc}\r\n{head}\r\n\r\n0\r\n\r\n{hidden}"
        )
        with socket.create_connection((place.hostname or "", place.port or 80), timeout=PATIENCE_S) as plug:
            plug.sendall(request.encode())
            plug.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: plug.recv(65536), b"")).decode("utf-8", errors="replace")
        assert answer.count("HTTP/1.1 200") == 0, answer
        assert still_well(cloud)

    @pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "DEBUG", "get"])
    def test_other_methods_are_refused(self, cloud: Cloud, method: str) -> None:
        status, answer = raw(
            cloud.rest_url, method, f"{urlsplit(cloud.rest_url).path}/operations", {"X-Secret": "echoed"}, ""
        )
        assert status in {400, 403, 404, 405, 501}
        assert "echoed" not in answer


@pytest.fixture(autouse=True, scope="module")
def _well_in_the_end(cloud: Cloud) -> Iterator[None]:
    yield
    assert until(lambda: still_well(cloud))

"""SpendSense on the local cloud: real tokens, the jobs chained by their events, every function under its own role."""

import base64
import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
import pytest
from websockets.sync.client import connect

from chalicelib.spendsense.schema import packaged_migrations
from local.cloud import Cloud
from local.people.generator import Person, generate
from tests.events import schedule_event
from tests.patience import PATIENCE_S, until

pytestmark = pytest.mark.cloud


def sign_in(cloud: Cloud, name: str) -> str:
    known = cloud.users[name]
    answer = cloud.client("cognito-idp").initiate_auth(
        AuthFlow="USER_PASSWORD_AUTH",
        ClientId=known["client_id"],
        AuthParameters={"USERNAME": known["username"], "PASSWORD": known["password"]},
    )
    token: str = answer["AuthenticationResult"]["IdToken"]
    return token


class Caller:
    """One signed-in user of the API."""

    def __init__(self, cloud: Cloud, token: str | None) -> None:
        self._headers = {"Authorization": token} if token else {}
        self._base = f"{cloud.rest_url}/api/v1"

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        sent = {**self._headers, **headers}
        return httpx.request(method, f"{self._base}{path}", json=body, headers=sent, timeout=PATIENCE_S)

    def get(self, path: str) -> Any:
        answer = self("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def migrated(cloud: Cloud) -> Cloud:
    result = cloud.invoke("migrate")["result"]
    assert result["version"] >= 4
    assert result["applied"] == [], "the deployment has migrated already"
    return cloud


@pytest.fixture(scope="module")
def operator(migrated: Cloud) -> Caller:
    return Caller(migrated, sign_in(migrated, "olga"))


@pytest.fixture
def alice(migrated: Cloud) -> Iterator[Caller]:
    """Alice, new each time."""
    caller = Caller(migrated, sign_in(migrated, "alice"))
    caller("DELETE", "/users/me/profile")
    yield caller
    caller("DELETE", "/users/me/profile")


def person(persona: str) -> Person:
    today = datetime.now(UTC).date()
    return next(each for each in generate(100, seed=11, today=today) if each.persona == persona)


def join(caller: Caller, operator: Caller, somebody: Person, *, consent: bool = True) -> str:
    profile = caller("PUT", "/users/me/profile", {"display_name": somebody.name}).json()
    if consent:
        caller("PUT", "/users/me/consent", {"granted": True, "policy_version": "2026-11"})
    for document in somebody.documents:
        answer = operator("POST", f"/operator/users/{profile['user_id']}/imports", document)
        assert answer.status_code == 200, answer.text
    return str(profile["user_id"])


def recommended(caller: Caller) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = caller.get("/users/me/recommendations")["recommendations"]
    return found


def test_from_joining_to_recommendations_by_events_alone(alice: Caller, operator: Caller) -> None:
    somebody = person("high_utilization")
    user_id = join(alice, operator, somebody)
    found = until(lambda: recommended(alice))
    assert alice.get("/users/me/insights")["persona"]["persona"] == "high_utilization"
    kinds = [one["kind"] for one in found]
    assert 3 <= kinds.count("education") <= 5
    assert 1 <= kinds.count("offer") <= 3
    explained = alice.get(f"/users/me/recommendations/{found[0]['recommendation_id']}")
    assert explained["trace"]["signals_used"]
    detail = operator.get(f"/operator/users/{user_id}")
    assert {persona["persona"] for persona in detail["personas"]} == {"high_utilization"}
    assert "import" in {action["action"] for action in detail["actions"]}


def test_the_nightly_run_takes_everybody_through_the_chain(migrated: Cloud, alice: Caller, operator: Caller) -> None:
    join(alice, operator, person("savings_builder"))
    event = {**schedule_event(), "id": str(uuid.uuid4()), "detail": {"everyone": True}}
    event["time"] = datetime.now(UTC).isoformat(timespec="seconds")
    outcome = migrated.invoke("compute_features", event)
    assert outcome["run_id"] == event["id"]

    def chain() -> bool:
        runs = [run for run in operator.get("/operator/metrics")["runs"] if run["run_id"] == event["id"]]
        return {run["job"] for run in runs if run["finished_at"]} == {
            "compute_features",
            "assign_persona",
            "generate_recommendations",
        }

    until(chain)
    assert recommended(alice)
    assert migrated.invoke("compute_features", event)["already_done"] is True


def test_revoking_consent_shows_at_once(alice: Caller, operator: Caller) -> None:
    join(alice, operator, person("subscription_heavy"))
    until(lambda: recommended(alice))
    alice("PUT", "/users/me/consent", {"granted": False, "policy_version": "1"})
    assert recommended(alice) == []
    assert alice.get("/users/me/insights")["persona"] is None


def test_a_read_that_is_known_is_304(alice: Caller) -> None:
    alice("PUT", "/users/me/profile", {})
    first = alice("GET", "/users/me/profile")
    assert alice("GET", "/users/me/profile", **{"If-None-Match": first.headers["etag"]}).status_code == 304


# -- tokens


def decoded(part: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def encoded(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def refused(cloud: Cloud, token: str | None) -> None:
    answer = Caller(cloud, token)("GET", "/users/me/profile")
    assert answer.status_code == 401, answer.text


def test_without_a_token(migrated: Cloud) -> None:
    refused(migrated, None)
    refused(migrated, "")
    refused(migrated, "Bearer nonsense")
    assert Caller(migrated, None)("GET", "/health").status_code == 200


@pytest.mark.parametrize(
    "claims",
    [{"exp": 1}, {"cognito:groups": ["operators"]}, {"sub": str(uuid.uuid4())}, {"iss": "https://evil.example"}],
    ids=["expired", "a group", "another person", "another issuer"],
)
def test_a_token_whose_claims_were_changed(migrated: Cloud, claims: dict[str, Any]) -> None:
    header, payload, signature = sign_in(migrated, "alice").split(".")
    refused(migrated, f"{header}.{encoded({**decoded(payload), **claims})}.{signature}")


def test_a_token_without_a_signature(migrated: Cloud) -> None:
    header, payload, _ = sign_in(migrated, "alice").split(".")
    refused(migrated, f"{encoded({**decoded(header), 'alg': 'none'})}.{payload}.")


def test_an_access_token_is_no_id_token(migrated: Cloud) -> None:
    known = migrated.users["alice"]
    answer = migrated.client("cognito-idp").initiate_auth(
        AuthFlow="USER_PASSWORD_AUTH",
        ClientId=known["client_id"],
        AuthParameters={"USERNAME": known["username"], "PASSWORD": known["password"]},
    )
    refused(migrated, answer["AuthenticationResult"]["AccessToken"])


@pytest.fixture
def stranger(migrated: Cloud) -> Iterator[str]:
    """A good token of another pool, of an operator there."""
    cognito = migrated.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="another")["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool,
        ClientName="another",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]["ClientId"]
    cognito.admin_create_user(UserPoolId=pool, Username="mallory", MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool, Username="mallory", Password="Aa1!secret-enough", Permanent=True)
    cognito.create_group(UserPoolId=pool, GroupName="operators")
    cognito.admin_add_user_to_group(UserPoolId=pool, Username="mallory", GroupName="operators")
    answer = cognito.initiate_auth(
        AuthFlow="USER_PASSWORD_AUTH",
        ClientId=client,
        AuthParameters={"USERNAME": "mallory", "PASSWORD": "Aa1!secret-enough"},
    )
    yield answer["AuthenticationResult"]["IdToken"]
    cognito.delete_user_pool(UserPoolId=pool)


def test_a_token_of_another_pool(migrated: Cloud, stranger: str) -> None:
    refused(migrated, stranger)


@pytest.fixture
def brief(migrated: Cloud) -> Iterator[str]:
    """A good token of our pool that expires a few seconds after it was made; of an application that is not ours."""
    cognito = migrated.client("cognito-idp")
    pool = migrated.outputs["UserPoolId"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool,
        ClientName="brief",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        IdTokenValidity=10,
        TokenValidityUnits={"IdToken": "seconds"},
    )["UserPoolClient"]["ClientId"]
    known = migrated.users["alice"]
    answer = cognito.initiate_auth(
        AuthFlow="USER_PASSWORD_AUTH",
        ClientId=client,
        AuthParameters={"USERNAME": known["username"], "PASSWORD": known["password"]},
    )
    yield answer["AuthenticationResult"]["IdToken"]
    cognito.delete_user_pool_client(UserPoolId=pool, ClientId=client)


def test_a_token_that_expired_is_refused_by_the_gateway_itself(migrated: Cloud, brief: str) -> None:
    """Before it expires the gateway lets it through, and the application refuses it for its audience."""

    def by_the_gateway(answer: httpx.Response) -> bool:
        assert answer.status_code == 401, answer.text
        return "of our user pool and applications" not in answer.text

    caller = Caller(migrated, brief)
    assert not by_the_gateway(caller("GET", "/users/me/profile"))
    until(lambda: by_the_gateway(caller("GET", "/users/me/profile")))


def test_anothers_ids_are_not_found_and_go_on_record(migrated: Cloud, alice: Caller, operator: Caller) -> None:
    """In a path, in a body, in a query."""
    bob = Caller(migrated, sign_in(migrated, "bob"))
    join(alice, operator, person("high_utilization"))
    wanted = until(lambda: recommended(alice))[0]["recommendation_id"]
    account = alice.get("/users/me/accounts")["accounts"][0]["account_id"]
    subject = bob("PUT", "/users/me/profile", {}).json()["user_id"]
    assert bob("GET", f"/users/me/recommendations/{wanted}").status_code == 404
    assert bob("POST", "/feedback", {"recommendation_id": wanted, "helpful": False}).status_code == 404
    assert bob("GET", f"/users/me/transactions?account_id={account}").status_code == 404
    bob("DELETE", "/users/me/profile")
    with psycopg.connect(migrated.database_url or "") as connection:
        query = "SELECT resource, reason FROM spendsense.access_denials WHERE caller = %s ORDER BY denial_id"
        denials = connection.execute(query, [subject]).fetchall()
    assert denials == [
        (f"recommendation {wanted}", "not the caller's"),
        (f"recommendation {wanted}", "not the caller's"),
        (f"account {account}", "not the caller's"),
    ]


def test_a_token_without_the_group(migrated: Cloud, alice: Caller) -> None:
    for path in ("/operator/users", "/operator/metrics", "/operator/review"):
        assert alice("GET", path).status_code == 403


def test_migrating_again_applies_nothing(migrated: Cloud) -> None:
    assert migrated.invoke("migrate") == {
        "result": {"applied": [], "version": len(packaged_migrations()), "mended": {}}
    }


# -- the socket channel `me`


@contextmanager
def hearing(cloud: Cloud, authorization: str) -> Iterator[Callable[[], Any]]:
    """What is said on a socket of whoever the token names, message by message."""
    with connect(f"{cloud.websocket_url}?channel=me", open_timeout=PATIENCE_S) as socket:
        socket.send(json.dumps({"action": "watch_me", "authorization": authorization}))
        yield lambda: json.loads(socket.recv(timeout=PATIENCE_S))


def test_a_person_alone_hears_how_far_the_jobs_are(migrated: Cloud, alice: Caller, operator: Caller) -> None:
    bob = Caller(migrated, sign_in(migrated, "bob"))
    for caller in (alice, bob):
        caller("PUT", "/users/me/profile", {})
    with (
        hearing(migrated, sign_in(migrated, "alice")) as of_alice,
        hearing(migrated, sign_in(migrated, "bob")) as of_bob,
    ):
        assert [each()["progress"]["consented"] for each in (of_alice, of_bob)] == [False, False]
        join(alice, operator, person("high_utilization"))
        heard = [of_alice()]
        while not heard[-1]["progress"]["is_current"]:
            heard.append(of_alice())
        assert {message["action"] for message in heard} == {"PROGRESS"}
        assert all(message["progress"]["consented"] for message in heard)
        assert heard[-1]["progress"]["as_of"] == alice.get("/users/me/progress")["as_of"]
        bob("PUT", "/users/me/consent", {"granted": True, "policy_version": "2026-11"})
        assert of_bob()["progress"]["as_of"] is None, "the next that Bob hears is his own"
    bob("DELETE", "/users/me/profile")


def test_a_socket_without_a_token_hears_of_nobody(migrated: Cloud) -> None:
    with hearing(migrated, "guessed") as heard:
        assert heard()["error"]["code"] == "unauthenticated"


# -- the logins


def test_the_functions_sign_in_as_nobody_who_owns_a_table(migrated: Cloud, alice: Caller) -> None:
    alice("PUT", "/users/me/profile", {})
    with psycopg.connect(migrated.database_url or "") as connection:
        names = connection.execute("SELECT usename FROM pg_stat_activity WHERE datname = 'spendsense'").fetchall()
        owned = "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = 'spendsense'::regnamespace"
        owners = {row[0] for row in connection.execute(owned)}
    assert ("omnibus-local-application",) in names
    assert owners == {"spendsense_owner"}

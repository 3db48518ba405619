"""SpendSense's routes and functions as API Gateway and EventBridge call them, people in memory."""

import base64
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from chalice.test import Client

from chalicelib.bootstrap import Services
from chalicelib.errors import UpstreamTimeout, UpstreamUnavailable
from chalicelib.spendsense.catalogue import packaged
from chalicelib.spendsense.guardrails import DISCLOSURE
from chalicelib.spendsense.identity import Doorkeeper
from chalicelib.spendsense.imports import Imports
from chalicelib.spendsense.jobs import Jobs
from chalicelib.spendsense.models import ConsentRecord, ProfileChange
from chalicelib.spendsense.operators import Office
from chalicelib.spendsense.orders import Order
from chalicelib.spendsense.people import Registry
from chalicelib.spendsense.reading import Reader
from tests.app.conftest import Answer
from tests.contract.spendsense_people import JOBS, NOW, TODAY, account, owned, rows, subject, transaction
from tests.events import schedule_event
from tests.fakes.spendsense import FakePeople
from tests.fakes.spendsense_aws import POOL, FakeAnnouncements, FakePools

pytestmark = pytest.mark.filterwarnings("ignore:.*supported in local mode")

ANN, BOB, OLGA = subject("ann"), subject("bob"), subject("olga")
ME = "/api/v1/users/me"


@pytest.fixture
def people() -> FakePeople:
    return FakePeople()


@pytest.fixture
def announcements() -> FakeAnnouncements:
    return FakeAnnouncements()


@pytest.fixture(autouse=True)
def wired(services: Services, people: FakePeople, announcements: FakeAnnouncements) -> None:
    def clock() -> Any:
        return NOW

    catalogue = packaged()
    imports = Imports(ledger=people, announcements=announcements, clock=clock)
    services.__dict__.update(
        spendsense_doorkeeper=Doorkeeper(pools=FakePools(), audit=people, clock=clock),
        spendsense_registry=Registry(people=people, consents=people, announcements=announcements, clock=clock),
        spendsense_imports=imports,
        spendsense_reader=Reader(records=people, explanations=people, audit=people, catalogue=catalogue, clock=clock),
        spendsense_office=Office(
            oversight=people,
            people=people,
            explanations=people,
            reviews=people,
            imports=imports,
            audit=people,
            clock=clock,
        ),
        spendsense_jobs=Jobs(
            pipeline=people, announcements=announcements, clock=clock, count=lambda name, value: None, reserve_s=0.0
        ),
    )


def token(person: UUID, *groups: str, **claims: Any) -> dict[str, str]:
    """What API Gateway lets through: its signature is the gateway's business, the rest is asked again."""
    payload: dict[str, Any] = {
        "sub": str(person),
        "cognito:username": str(person),
        "iss": POOL.issuer,
        "aud": "client",
        "token_use": "id",
        **claims,
    }
    if groups:
        payload["cognito:groups"] = list(groups)
    encoded = base64.urlsafe_b64encode(msgspec.json.encode(payload)).decode().rstrip("=")
    return {"Authorization": f"e30.{encoded}.c2lnbmVk"}


OPERATOR = token(OLGA, "operators")


@pytest.fixture
def call(api: Callable[..., Answer]) -> Callable[..., Answer]:
    """Call as a person: `call(ANN, "GET", path, body)`."""

    def as_person(person: UUID, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        sent = {**token(person), **{name.replace("_", "-"): value for name, value in headers.items()}}
        return api(method, path, body, sent)

    return as_person


@pytest.fixture
def joined(people: FakePeople) -> FakePeople:
    """Ann and Bob with rows, consent, and everything computed."""
    for name in ("ann", "bob"):
        people.register(subject(name), ProfileChange(display_name=name.title()), NOW)
        people.record(subject(name), ConsentRecord(granted=True, policy_version="1", recorded_at=NOW))
        given = rows(
            [account(), account("credit card", 700.0, limit=1000.0)],
            [transaction(2 * number, 10.0 + number, merchant="Shop") for number in range(12)],
        )
        people.save(subject(name), owned(name, given), NOW)
    for job in JOBS:
        people.begin(job, Order("night", TODAY), NOW)
        people.advance(job, Order("night", TODAY), 10, NOW)
    return people


# -- who may call


def test_health_needs_nobody(api: Callable[..., Answer]) -> None:
    assert api("GET", "/api/v1/health").body == {"status": "ok"}


PATHS = [
    ("GET", f"{ME}/profile"),
    ("PUT", f"{ME}/profile"),
    ("DELETE", f"{ME}/profile"),
    ("GET", f"{ME}/accounts"),
    ("GET", f"{ME}/transactions"),
    ("GET", f"{ME}/insights"),
    ("GET", f"{ME}/recommendations"),
    ("GET", f"{ME}/recommendations/x"),
    ("GET", f"{ME}/consent"),
    ("PUT", f"{ME}/consent"),
    ("POST", "/api/v1/feedback"),
    ("GET", "/api/v1/operator/users"),
    ("GET", "/api/v1/operator/users/x"),
    ("DELETE", "/api/v1/operator/users/x"),
    ("GET", "/api/v1/operator/users/x/signals"),
    ("GET", "/api/v1/operator/users/x/traces/y"),
    ("POST", "/api/v1/operator/users/x/imports"),
    ("GET", "/api/v1/operator/review"),
    ("POST", "/api/v1/operator/review"),
    ("GET", "/api/v1/operator/metrics"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://cognito-idp.eu-west-1.amazonaws.com/another"},
        {"aud": "another client"},
        {"token_use": "access"},
        {"sub": "not an id"},
        {"sub": ""},
    ],
)
def test_a_token_that_is_not_ours_opens_nothing(
    api: Callable[..., Answer], method: str, path: str, claims: dict[str, str]
) -> None:
    answer = api(method, path, {}, token(ANN, "operators", **claims))
    assert (answer.status, answer.body["error"]["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_without_a_token_nothing_opens(api: Callable[..., Answer], method: str, path: str) -> None:
    assert api(method, path, {}).status == 401


@pytest.mark.parametrize(("method", "path"), [pair for pair in PATHS if "/operator/" in pair[1]])
@pytest.mark.parametrize("groups", [(), ("customers",), ("operators-of-something-else",)])
def test_operators_routes_need_the_group_and_refusals_are_on_record(
    api: Callable[..., Answer], joined: FakePeople, method: str, path: str, groups: tuple[str, ...]
) -> None:
    answer = api(method, path.replace("/x", f"/{ANN}"), {}, token(BOB, *groups))
    assert (answer.status, answer.body["error"]["code"]) == (403, "forbidden")
    ((caller, resource, reason),) = joined.denials
    assert (caller, reason) == (BOB, "not an operator")
    assert resource.startswith(f"{method} /api/v1/operator/")


def test_every_route_but_health_has_the_authorizer(client: Client) -> None:
    import app as application

    routes = {
        (method, path): entry.authorizer
        for path, methods in application.app.routes.items()
        for method, entry in methods.items()
        if path.startswith("/api/v1/") and method != "OPTIONS"
    }
    assert {key for key, authorizer in routes.items() if authorizer is None} == {("GET", "/api/v1/health")}
    assert len(routes) == len(PATHS) + 1


# -- the person


def test_joining(call: Callable[..., Answer], announcements: FakeAnnouncements) -> None:
    assert call(ANN, "GET", f"{ME}/profile").status == 404
    made = call(ANN, "PUT", f"{ME}/profile", {"display_name": "Ann"})
    assert (made.status, made.body["user_id"], made.body["currency"]) == (200, str(ANN), "USD")
    call(ANN, "PUT", f"{ME}/profile", {"display_name": "Anna", "currency": "EUR"})
    assert call(ANN, "GET", f"{ME}/profile").body["display_name"] == "Anna"
    assert announcements.made == [("User Signup", {"subject": str(ANN)})]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"display_name": 5}, "display_name"),
        ({"display_name": "x" * 201}, "display_name"),
        ({"display_name": "a\u0000b"}, "display_name"),
        ({"currency": "usd"}, "currency"),
        ({"user_id": str(BOB)}, "user_id"),
    ],
)
def test_a_profile_that_is_wrong_names_the_field(call: Callable[..., Answer], body: dict[str, Any], field: str) -> None:
    answer = call(ANN, "PUT", f"{ME}/profile", body)
    assert (answer.status, answer.body["error"]["details"][0]["field"]) == (400, field)


def test_consent_is_opt_in_and_revocable(call: Callable[..., Answer], announcements: FakeAnnouncements) -> None:
    call(ANN, "PUT", f"{ME}/profile", {})
    assert call(ANN, "GET", f"{ME}/consent").body == {"granted": False, "history": []}
    granted = call(ANN, "PUT", f"{ME}/consent", {"granted": True, "policy_version": "2026-11"})
    assert granted.body["granted"] is True
    revoked = call(ANN, "PUT", f"{ME}/consent", {"granted": False, "policy_version": "2026-11"})
    assert [record["granted"] for record in revoked.body["history"]] == [False, True]
    assert [kind for kind, _ in announcements.made] == ["User Signup", "Consent Granted"]


def test_what_is_computed_is_shown_with_its_reasons(call: Callable[..., Answer], joined: FakePeople) -> None:
    insights = call(ANN, "GET", f"{ME}/insights?window=90").body
    assert (insights["persona"]["persona"], insights["signals"]["max_utilization"]) == ("high_utilization", 0.7)
    assert len(insights["behaviours"]) >= 3
    found = call(ANN, "GET", f"{ME}/recommendations").body
    assert found["disclosure"] == insights["disclosure"] == DISCLOSURE
    kinds = [one["kind"] for one in found["recommendations"]]
    assert 3 <= kinds.count("education") <= 5
    assert 1 <= kinds.count("offer") <= 3
    first = found["recommendations"][0]
    explained = call(ANN, "GET", f"{ME}/recommendations/{first['recommendation_id']}").body
    assert explained["recommendation"] == first
    assert explained["trace"]["outcome"] == "recommended"
    assert explained["disclosure"] == DISCLOSURE


def test_without_consent_there_are_no_recommendations(call: Callable[..., Answer], joined: FakePeople) -> None:
    call(ANN, "PUT", f"{ME}/consent", {"granted": False, "policy_version": "1"})
    assert call(ANN, "GET", f"{ME}/recommendations").body["recommendations"] == []
    assert call(ANN, "GET", f"{ME}/insights").body["persona"] is None


def test_transactions_by_cursor(call: Callable[..., Answer], joined: FakePeople) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        page = call(ANN, "GET", f"{ME}/transactions?limit=5{cursor}").body
        seen += [row["transaction_id"] for row in page["transactions"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(seen) == len(set(seen)) == 12


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "since=2026-13-01",
        "window=30",
        "account_id=",
    ],
)
def test_a_query_that_is_wrong(call: Callable[..., Answer], joined: FakePeople, query: str) -> None:
    answer = call(ANN, "GET", f"{ME}/transactions?{query.replace(' ', '%20')}")
    assert (answer.status, answer.body["error"]["code"]) == (400, "invalid_input")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("cursor=%2Fetc%2Fpasswd", "cursor"),
        ("cursor=W10", "cursor"),
        ("cursor=' OR 1=1 --", "cursor"),
        ("since=2026-11-02&until=2026-11-01", "since"),
    ],
)
def test_a_query_that_is_well_formed_but_makes_no_sense(
    call: Callable[..., Answer], joined: FakePeople, query: str, field: str
) -> None:
    answer = call(ANN, "GET", f"{ME}/transactions?{query.replace(' ', '%20')}")
    assert (answer.status, answer.body["error"]["details"][0]["field"]) == (422, field)


@pytest.mark.parametrize("window", ["31", "0", "-30", "x", "30&window=90"])
def test_windows_are_three(call: Callable[..., Answer], joined: FakePeople, window: str) -> None:
    assert call(ANN, "GET", f"{ME}/insights?window={window}").status == 400


def test_deleting_oneself(call: Callable[..., Answer], joined: FakePeople) -> None:
    assert call(ANN, "DELETE", f"{ME}/profile").status == 204
    assert call(ANN, "DELETE", f"{ME}/profile").status == 204
    assert [call(ANN, "GET", f"{ME}/{part}").status for part in ("profile", "accounts", "consent")] == [404] * 3
    assert call(BOB, "GET", f"{ME}/profile").status == 200


# -- ETag


@pytest.mark.parametrize("part", ["profile", "accounts", "transactions", "insights", "recommendations", "consent"])
def test_what_the_caller_has_is_not_sent_again(call: Callable[..., Answer], joined: FakePeople, part: str) -> None:
    first = call(ANN, "GET", f"{ME}/{part}")
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    for named in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again = call(ANN, "GET", f"{ME}/{part}", If_None_Match=named)
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
    assert call(ANN, "GET", f"{ME}/{part}", If_None_Match='"another"').status == 200
    others = call(BOB, "GET", f"{ME}/{part}", If_None_Match=tag)
    assert part == "consent" or others.status == 200


def test_one_recommendation_is_not_sent_again(call: Callable[..., Answer], joined: FakePeople) -> None:
    path = f"{ME}/recommendations/{joined.recommended(ANN, 30)[0].recommendation_id}"  # type: ignore[index]
    tag = call(ANN, "GET", path).headers["etag"]
    assert call(ANN, "GET", path, If_None_Match=tag).status == 304


@pytest.mark.parametrize("tail", ["users", "users/{ann}/signals", "users/{ann}/traces/{trace}", "review"])
def test_what_an_operator_has_is_not_sent_again(api: Callable[..., Answer], joined: FakePeople, tail: str) -> None:
    path = "/api/v1/operator/" + tail.format(ann=ANN, trace=next(iter(joined.people[ANN].traces)))
    first = api("GET", path, headers=OPERATOR)
    again = api("GET", path, headers={**OPERATOR, "If-None-Match": first.headers["etag"]})
    assert (first.status, again.status) == (200, 304)
    assert len(joined.deeds) == 2  # a look that changed nothing is a look


def test_a_change_changes_the_etag(call: Callable[..., Answer], joined: FakePeople) -> None:
    tag = call(ANN, "GET", f"{ME}/profile").headers["etag"]
    call(ANN, "PUT", f"{ME}/profile", {"display_name": "Anna"})
    assert call(ANN, "GET", f"{ME}/profile", If_None_Match=tag).status == 200


# -- another's id


def others_recommendation(joined: FakePeople) -> str:
    found = joined.recommended(BOB, 30)
    assert found
    return str(found[0].recommendation_id)


def test_anothers_recommendation_in_a_path(call: Callable[..., Answer], joined: FakePeople) -> None:
    wanted = others_recommendation(joined)
    theirs = call(ANN, "GET", f"{ME}/recommendations/{wanted}")
    unknown = call(ANN, "GET", f"{ME}/recommendations/{uuid4()}")
    assert theirs.status == unknown.status == 404
    assert theirs.body["error"]["message"].replace(wanted, "") == unknown.body["error"]["message"][:-37] + "."
    assert joined.denials[0] == (ANN, f"recommendation {wanted}", "not the caller's")


def test_anothers_recommendation_in_a_body(call: Callable[..., Answer], joined: FakePeople) -> None:
    wanted = others_recommendation(joined)
    answer = call(ANN, "POST", "/api/v1/feedback", {"recommendation_id": wanted, "helpful": True})
    assert answer.status == 404
    assert joined.denials == [(ANN, f"recommendation {wanted}", "not the caller's")]
    assert joined.people[BOB].feedback == {}


def test_anothers_account_in_a_query(call: Callable[..., Answer], joined: FakePeople) -> None:
    assert call(ANN, "GET", f"{ME}/transactions?account_id=bob:checking").status == 404
    assert joined.denials == [(ANN, "account bob:checking", "not the caller's")]
    assert call(ANN, "GET", f"{ME}/transactions?account_id=ann:checking").status == 200


@pytest.mark.parametrize("wanted", ["x", "%00", "..%2F..", "' OR 1=1 --", "%F0%9F%92%A9", "0" * 400])
def test_an_id_that_is_none(call: Callable[..., Answer], joined: FakePeople, wanted: str) -> None:
    assert call(ANN, "GET", f"{ME}/recommendations/{wanted.replace(' ', '%20')}").status == 404


def test_feedback(call: Callable[..., Answer], joined: FakePeople) -> None:
    wanted = joined.recommended(ANN, 30)[0].recommendation_id  # type: ignore[index]
    given = {"recommendation_id": str(wanted), "helpful": True, "comment": "thanks"}
    assert call(ANN, "POST", "/api/v1/feedback", given).status == 201
    call(ANN, "POST", "/api/v1/feedback", {**given, "helpful": False})
    assert [said.helpful for said in joined.people[ANN].feedback.values()] == [False]


# -- operators


def test_operators_see_everybody_and_leave_traces(api: Callable[..., Answer], joined: FakePeople) -> None:
    listed = api("GET", "/api/v1/operator/users?persona=high_utilization", headers=OPERATOR).body
    assert {user["user_id"] for user in listed["users"]} == {str(ANN), str(BOB)}
    detail = api("GET", f"/api/v1/operator/users/{ANN}", headers=OPERATOR).body
    assert [persona["window_days"] for persona in detail["personas"]] == [30, 90, 180]
    signals = api("GET", f"/api/v1/operator/users/{ANN}/signals", headers=OPERATOR).body
    assert signals["windows"][0]["max_utilization"] == 0.7
    wanted = joined.recommended(ANN, 30)[0].recommendation_id  # type: ignore[index]
    trace = api("GET", f"/api/v1/operator/users/{ANN}/traces/{wanted}", headers=OPERATOR).body
    assert trace["outcome"] == "recommended"
    assert api("GET", f"/api/v1/operator/users/{BOB}/traces/{wanted}", headers=OPERATOR).status == 404
    assert [deed.action for deed in joined.deeds] == ["list users", "read user", "read signals", "read trace"]
    assert {deed.operator for deed in joined.deeds} == {OLGA}


@pytest.mark.parametrize("user_id", [str(UUID(int=7)), "x", "%00", "me", "' OR 1=1 --", "%F0%9F%92%A9"])
@pytest.mark.parametrize(("method", "tail"), [("GET", ""), ("GET", "/signals"), ("DELETE", ""), ("POST", "/imports")])
def test_a_user_who_does_not_exist(
    api: Callable[..., Answer], people: FakePeople, user_id: str, method: str, tail: str
) -> None:
    answer = api(method, f"/api/v1/operator/users/{user_id.replace(' ', '%20')}{tail}", {}, OPERATOR)
    assert answer.status == 404
    assert [reason for _, _, reason in people.denials] == ["no such user"]


def test_review(api: Callable[..., Answer], call: Callable[..., Answer], joined: FakePeople) -> None:
    wanted = str(joined.recommended(ANN, 30)[0].recommendation_id)  # type: ignore[index]
    verdict = {"recommendation_id": wanted, "action": "flag"}
    assert api("POST", "/api/v1/operator/review", verdict, OPERATOR).body["status"] == "flagged"
    waiting = api("GET", "/api/v1/operator/review", headers=OPERATOR).body["items"]
    assert [item["recommendation_id"] for item in waiting] == [wanted]
    assert call(ANN, "GET", f"{ME}/recommendations/{wanted}").status == 404
    missing = api("POST", "/api/v1/operator/review", {**verdict, "action": "override"}, OPERATOR)
    assert (missing.status, missing.body["error"]["details"][0]["field"]) == (400, "reason")
    given = {**verdict, "action": "override", "reason": "does not fit"}
    assert api("POST", "/api/v1/operator/review", given, OPERATOR).body["status"] == "overridden"
    assert joined.actions_on(ANN)[0].reason == "does not fit"
    unknown = {**verdict, "recommendation_id": str(uuid4())}
    assert api("POST", "/api/v1/operator/review", unknown, OPERATOR).status == 404
    assert api("POST", "/api/v1/operator/review", {**verdict, "action": "delete"}, OPERATOR).status == 400


def test_importing(api: Callable[..., Answer], joined: FakePeople, announcements: FakeAnnouncements) -> None:
    path = f"/api/v1/operator/users/{ANN}/imports"
    document = {
        "transactions": [
            {
                "transaction_id": "new",
                "account_id": "ann:checking",
                "date": "2026-11-20",
                "amount": 5,
                "payment_channel": "online",
                "pending": False,
            },
            {"transaction_id": "bad", "account_id": "ann:checking", "date": "1970-01-01", "amount": "much"},
        ]
    }
    taken = api("POST", path, document, OPERATOR).body
    assert (taken["saved"]["transactions"], taken["rejected"]) == (1, 1)
    assert {(row["line"], row["field"]) for row in taken["rejections"]} == {
        (2, "date"),
        (2, "amount"),
        (2, "payment_channel"),
        (2, "pending"),
    }
    assert announcements.made == [("Transactions Ingested", {"subject": str(ANN)})]
    api("POST", path, document, OPERATOR)
    assert len(announcements.made) == 1
    csv = b"account_id,type,subtype,current,iso_currency_code\nann:new,depository,savings,5,USD\n"
    headers = {**OPERATOR, "Content-Type": "text/csv"}
    assert api("POST", f"{path}?section=accounts", csv, headers).body["saved"]["accounts"] == 1
    assert api("POST", path, b"<xml/>", {**OPERATOR, "Content-Type": "text/xml"}).status == 415
    assert api("POST", path, b"{", OPERATOR).status == 400
    assert api("POST", f"{path}?section=other", csv, headers).status == 400


def test_deleting_somebody(api: Callable[..., Answer], joined: FakePeople) -> None:
    assert api("DELETE", f"/api/v1/operator/users/{ANN}", headers=OPERATOR).status == 204
    assert api("DELETE", f"/api/v1/operator/users/{ANN}", headers=OPERATOR).status == 404
    assert [deed.action for deed in joined.deeds] == ["erase"]


def test_what_cannot_be_put_on_record_is_not_done(
    api: Callable[..., Answer], joined: FakePeople, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise UpstreamUnavailable("the database is unavailable")

    monkeypatch.setattr(joined, "acted", fail)
    csv = b"account_id,type,subtype,current,iso_currency_code\nann:new,depository,savings,5,USD\n"
    headers = {**OPERATOR, "Content-Type": "text/csv"}
    path = f"/api/v1/operator/users/{ANN}"
    assert api("POST", f"{path}/imports?section=accounts", csv, headers).status == 503
    assert "ann:new" not in joined.people[ANN].accounts
    assert api("DELETE", path, headers=OPERATOR).status == 503
    assert ANN in joined.people


# -- the jobs


def rule_event(kind: str, detail: dict[str, Any]) -> dict[str, Any]:
    return {**schedule_event(), "source": "spendsense", "detail-type": kind, "detail": detail}


def test_the_jobs_follow_one_another_by_their_events(
    client: Client, joined: FakePeople, announcements: FakeAnnouncements
) -> None:
    joined.save(ANN, owned("ann", rows(transactions=[transaction(1, 99.0)])), NOW)
    result = client.lambda_.invoke("compute_features", schedule_event()).payload
    assert announcements.made[-1][0] == "Features Computed"
    client.lambda_.invoke("assign_persona", rule_event(*announcements.made[-1]))
    assert announcements.made[-1][0] == "Persona Assigned"
    client.lambda_.invoke("generate_recommendations", rule_event(*announcements.made[-1]))
    assert announcements.made[-1][0] == "Recommendations Generated"
    assert len({detail["run_id"] for _, detail in announcements.made}) == 1
    assert (result["job"], result["users"], result["as_of"]) == ("compute_features", 1, "2026-11-21")
    assert joined.people[ANN].due == set()


def test_an_event_that_was_redriven_does_not_turn_back_the_day(client: Client, joined: FakePeople) -> None:
    """Dead letters are kept for two weeks: what is computed by one of them is as of the day on which it runs."""
    joined.save(ANN, owned("ann", rows(transactions=[transaction(1, 99.0)])), NOW)
    late = {**rule_event("Transactions Ingested", {"subject": str(ANN)}), "time": "2026-11-14T12:00:00Z"}
    assert client.lambda_.invoke("recompute_features", late).payload["as_of"] == "2026-11-21"
    assert joined.people[ANN].as_of == TODAY


def test_a_day_that_an_event_asks_for_is_the_day(client: Client, joined: FakePeople) -> None:
    asked = {**schedule_event(), "detail": {"as_of": "2026-11-20", "everyone": True}}
    assert client.lambda_.invoke("compute_features", asked).payload["as_of"] == "2026-11-20"


@pytest.mark.parametrize("kind", ["User Signup", "Consent Granted", "Transactions Ingested"])
def test_one_person_is_computed_at_once(client: Client, joined: FakePeople, kind: str) -> None:
    for name, person in (("ann", ANN), ("bob", BOB)):
        joined.save(person, owned(name, rows(transactions=[transaction(1, 99.0)])), NOW)
    client.lambda_.invoke("recompute_features", rule_event(kind, {"subject": str(ANN)}))
    assert "features" not in joined.people[ANN].due
    assert "features" in joined.people[BOB].due


@pytest.mark.parametrize(
    ("function", "detail"),
    [
        ("recompute_features", {"subject": "x"}),
        ("recompute_features", {"subject": str(ANN), "as_of": "yesterday"}),
        ("assign_persona", {"run_id": 5, "as_of": "2026-11-21"}),
        ("assign_persona", {"run_id": "", "as_of": "2026-11-21"}),
        ("generate_recommendations", {"run_id": "night"}),
        ("generate_recommendations", {}),
    ],
)
def test_an_event_that_is_malformed_is_reported_and_not_retried(
    client: Client, joined: FakePeople, function: str, detail: dict[str, Any]
) -> None:
    before = dict(joined.runs)
    assert client.lambda_.invoke(function, rule_event("Features Computed", detail)).payload is None
    assert joined.runs == before


@pytest.mark.parametrize("error", [UpstreamUnavailable("down"), UpstreamTimeout("slow")])
def test_what_may_pass_later_is_retried(
    client: Client, joined: FakePeople, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(joined, "begin", fail)
    with pytest.raises(type(error)):
        client.lambda_.invoke("compute_features", schedule_event())


def test_migrating(client: Client, services: Services) -> None:
    class Steps:
        def migrate(self) -> Any:
            return {"applied": ["0001_people"], "version": 1}

    services.__dict__["spendsense_migrations"] = Steps()
    answer = client.lambda_.invoke("migrate", {}).payload
    assert answer == {"result": {"applied": ["0001_people"], "version": 1}}
    assert "error" in client.lambda_.invoke("migrate", {"force": True}).payload

"""Operators' reads and actions over SpendSense's routes, all of them audited."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from chalicelib.errors import UpstreamUnavailable
from tests.app.conftest import Answer
from tests.app.spendsense.tokens import ANN, BOB, ME, OLGA, OPERATOR
from tests.fakes.spendsense import FakePeople
from tests.fakes.spendsense_aws import FakeAnnouncements

pytestmark = pytest.mark.filterwarnings("ignore:.*supported in local mode")


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
    assert joined.denials == [(OLGA, f"trace {wanted} of user {BOB}", "does not exist")]
    assert [deed.action for deed in joined.deeds] == ["list users", "read user", "read signals", "read trace"]
    assert {deed.operator for deed in joined.deeds} == {OLGA}


@pytest.mark.parametrize("user_id", [str(UUID(int=7)), "x", "%00", "me", "' OR 1=1 --", "%F0%9F%92%A9"])
@pytest.mark.parametrize(("method", "tail"), [("GET", ""), ("GET", "/signals"), ("DELETE", ""), ("POST", "/imports")])
def test_a_user_who_does_not_exist(
    api: Callable[..., Answer], people: FakePeople, user_id: str, method: str, tail: str
) -> None:
    answer = api(method, f"/api/v1/operator/users/{user_id.replace(' ', '%20')}{tail}", {}, OPERATOR)
    assert answer.status == 404
    assert [reason for _, _, reason in people.denials] == ["does not exist"]


def test_review(api: Callable[..., Answer], call: Callable[..., Answer], joined: FakePeople) -> None:
    wanted = str(joined.recommended(ANN, 30)[0].recommendation_id)  # type: ignore[index]
    verdict = {"recommendation_id": wanted, "action": "flag"}
    assert api("POST", "/api/v1/operator/review", verdict, OPERATOR).body["status"] == "flagged"
    waiting = api("GET", "/api/v1/operator/review", headers=OPERATOR).body["items"]
    assert [item["recommendation_id"] for item in waiting] == [wanted]
    assert call(ANN, "GET", f"{ME}/recommendations/{wanted}").status == 404
    missing = api("POST", "/api/v1/operator/review", {**verdict, "action": "override"}, OPERATOR)
    assert (missing.status, missing.body["error"]["details"][0]["field"]) == (400, "reason")
    blank = api("POST", "/api/v1/operator/review", {**verdict, "action": "override", "reason": "   "}, OPERATOR)
    assert (blank.status, blank.body["error"]["details"][0]["field"]) == (400, "reason")
    given = {**verdict, "action": "override", "reason": "does not fit"}
    assert api("POST", "/api/v1/operator/review", given, OPERATOR).body["status"] == "overridden"
    assert joined.actions_on(ANN)[0].reason == "does not fit"
    unknown = {**verdict, "recommendation_id": str(uuid4())}
    assert api("POST", "/api/v1/operator/review", unknown, OPERATOR).status == 404
    assert joined.denials[-1] == (OLGA, f"recommendation {unknown['recommendation_id']}", "does not exist")
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


def test_importing_into_anothers_account(api: Callable[..., Answer], joined: FakePeople) -> None:
    """The record names the operator."""
    csv = b"transaction_id,account_id,date,amount,payment_channel,pending\nt,bob:checking,2026-11-20,5,other,false\n"
    headers = {**OPERATOR, "Content-Type": "text/csv"}
    path = f"/api/v1/operator/users/{ANN}/imports"
    assert api("POST", path, csv, headers).body["rejected"] == 1
    assert joined.denials == [(OLGA, "account bob:checking", f"not an account of user {ANN}")]


def test_deleting_somebody(api: Callable[..., Answer], joined: FakePeople) -> None:
    assert api("DELETE", f"/api/v1/operator/users/{ANN}", headers=OPERATOR).status == 204
    assert api("DELETE", f"/api/v1/operator/users/{ANN}", headers=OPERATOR).status == 404
    assert [deed.action for deed in joined.deeds] == ["erase"]


def test_an_action_that_cannot_be_recorded_is_not_done(
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


# -- the console's


def test_people_by_name_and_by_id(api: Callable[..., Answer], joined: FakePeople) -> None:
    def found(search: str) -> list[str]:
        users = api("GET", f"/api/v1/operator/users?search={search}", headers=OPERATOR).body["users"]
        return [user["display_name"] for user in users]

    assert [found(search) for search in ("AN", str(BOB)[:8], "n", "zoe")] == [["Ann"], ["Bob"], ["Ann"], []]


def test_a_persons_recommendations_with_titles(api: Callable[..., Answer], joined: FakePeople) -> None:
    path = f"/api/v1/operator/users/{ANN}/recommendations?window=90"
    items = api("GET", path, headers=OPERATOR).body["items"]
    assert items
    assert all(item["title"] and item["window_days"] == 90 and item["user_id"] == str(ANN) for item in items)
    assert [deed.action for deed in joined.deeds] == ["read recommendations"]
    assert api("GET", "/api/v1/operator/users/nobody/recommendations", headers=OPERATOR).status == 404


def test_verdicts_on_many_at_once(api: Callable[..., Answer], joined: FakePeople) -> None:
    wanted = [str(one.recommendation_id) for one in joined.recommended(ANN, 30) or []][:2]
    unknown = str(uuid4())
    verdict = {"recommendation_ids": [*wanted, unknown, wanted[0]], "action": "flag"}
    answer = api("POST", "/api/v1/operator/review/bulk", verdict, OPERATOR).body
    assert [one["recommendation_id"] for one in answer["reviewed"]] == wanted
    assert answer["missing"] == [unknown]
    queue = api("GET", "/api/v1/operator/review?persona=high_utilization", headers=OPERATOR).body["items"]
    assert {item["recommendation_id"] for item in queue} == set(wanted)
    assert all(item["title"] and item["display_name"] == "Ann" for item in queue)
    assert api("GET", "/api/v1/operator/review?persona=savings_builder", headers=OPERATOR).body["items"] == []
    override = {**verdict, "action": "override"}
    assert api("POST", "/api/v1/operator/review/bulk", override, OPERATOR).status == 400
    assert api("POST", "/api/v1/operator/review/bulk", {**verdict, "recommendation_ids": []}, OPERATOR).status == 400


def test_a_body_of_ten_megabytes_is_refused(api: Callable[..., Answer], joined: FakePeople) -> None:
    path = f"/api/v1/operator/users/{ANN}/imports"
    answer = api("POST", path, b" " * 10_000_000, {**OPERATOR, "Content-Type": "text/csv"})
    assert (answer.status, answer.body["error"]["code"]) == (413, "too_large")


def test_a_preview_takes_nothing_and_tells_how_a_file_is_read(
    api: Callable[..., Answer], joined: FakePeople, announcements: FakeAnnouncements
) -> None:
    csv = "Buchungstag;Verwendungszweck;Betrag;Laune\n20.11.2026;CAFÉ MÜLLER;-9,00;gut\n19.11.2026;x;y;z\n".encode(
        "cp1252"
    )
    headers = {**OPERATOR, "Content-Type": "text/csv"}
    path = f"/api/v1/operator/users/{ANN}/imports?account_id=new"
    tried = api("POST", f"{path}&dry_run=true", csv, headers).body
    assert (tried["dry_run"], tried["saved"]["transactions"], tried["rejected"]) == (True, 1, 1)
    assert (tried["readings"]["encoding"], tried["readings"]["unknown"]) == ("Windows-1252", ["Laune"])
    (row,) = tried["preview"]
    assert (row["line"], row["name"], row["amount_cents"], row["posted_on"]) == (2, "CAFÉ MÜLLER", 900, "2026-11-20")
    assert "new" not in joined.people[ANN].accounts
    assert announcements.made == []
    taken = api("POST", path, csv, headers).body
    assert taken["saved"] == tried["saved"]
    assert "new" in joined.people[ANN].accounts
    nothing = api("POST", path, {"budget": []}, OPERATOR)
    assert (nothing.status, nothing.body["error"]["details"][0]["field"]) == (422, "body")

"""A person's profile, records and consent over SpendSense's routes."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.spendsense.guardrails import DISCLOSURE
from tests.app.conftest import Answer
from tests.app.spendsense.tokens import ANN, BOB, ME, OPERATOR
from tests.fakes.spendsense import FakePeople
from tests.fakes.spendsense_aws import FakeAnnouncements

pytestmark = pytest.mark.filterwarnings("ignore:.*supported in local mode")


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
    before = call(ANN, "GET", f"{ME}/consent").body
    assert (before["granted"], before["history"], before["policy"]["policy_version"]) == (False, [], "2026-11")
    assert DISCLOSURE in before["policy"]["paragraphs"]
    other = call(ANN, "PUT", f"{ME}/consent", {"granted": True, "policy_version": "1999-01"})
    assert (other.status, other.body["error"]["details"][0]["field"]) == (422, "policy_version")
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


# -- looking through one's own data


def test_transactions_by_category_merchant_amount_and_text(call: Callable[..., Answer], joined: FakePeople) -> None:
    def found(query: str) -> int:
        answer = call(ANN, "GET", f"{ME}/transactions?limit=200&{query}")
        assert answer.status == 200, answer.body
        return len(answer.body["transactions"])

    assert [found(query) for query in ("category=FOOD_AND_DRINK", "category=FOOD_AND_DRINK_COFFEE")] == [12, 12]
    assert [found(query) for query in ("category=TRAVEL", "merchant=SHOP", "merchant=x")] == [0, 12, 0]
    assert [found(query) for query in ("text=sho", "text=zzz", "at_least_cents=2000", "at_most_cents=1500")] == [
        12,
        0,
        2,
        6,
    ]
    assert found("at_least_cents=1500&at_most_cents=1500&spending=true") == 1


def test_spending_by_month_and_category_and_the_rows_behind_it(call: Callable[..., Answer], joined: FakePeople) -> None:
    spending = call(ANN, "GET", f"{ME}/spending?months=2").body
    assert (spending["currency"], [month["since"] for month in spending["months"]]) == (
        "USD",
        ["2026-11-01", "2026-10-01"],
    )
    (month, before) = spending["months"]
    (category,) = month["categories"]
    assert (month["until"], before["until"]) == ("2026-11-21", "2026-10-31")
    query = f"since={month['since']}&until={month['until']}&category={category['category']}&spending=true&limit=200"
    rows = call(ANN, "GET", f"{ME}/transactions?{query}").body["transactions"]
    assert sum(row["amount_cents"] for row in rows) == category["spend_cents"] == month["spend_cents"]
    assert len(rows) == category["transactions"]
    assert call(ANN, "GET", f"{ME}/spending?months=25").status == 400


def test_an_export_of_everything(call: Callable[..., Answer], joined: FakePeople) -> None:
    export = call(ANN, "GET", f"{ME}/export").body
    assert (export["profile"]["subject"], len(export["transactions"]), export["next_cursor"]) == (str(ANN), 12, None)
    assert str(BOB) not in str(export)
    csv = call(ANN, "GET", f"{ME}/export/csv")
    assert csv.status == 200
    assert csv.headers["content-type"].startswith("text/csv")
    lines = csv.body.decode().splitlines()
    assert lines[0].startswith("transaction_id,account_id,date,amount,iso_currency_code,name,merchant_name,")
    assert len(lines) == 13
    accounts = call(ANN, "GET", f"{ME}/export/csv?part=accounts").body.decode().splitlines()
    assert accounts == ["external_id", "ann:checking", "ann:credit card"]
    assert call(ANN, "GET", f"{ME}/export/csv?part=passwords").status == 400


def test_a_person_imports_a_file_of_their_own_after_a_look_at_it(
    call: Callable[..., Answer], joined: FakePeople, announcements: FakeAnnouncements
) -> None:
    csv = b"Date,Description,Amount,Mood\n2026-11-20,Coffee,-4.50,good\n2026-11-19,Bad,much,bad\n"
    path = f"{ME}/imports?account_id=new"
    tried = call(ANN, "POST", f"{path}&dry_run=true", csv, Content_Type="text/csv").body
    assert (tried["dry_run"], tried["saved"]["transactions"], tried["rejected"]) == (True, 1, 1)
    assert tried["readings"]["unknown"] == ["Mood"]
    assert "new" not in joined.people[ANN].accounts
    taken = call(ANN, "POST", path, csv, Content_Type="text/csv").body
    assert (taken["saved"]["transactions"], announcements.made) == (
        1,
        [("Transactions Ingested", {"subject": str(ANN)})],
    )
    assert "new" in joined.people[ANN].accounts
    assert "new" not in joined.people[BOB].accounts
    theirs = b"transaction_id,account_id,date,amount,payment_channel,pending\nt,bob:checking,2026-11-20,5,other,false\n"
    assert call(ANN, "POST", f"{ME}/imports", theirs, Content_Type="text/csv").body["rejected"] == 1
    assert joined.denials == [(ANN, "account bob:checking", f"not an account of user {ANN}")]


def test_an_import_without_a_profile(call: Callable[..., Answer]) -> None:
    assert call(ANN, "POST", f"{ME}/imports", {"accounts": []}).status == 404


def test_the_catalogue_names_what_answers_refer_to(call: Callable[..., Answer], joined: FakePeople) -> None:
    catalogue = call(ANN, "GET", "/api/v1/catalogue").body
    insights = call(ANN, "GET", f"{ME}/insights").body
    units = {row["signal"]: row["unit"] for row in catalogue["signals"]}
    assert set(insights["signals"]) == set(units)
    assert (units["spend_cents"], units["max_utilization"], units["top_card"]) == ("money", "ratio", "text")
    assert insights["persona"]["persona"] in {row["persona"] for row in catalogue["personas"]}
    items = {row["item_id"]: row for row in catalogue["items"]}
    for shown in call(ANN, "GET", f"{ME}/recommendations").body["recommendations"]:
        assert items[shown["item_id"]]["title"] == shown["title"]
    assert {row["flow"] for row in catalogue["categories"]} >= {"spend", "service", "wages", "passive"}

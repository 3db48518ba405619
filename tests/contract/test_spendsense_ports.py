"""One suite for SpendSense's ports: the unit tests' fakes and PostgreSQL behave alike."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from chalicelib.adapters.postgres import Postgres
from chalicelib.adapters.spendsense.ledger import PostgresLedger
from chalicelib.adapters.spendsense.oversight import PostgresAudit, PostgresOversight, PostgresReviews
from chalicelib.adapters.spendsense.people import PostgresConsents, PostgresListeners, PostgresPeople
from chalicelib.adapters.spendsense.pipeline import PostgresPipeline
from chalicelib.adapters.spendsense.records import PostgresExplanations, PostgresRecords
from chalicelib.errors import NotFound
from chalicelib.spendsense.catalogue import packaged_catalogue
from chalicelib.spendsense.desk import STATUS_AFTER
from chalicelib.spendsense.models import (
    ConsentRecord,
    Feedback,
    ProfileChange,
    ReviewQuery,
    TransactionsQuery,
    UsersQuery,
)
from chalicelib.spendsense.orders import JobOrder
from chalicelib.spendsense.values import Deed, Listener
from tests.contract.spendsense_database import Target, fresh_database
from tests.contract.spendsense_people import JOBS, NOW, TODAY, account, days_ago, owned, rows, subject, transaction
from tests.fakes.spendsense import FakeListeners, FakePeople
from tests.patience import PATIENCE_MS

ANN, BOB, OLGA = subject("ann"), subject("bob"), subject("olga")
ACTIONS = {status: action for action, status in STATUS_AFTER.items()}


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "memory":
        fake = FakePeople()
        listeners = FakeListeners(fake)
        names = ("people", "consents", "ledger", "pipeline", "records", "explanations", "oversight", "reviews", "audit")
        yield SimpleNamespace(**dict.fromkeys(names, fake), listeners=listeners)
        return
    with fresh_database() as url, closing(Postgres(Target(url), statement_timeout_ms=PATIENCE_MS)) as database:
        yield SimpleNamespace(
            people=PostgresPeople(database),
            consents=PostgresConsents(database),
            ledger=PostgresLedger(database),
            pipeline=PostgresPipeline(database, packaged_catalogue()),
            records=PostgresRecords(database),
            explanations=PostgresExplanations(database),
            oversight=PostgresOversight(database),
            reviews=PostgresReviews(database),
            audit=PostgresAudit(database),
            listeners=PostgresListeners(database),
        )


STATEMENT = rows(
    [account(), account("credit card", 700.0, limit=1000.0)],
    [transaction(2 * number, 10.0 + number, merchant=f"Shop {number % 3}") for number in range(12)],
)


def join(world: Any, name: str, *, consent: bool = True) -> UUID:
    person = subject(name)
    world.people.register(person, ProfileChange(display_name=name.title()), NOW)
    if consent:
        world.consents.record(person, ConsentRecord(granted=True, policy_version="1", recorded_at=NOW))
    world.ledger.save(person, owned(name, STATEMENT), NOW)
    return person


def run(world: Any, run_id: str = "night", **options: Any) -> list[int]:
    order = JobOrder(run_id, TODAY, **options)
    users = []
    for job in JOBS:
        world.pipeline.begin(job, order, NOW)
        while world.pipeline.advance(job, order, 5, NOW):
            pass
        users.append(world.pipeline.finish(job, order, NOW).users)
    return users


def deed(action: str, person: UUID | None = None, recommendation: UUID | None = None, reason: str = "") -> Deed:
    return Deed(OLGA, action, person, recommendation, reason, "request-1", NOW)


# -- people


def test_a_profile_is_made_and_changed(world: Any) -> None:
    assert world.people.find(ANN) is None
    made, new = world.people.register(ANN, ProfileChange(display_name="Ann"), NOW)
    assert (made.user_id, made.display_name, made.currency, made.consented, new) == (ANN, "Ann", "USD", False, True)
    later = NOW + timedelta(hours=1)
    changed, new = world.people.register(ANN, ProfileChange(display_name="Anna", currency="EUR"), later)
    assert (changed.display_name, changed.currency, new) == ("Anna", "EUR", False)
    assert (changed.created_at, changed.updated_at) == (NOW, later)
    assert world.people.find(ANN) == changed


def test_another_home_currency_is_computed_anew(world: Any) -> None:
    join(world, "ann")
    run(world)
    world.people.register(ANN, ProfileChange(display_name="same currency"), NOW)
    assert run(world, "unchanged") == [0, 0, 0]
    world.people.register(ANN, ProfileChange(currency="EUR"), NOW)
    assert run(world, "changed") == [1, 1, 1]


def test_who_is_deleted_leaves_nothing_but_bare_deeds(world: Any) -> None:
    join(world, "ann")
    join(world, "bob")
    run(world)
    world.audit.acted(deed("read user", ANN, reason="asked by Ann"))
    assert world.people.erase(ANN) is True
    assert world.people.erase(ANN) is False
    assert (world.people.find(ANN), world.consents.history(ANN)) == (None, None)
    assert (world.records.accounts(ANN), world.records.insights(ANN, 30)) == (None, None)
    assert (world.oversight.signals(ANN), world.oversight.personas(ANN)) == ([], [])
    assert [(action.action, action.reason) for action in world.audit.actions_on(ANN)] == [("read user", "")]
    assert len(world.records.recommended(BOB, 30)) > 3
    join(world, "ann")  # the same accounts may be linked again
    assert len(world.records.accounts(ANN)) == 2


# -- consent


def test_consent_is_a_history(world: Any) -> None:
    assert world.consents.history(ANN) is None
    assert world.consents.record(ANN, ConsentRecord(granted=True, policy_version="1", recorded_at=NOW)) is False
    world.people.register(ANN, ProfileChange(), NOW)
    assert world.consents.history(ANN) == []
    records = [
        ConsentRecord(granted=granted, policy_version=version, recorded_at=NOW)
        for granted, version in ((True, "1"), (False, "1"), (True, "2"))
    ]
    for record in records:
        assert world.consents.record(ANN, record) is True
    assert world.consents.history(ANN) == records[::-1]


def test_revoking_erases_what_was_derived_and_keeps_what_the_bank_said(world: Any) -> None:
    join(world, "ann")
    run(world)
    (first, *_) = world.records.recommended(ANN, 30)
    feedback = Feedback(recommendation_id=first.recommendation_id, helpful=True, comment="", given_at=NOW)
    assert world.explanations.keep_feedback(ANN, feedback) is True
    world.consents.record(ANN, ConsentRecord(granted=False, policy_version="1", recorded_at=NOW))
    assert world.records.recommended(ANN, 30) == []
    assert world.records.insights(ANN, 30).signals == {}
    assert world.explanations.trace(ANN, first.recommendation_id) is None
    assert world.explanations.keep_feedback(ANN, feedback) is False
    assert len(world.records.accounts(ANN)) == 2
    assert run(world, "later", everyone=True) == [0, 0, 0]
    world.consents.record(ANN, ConsentRecord(granted=True, policy_version="1", recorded_at=NOW))
    assert run(world, "granted") == [1, 1, 1]
    assert len(world.records.recommended(ANN, 30)) > 3


# -- rows


def test_rows_without_consent_are_kept_and_not_computed(world: Any) -> None:
    join(world, "ann", consent=False)
    assert run(world) == [0, 0, 0]
    assert len(world.records.transactions(ANN, TransactionsQuery(), None)) == 12


def test_an_import_tells_what_became_of_each_row(world: Any) -> None:
    join(world, "ann")
    join(world, "bob")
    imported = world.ledger.save(ANN, rows(transactions=[transaction(1, 5.0, account="bob:checking", line=9)]), NOW)
    assert imported.saved == {"accounts": 0, "transactions": 0, "removed": 0, "liabilities": 0}
    assert (imported.rejected, [(row.section, row.line) for row in imported.rejections]) == (
        1,
        [("transactions", 9)],
    )
    again = world.ledger.save(ANN, owned("ann", STATEMENT), NOW)
    assert again.unchanged == {"accounts": 2, "transactions": 12, "liabilities": 0}
    with pytest.raises(NotFound):
        world.ledger.save(subject("nobody"), STATEMENT, NOW)


def test_transactions_come_the_latest_first_page_by_page(world: Any) -> None:
    join(world, "ann")
    seen: list[Any] = []
    after = None
    while page := world.records.transactions(ANN, TransactionsQuery(limit=5), after):
        kept = page[:5]
        seen += [row.transaction_id for _, row in kept]
        after = kept[-1][0]
        if len(page) <= 5:
            break
    assert len(seen) == len(set(seen)) == 12
    days = [row.posted_on for _, row in world.records.transactions(ANN, TransactionsQuery(limit=200), None)]
    assert days == sorted(days, reverse=True)


def test_transactions_by_account_and_day(world: Any) -> None:
    join(world, "ann")
    query = TransactionsQuery(account_id="ann:checking", since=days_ago(10), until=days_ago(4))
    found = world.records.transactions(ANN, query, None)
    assert [row.posted_on for _, row in found] == [days_ago(day) for day in (4, 6, 8, 10)]
    assert world.records.transactions(ANN, TransactionsQuery(account_id="ann:credit card"), None) == []


# -- nobody sees another's


def test_every_read_of_another_finds_nothing(world: Any) -> None:
    join(world, "ann")
    join(world, "bob")
    run(world)
    (theirs, *_) = world.records.recommended(BOB, 30)
    wanted = theirs.recommendation_id
    assert world.explanations.recommendation(BOB, wanted) == theirs
    assert world.explanations.recommendation(ANN, wanted) is None
    assert world.explanations.trace(ANN, wanted) is None
    feedback = Feedback(recommendation_id=wanted, helpful=False, comment="", given_at=NOW)
    assert world.explanations.keep_feedback(ANN, feedback) is False
    assert world.records.transactions(ANN, TransactionsQuery(account_id="bob:checking"), None) is None
    own = {row.account_id for row in world.records.accounts(ANN)}
    assert own == {"ann:checking", "ann:credit card"}
    assert {row.account_id for _, row in world.records.transactions(ANN, TransactionsQuery(), None)} <= own
    position = world.records.transactions(BOB, TransactionsQuery(limit=1), None)[0][0]
    others = world.records.transactions(ANN, TransactionsQuery(limit=200), position)
    assert {row.account_id for _, row in others} <= own


def test_nobody_is_nobody(world: Any) -> None:
    nobody = uuid4()
    assert world.records.accounts(nobody) is None
    assert world.records.transactions(nobody, TransactionsQuery(), None) is None
    assert world.records.insights(nobody, 30) is None
    assert world.records.recommended(nobody, 30) is None
    assert world.people.find(nobody) is None


# -- jobs


def test_the_jobs_do_what_is_due_and_no_more(world: Any) -> None:
    for name in ("ann", "bob"):
        join(world, name)
    assert run(world) == [2, 2, 2]
    assert run(world, "again") == [0, 0, 0]
    world.ledger.save(ANN, owned("ann", rows(transactions=[transaction(1, 50.0)])), NOW)
    assert run(world, "one person", subject=BOB) == [0, 0, 0]
    assert run(world, "new rows") == [1, 1, 1]
    assert run(world, "everyone", everyone=True) == [2, 2, 2]
    assert world.pipeline.begin("compute_features", JobOrder("everyone", TODAY), NOW).finished is True


def test_what_counts_as_spending_adds_up(world: Any) -> None:
    join(world, "ann")
    refund = transaction(1, -4.0, "FOOD_AND_DRINK_COFFEE", account="ann:checking")
    rent = transaction(2, 900.0, "RENT_AND_UTILITIES_RENT", account="ann:checking")
    others = [
        transaction(1, 50.0, "TRANSFER_OUT_SAVINGS", account="ann:checking"),
        transaction(1, 7.0, account="ann:checking", pending=True),
        transaction(1, 7.0, account="ann:checking", currency="EUR"),
    ]
    world.ledger.save(ANN, rows(transactions=[refund, rent, *others]), NOW)
    since = TODAY.replace(day=1)
    found = world.records.spending(ANN, since, TODAY)
    coffee = sum(1000 + 100 * number for number in range(12) if 2 * number <= 20) - 400
    assert [(month, row.category, row.spend_cents) for month, row in found] == [
        (since, "RENT_AND_UTILITIES", 90_000),
        (since, "FOOD_AND_DRINK", coffee),
    ]
    behind = TransactionsQuery(since=since, until=TODAY, category="FOOD_AND_DRINK", spending=True, limit=200)
    page = world.records.transactions(ANN, behind, None)
    assert sum(row.amount_cents for _, row in page) == coffee
    assert len(page) == found[1][1].transactions
    assert world.records.spending(subject("nobody"), since, TODAY) is None


def test_transactions_by_what_they_say(world: Any) -> None:
    join(world, "ann")

    def found(**filters: Any) -> int:
        return len(world.records.transactions(ANN, TransactionsQuery(limit=200, **filters), None))

    assert [found(merchant="SHOP 1"), found(merchant="shop"), found(text="op 2"), found(text="%")] == [4, 0, 4, 0]
    assert [found(category="FOOD_AND_DRINK"), found(category="FOOD_AND_DRINK_COFFEE"), found(category="X")] == [
        12,
        12,
        0,
    ]
    assert [found(at_least_cents=2_000), found(at_most_cents=1_000)] == [2, 1]
    assert found(at_least_cents=1_100, at_most_cents=1_200) == 2


def test_people_are_found_by_name_or_id(world: Any) -> None:
    join(world, "ann")
    join(world, "bob")

    def found(search: str) -> list[str]:
        return [row.display_name for _, row in world.oversight.users(UsersQuery(search=search), None)]

    assert [found("AN"), found(str(BOB)[:9]), found("%"), found("o")] == [["Ann"], ["Bob"], [], ["Bob"]]


def test_an_operator_sees_a_persons_recommendations_whatever_their_status(world: Any) -> None:
    join(world, "ann")
    join(world, "bob")
    run(world)
    items = world.oversight.recommendations(ANN, 30)
    assert {item.recommendation_id for item in items} == {
        one.recommendation_id for one in world.records.recommended(ANN, 30)
    }
    assert world.reviews.judge(items[0].recommendation_id, "flagged", deed("flag")) is True
    assert world.oversight.recommendations(ANN, 30)[0].status == "flagged"


def test_progress_tells_what_is_still_due(world: Any) -> None:
    assert world.records.progress(ANN) is None
    join(world, "ann")
    before = world.records.progress(ANN)
    assert (before.features_due, before.as_of, before.is_current) == (True, None, False)
    run(world)
    after = world.records.progress(ANN)
    assert (after.recommendations_due, after.as_of, after.is_current) == (False, TODAY, True)
    world.consents.record(ANN, ConsentRecord(granted=False, policy_version="1", recorded_at=NOW))
    assert (world.records.progress(ANN).consented, world.records.progress(ANN).is_current) == (False, False)


def test_insights_are_what_was_computed(world: Any) -> None:
    join(world, "ann")
    empty = world.records.insights(ANN, 90)
    assert (empty.signals, empty.persona, empty.as_of) == ({}, None, None)
    run(world)
    found = world.records.insights(ANN, 90)
    assert (found.persona, found.matched, found.as_of) == ("high_utilization", ("high_utilization",), TODAY)
    assert found.signals["max_utilization"] == 0.7
    assert "uses_a_card_above_50" in found.behaviours


# -- operators


def test_people_by_persona_page_by_page(world: Any) -> None:
    names = [f"person {number}" for number in range(5)]
    for name in names:
        join(world, name, consent=name != "person 3")
    run(world)
    first = world.oversight.users(UsersQuery(limit=2), None)
    assert [row.display_name for _, row in first] == ["Person 0", "Person 1", "Person 2"]
    rest = world.oversight.users(UsersQuery(limit=2), first[1][0])
    assert [(row.display_name, row.consented, row.persona) for _, row in rest] == [
        ("Person 2", True, "high_utilization"),
        ("Person 3", False, None),
        ("Person 4", True, "high_utilization"),
    ]
    assert rest[0][1].recommendations >= 4
    assert len(world.oversight.users(UsersQuery(persona="high_utilization"), None)) == 4
    assert world.oversight.users(UsersQuery(persona="no such"), None) == []


def test_a_judged_recommendation_is_hidden_or_shown_and_stays_so(world: Any) -> None:
    join(world, "ann")
    run(world)
    wanted = world.records.recommended(ANN, 30)[0].recommendation_id
    shown = {"overridden": False, "flagged": False, "approved": True}
    for status, visible in shown.items():
        assert world.reviews.judge(wanted, status, deed(ACTIONS[status], None, wanted, "because")) is True
        assert (world.explanations.recommendation(ANN, wanted) is not None) is visible
        run(world, f"after {status}", everyone=True)
        assert (world.explanations.recommendation(ANN, wanted) is not None) is visible
        found = world.reviews.waiting(ReviewQuery(status=status), None)
        assert [(row.recommendation_id, row.user_id) for _, row in found] == [(wanted, ANN)]
    assert [action.action for action in world.audit.actions_on(ANN)] == ["approve", "flag", "override"]
    assert world.reviews.judge(uuid4(), "flagged", deed("flag")) is False
    assert len(world.audit.actions_on(ANN)) == 3


def test_a_verdict_holds_when_the_recommendation_comes_back(world: Any) -> None:
    """After consent was revoked and given again, or a night on which the item did not suit."""
    join(world, "ann")
    run(world)
    (first, second, third, *_) = world.records.recommended(ANN, 30)
    for status, one in (("overridden", first), ("flagged", second), ("flagged", third), ("approved", third)):
        key = one.recommendation_id
        assert world.reviews.judge(key, status, deed(ACTIONS[status], None, key, "because")) is True
    for granted in (False, True):
        world.consents.record(ANN, ConsentRecord(granted=granted, policy_version="1", recorded_at=NOW))
    run(world, "again")
    shown = {one.recommendation_id for one in world.records.recommended(ANN, 30)}
    assert shown.isdisjoint({first.recommendation_id, second.recommendation_id})
    assert third.recommendation_id in shown
    ((_, waiting),) = world.reviews.waiting(ReviewQuery(status="overridden"), None)
    assert waiting.recommendation_id == first.recommendation_id


def test_old_records_are_deleted_a_part_at_a_time(world: Any) -> None:
    join(world, "ann")
    for days in (400, 399, 1):
        then = NOW - timedelta(days=days)
        world.pipeline.begin("assign_persona", JobOrder(f"{days} days ago", TODAY), then)
        world.pipeline.finish("assign_persona", JobOrder(f"{days} days ago", TODAY), then)
        world.audit.denied(ANN, "account x", "not the caller's", "", then)
    before = NOW - timedelta(days=365)
    assert [world.pipeline.forget(before, 1) for _ in range(3)] == [2, 2, 0]
    known = [world.pipeline.begin("assign_persona", JobOrder(f"{days} days ago", TODAY), NOW) for days in (400, 1)]
    assert [progress.finished for progress in known] == [False, True]


def test_reviews_page_by_page(world: Any) -> None:
    join(world, "ann")
    run(world)
    everything = world.reviews.waiting(ReviewQuery(status="active", limit=200), None)
    first = world.reviews.waiting(ReviewQuery(status="active", limit=2), None)
    assert first == everything[:3]
    second = world.reviews.waiting(ReviewQuery(status="active", limit=2), first[1][0])
    assert second == everything[2:5]


# -- listeners


def listen(world: Any, person: UUID, socket: str, most: int = 10, hours: int = 2) -> Any:
    return world.listeners.keep(Listener(person, socket, "https://sockets"), NOW, NOW + timedelta(hours=hours), most)


def told(world: Any, person: UUID | None = None, hours: int = 0) -> list[tuple[UUID, str, bool, bool]]:
    news = world.listeners.news(person, NOW + timedelta(hours=hours))
    return sorted((each.subject, each.id, it.features_due, it.is_current) for each, it in news)


def test_each_socket_is_told_its_own_persons_progress_once(world: Any) -> None:
    for name in ("ann", "bob"):
        join(world, name)
    assert listen(world, ANN, "a") is True
    assert listen(world, BOB, "b") is True
    assert told(world, ANN) == [(ANN, "a", True, False)]
    assert told(world) == [(BOB, "b", True, False)]
    assert told(world) == []
    run(world)
    assert told(world, BOB) == [(BOB, "b", False, True)]
    assert told(world) == [(ANN, "a", False, True)]


def test_a_socket_is_forgotten_alone(world: Any) -> None:
    join(world, "ann")
    for socket in ("a", "b"):
        listen(world, ANN, socket)
    world.listeners.forget(Listener(ANN, "a", "https://sockets"))
    assert [socket for _, socket, _, _ in told(world)] == ["b"]


def test_a_person_has_so_many_sockets_and_expired_ones_do_not_count(world: Any) -> None:
    assert listen(world, ANN, "a") is None
    join(world, "ann")
    assert listen(world, ANN, "a", most=1, hours=-1) is True
    assert told(world) == []
    assert listen(world, ANN, "b", most=1) is True
    assert listen(world, ANN, "c", most=1) is False
    assert told(world, hours=3) == []
    assert [socket for _, socket, _, _ in told(world)] == ["b"]


def test_a_person_who_is_erased_is_told_nothing(world: Any) -> None:
    join(world, "ann")
    listen(world, ANN, "a")
    world.people.erase(ANN)
    assert told(world) == []

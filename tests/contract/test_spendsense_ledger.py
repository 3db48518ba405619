"""Importing a bank's rows: idempotency, ownership, problems, and text that looks like SQL."""

import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import UUID

import msgspec
import pytest
from msgspec import structs

from chalicelib.adapters.postgres import Postgres
from chalicelib.adapters.spendsense.ledger import PostgresLedger
from chalicelib.errors import InvalidInput, NotFound
from chalicelib.spendsense.bank import BankStatement
from chalicelib.spendsense.models import ImportQuery, Operator, ProfileChange
from chalicelib.spendsense.statements import from_csv, from_json
from tests.contract.spendsense_database import Target, fresh_database
from tests.contract.spendsense_people import NOW, TODAY, World, account, liability, owned, rows, subject, transaction
from tests.patience import PATIENCE_MS, PATIENCE_S


@pytest.fixture
def world() -> Iterator[World]:
    with fresh_database() as url, closing(Postgres(Target(url), statement_timeout_ms=PATIENCE_MS)) as database:
        yield World(database)


def stored(world: World, person: UUID) -> list[Any]:
    return world.all(
        "SELECT t.*, m.name AS merchant, a.external_id AS account FROM spendsense.transactions t "
        "JOIN spendsense.accounts a USING (user_id, account_id) "
        "LEFT JOIN spendsense.merchants m USING (user_id, merchant_id) "
        "JOIN spendsense.profiles p ON p.user_id = t.user_id WHERE subject = %s ORDER BY t.transaction_id",
        person,
    )


def test_the_same_rows_again_change_nothing(world: World) -> None:
    given = rows([account()], [transaction(1, 5.0, merchant="Shop"), transaction(2, 6.0)], [liability("checking")])
    person = world.add("ann", given)
    before = stored(world, person)
    world.run()
    again = world.ledger.save(person, owned("ann", given), NOW)
    assert again.saved == {"accounts": 0, "transactions": 0, "removed": 0, "liabilities": 0}
    assert again.unchanged == {"accounts": 1, "transactions": 2, "liabilities": 1}
    assert stored(world, person) == before
    assert world.run(run_id="second") == 0


def test_a_changed_row_replaces_the_old_one(world: World) -> None:
    first = transaction(1, 5.0, merchant="Shop")
    person = world.add("ann", rows([account()], [first]))
    changed = world.ledger.save(
        person, owned("ann", rows([account(current=7.0)], [structs.replace(first, amount_cents=600)])), NOW
    )
    assert (changed.saved["accounts"], changed.saved["transactions"]) == (1, 1)
    (row,) = stored(world, person)
    assert row.amount_cents == 600


def test_a_posted_row_takes_the_place_of_its_pending_one(world: World) -> None:
    pending = transaction(1, 5.0, external_id="p", pending=True)
    person = world.add("ann", rows([account()], [pending]))
    posted = transaction(1, 5.5, external_id="q", replaces="p")
    world.ledger.save(person, owned("ann", rows(transactions=[posted])), NOW)
    assert [(row.external_id, row.pending) for row in stored(world, person)] == [("q", False)]


def test_a_pending_row_and_its_posted_one_in_one_file(world: World) -> None:
    """Kept and taken back in one go, they would be news each time that the file comes."""
    both = [transaction(1, 5.0, external_id="p", pending=True), transaction(1, 5.5, external_id="q", replaces="p")]
    given = owned("ann", rows([account()], both))
    person = world.add("ann", rows([account()], both[:1]))
    first = world.ledger.save(person, given, NOW)
    assert (first.saved["transactions"], first.saved["removed"]) == (1, 1)
    again = world.ledger.save(person, given, NOW)
    assert (set(again.saved.values()), again.unchanged["transactions"]) == ({0}, 2)
    assert [row.external_id for row in stored(world, person)] == ["q"]


def test_rows_that_the_bank_took_back(world: World) -> None:
    person = world.add("ann", rows([account()], [transaction(1, 5.0, external_id="gone"), transaction(1, 6.0)]))
    other = world.add("bob", rows([account()], [transaction(1, 5.0, external_id="gone")]))
    saved = world.ledger.save(person, BankStatement(removed=("gone", "never was")), NOW)
    assert saved.saved["removed"] == 1
    assert len(stored(world, person)) == 1
    assert len(stored(world, other)) == 1


def test_rows_of_an_account_that_is_not_the_persons(world: World) -> None:
    world.add("ann", rows([account()]))
    bob = world.add("bob", rows([account()]))
    theirs = transaction(1, 5.0, account="ann:checking", line=7)
    unknown = transaction(1, 5.0, account="nobody's", line=8)
    olga = Operator(operator=subject("olga"), request_id="request-1")
    imported = world.ledger.save(bob, rows(transactions=[theirs, unknown]), NOW, olga)
    assert imported.saved["transactions"] == 0
    assert [(row.line, row.field, row.expected) for row in imported.rejections] == [
        (7, "account_id", "an account of this user"),
        (8, "account_id", "an account of this user"),
    ]
    denials = world.all("SELECT * FROM spendsense.access_denials ORDER BY denial_id")
    assert [row.resource for row in denials] == ["account ann:checking", "account nobody's"]
    who = (olga.operator, f"not an account of user {bob}", "request-1")  # who tried, not whom it was tried for
    assert {(row.caller, row.reason, row.request_id) for row in denials} == {who}


def test_two_people_may_name_an_account_alike_and_neither_reaches_the_others(world: World) -> None:
    ann = world.add("ann", rows([account(current=1.0)], [transaction(1, 7.0)]))
    bob = world.add("bob", rows())
    imported = world.ledger.save(bob, owned("ann", rows([account(current=999.0)], [transaction(1, 5.0)])), NOW)
    assert (imported.rejected, imported.saved["accounts"]) == (0, 1)
    kept = world.all("SELECT subject, current_cents FROM spendsense.accounts JOIN spendsense.profiles USING (user_id)")
    assert {(row.subject, row.current_cents) for row in kept} == {(ann, 100), (bob, 99_900)}
    assert [[row.amount_cents for row in stored(world, person)] for person in (ann, bob)] == [[700], [500]]


def test_nobody_without_a_profile(world: World) -> None:
    with pytest.raises(NotFound):
        world.ledger.save(subject("nobody"), rows([account()]), NOW)


def test_a_merchant_is_one_for_a_person_and_another_for_the_next(world: World) -> None:
    spelled = ("STARBUCKS #1234", "Starbucks 00412", "starbucks")
    world.add("ann", rows([account()], [transaction(1, 5.0, merchant=name) for name in spelled]))
    world.add("bob", rows([account()], [transaction(1, 5.0, merchant="StarBucks")]))
    found = world.all("SELECT user_id, merchant_id, name FROM spendsense.merchants ORDER BY user_id")
    assert [(row.merchant_id, row.name) for row in found] == [(1, "STARBUCKS #1234"), (1, "StarBucks")]


def test_two_imports_of_the_same_merchants_at_once(world: World) -> None:
    people = [subject("ann"), subject("bob")]
    for person in people:
        world.people.register(person, ProfileChange(), NOW)
    names = [f"merchant {'abcdefghij'[number % 10]}{'klmnopqrst'[number // 10]}" for number in range(100)]
    target = world.database._target
    done: list[str] = []

    def take(name: str, order: list[str]) -> None:
        with closing(Postgres(target, statement_timeout_ms=PATIENCE_MS)) as own:
            given = rows([account()], [transaction(1, 5.0, merchant=merchant) for merchant in order])
            PostgresLedger(own).save(subject(name), owned(name, given), NOW)
        done.append(name)

    threads = [
        threading.Thread(target=take, args=("ann", names)),
        threading.Thread(target=take, args=("bob", names[::-1])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=PATIENCE_S)
    assert sorted(done) == ["ann", "bob"]
    assert len(world.all("SELECT 1 FROM spendsense.merchants")) == 200
    assert len(world.all("SELECT 1 FROM spendsense.transactions WHERE merchant_id IS NOT NULL")) == 200


def test_a_file_with_more_rows_than_one_statement_takes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.adapters.spendsense.ledger.CHUNK", 3)
    person = world.add("ann", rows([account()], [transaction(number, 5.0) for number in range(10)]))
    assert len(stored(world, person)) == 10


# -- from a file to the database

ATTACKS = [
    "NULL",
    '{"a", NULL, "b\\"}',
    "'; DROP TABLE spendsense.profiles; --",
    '" OR 1=1 --',
    "%s %(x)s {x}",
    "\\'); SELECT pg_sleep(9); --",
    "$1",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_text_that_looks_like_sql_is_text_in_every_field(world: World, attack: str) -> None:
    person = subject("ann")
    world.people.register(person, ProfileChange(display_name=attack), NOW)
    document = {
        "accounts": [
            {
                "account_id": attack,
                "name": attack,
                "mask": attack[:10],
                "type": "depository",
                "subtype": attack[:50],
                "balances": {"current": 1, "iso_currency_code": "USD"},
            }
        ],
        "transactions": [
            {
                "transaction_id": attack,
                "account_id": attack,
                "date": "2026-11-20",
                "amount": 5,
                "name": attack,
                "merchant_name": attack,
                "payment_channel": "other",
                "pending": False,
                "personal_finance_category": {"primary": "OTHER", "detailed": "OTHER_OTHER"},
            }
        ],
        "removed": [{"transaction_id": attack[::-1]}],
    }
    imported = world.ledger.save(person, from_json(msgspec.json.encode(document), TODAY), NOW)
    assert imported.rejections == []
    (row,) = stored(world, person)
    assert (row.external_id, row.account, row.name, row.merchant) == (attack, attack, attack, attack)
    profile = world.people.find(person)
    assert profile is not None
    assert profile.display_name == attack


def test_a_category_is_no_place_for_sql() -> None:
    row = b"transaction_id,account_id,date,amount,payment_channel,pending,personal_finance_category.primary\n"
    row += b't,a,2026-11-20,5,other,false,"X\'); DROP TABLE x; --"\n'
    (rejection,) = from_csv(row, ImportQuery(), TODAY).rejections
    assert (rejection.line, rejection.field) == (2, "personal_finance_category.primary")


def test_a_value_beyond_the_database_is_the_callers_mistake(world: World) -> None:
    person = world.add("ann", rows([account()]))
    with pytest.raises(InvalidInput):
        world.ledger.save(person, owned("ann", rows(transactions=[transaction(1, 10.0**18)])), NOW)
    assert stored(world, person) == []

"""Isolation of people: one person's actions never change another's figures, words and answers."""

import re
from collections.abc import Iterator
from contextlib import closing
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from chalicelib.adapters.postgres import DatabaseSecret, Postgres
from chalicelib.adapters.spendsense.login import ROLES, ApplicationLogin
from chalicelib.adapters.spendsense.oversight import PostgresOversight
from chalicelib.adapters.spendsense.people import PostgresListeners
from chalicelib.adapters.spendsense.records import PostgresExplanations, PostgresRecords
from chalicelib.adapters.spendsense.roles import for_person
from chalicelib.adapters.spendsense.schema import PostgresSchema
from chalicelib.errors import Conflict, OmnibusError, UpstreamUnavailable
from chalicelib.spendsense import sql
from chalicelib.spendsense.models import ConsentRecord, ProfileChange, TransactionsQuery
from chalicelib.spendsense.orders import JobOrder
from chalicelib.spendsense.schema import Migrations, packaged_migrations
from chalicelib.spendsense.statements import from_json
from chalicelib.spendsense.taxonomy import packaged_taxonomy
from chalicelib.spendsense.values import Listener
from local.people.generator import generate
from local.postgres import OWNER, USER
from tests.contract.spendsense_crowd import dump
from tests.contract.spendsense_database import (
    APPLICATION,
    HeldSecret,
    Target,
    empty_database,
    fresh_database,
    seen_by_all,
)
from tests.contract.spendsense_people import JOBS, NOW, TODAY, World, account, charges, rows, subject, transaction
from tests.patience import PATIENCE_MS
from tests.properties import examples

ANN, BOB = subject("ann"), subject("bob")


@pytest.fixture
def world() -> Iterator[World]:
    with fresh_database() as url, closing(Postgres(Target(url), statement_timeout_ms=PATIENCE_MS)) as database:
        yield World(database)


# -- two people


def plaid(*transactions: dict[str, Any], account_id: str = "checking") -> dict[str, Any]:
    """A document with one account; its rows have only the given fields."""
    balances = {"current": 500.0, "iso_currency_code": "USD"}
    base = {"account_id": account_id, "date": "2026-11-10", "payment_channel": "other", "pending": False}
    return {
        "accounts": [{"account_id": account_id, "type": "depository", "subtype": "checking", "balances": balances}],
        "transactions": [{"transaction_id": f"t{n}", **base, **row} for n, row in enumerate(transactions)],
    }


def uncategorised(amount: float, primary: str | None, **values: Any) -> dict[str, Any]:
    return {"amount": amount, "personal_finance_category": {"primary": primary} if primary else None, **values}


DOCUMENTS = (
    plaid(uncategorised(300.0, None, name="X Bakery #4411"), uncategorised(-900.0, "INCOME", name="Grant")),
    plaid(uncategorised(300.0, "TRANSFER_OUT"), uncategorised(12.0, "FOOD_AND_DRINK", merchant_name="X Bakery")),
    plaid({"amount": 5.0, "personal_finance_category": {"primary": "TRANSFER_OUT", "detailed": "OTHER_OTHER"}}),
    plaid({"amount": 5.0, "personal_finance_category": {"primary": "INCOME", "detailed": "FOOD_AND_DRINK_COFFEE"}}),
    plaid(*(uncategorised(9.0, "ENTERTAINMENT", merchant_name="x BAKERY", date=f"2026-{m:02}-10") for m in (8, 9, 10))),
    *(person.documents[-1] for person in generate(4, seed=7, today=TODAY)),
)
ids = st.sampled_from(["t0", "t1", "t2", "s7p1-t0"])
deeds = st.one_of(
    st.tuples(st.just("import"), st.integers(0, len(DOCUMENTS) - 1)),
    st.tuples(st.just("remove"), st.lists(ids, max_size=2)),
    st.tuples(st.just("consent"), st.booleans()),
    st.tuples(st.just("erase"), st.none()),
    st.tuples(st.just("jobs"), st.none()),
)


class Life:
    """What one person does, over the real adapters."""

    def __init__(self, world: World, person: UUID) -> None:
        self._world, self._person = world, person
        self.answers: list[Any] = []

    def do(self, what: str, value: Any) -> None:
        world, person = self._world, self._person
        if world.people.find(person) is None:
            world.people.register(person, ProfileChange(display_name=str(person)), NOW)
        if what in ("import", "remove"):
            document = (
                DOCUMENTS[value] if what == "import" else {"removed": [{"transaction_id": name} for name in value]}
            )
            self.answers.append(world.ledger.save(person, from_json(msgspec.json.encode(document), TODAY), NOW))
        elif what == "consent":
            record = ConsentRecord(granted=value, policy_version="1", recorded_at=NOW)
            self.answers.append(world.consents.record(person, record))
        elif what == "erase":
            self.answers.append(world.people.erase(person))
        else:
            order = JobOrder(f"run of {person} {len(self.answers)}", TODAY, subject=person)
            for job in JOBS:
                world.pipeline.begin(job, order, NOW)
                while world.pipeline.advance(job, order, 10, NOW):
                    pass

    def everything(self) -> bytes:
        """All readable data of the person, and the answers, byte for byte."""
        database, person = self._world.database, self._person
        records, explanations, oversight = (
            PostgresRecords(database),
            PostgresExplanations(database),
            PostgresOversight(database),
        )
        recommended = [one for window in (30, 90, 180) for one in records.recommended(person, window) or []]
        return msgspec.json.encode(
            [
                self.answers,
                self._world.people.find(person),
                self._world.consents.history(person),
                records.accounts(person),
                records.transactions(person, TransactionsQuery(limit=200), None),
                [records.insights(person, window) for window in (30, 90, 180)],
                recommended,
                [explanations.trace(person, one.recommendation_id) for one in recommended],
                oversight.signals(person),
                oversight.personas(person),
            ]
        )


def lived(bobs: list[Any], anns: list[Any], order: list[bool]) -> bytes:
    """Everything of Bob after his deeds, with Ann's between them in some order."""
    with fresh_database() as url, closing(Postgres(Target(url), statement_timeout_ms=PATIENCE_MS)) as database:
        world = World(database)
        ann, bob = Life(world, ANN), Life(world, BOB)
        turns = [*order, *[True] * len(anns)]
        left = list(anns)
        for number, (what, value) in enumerate(bobs):
            while left and turns[number + len(anns) - len(left)]:
                ann.do(*left.pop(0))
            bob.do(what, value)
        for what, value in left:
            ann.do(what, value)
        order_of_night = [(job, f"night {job}") for job in JOBS]
        for job, run_id in order_of_night:
            world.run(job, run_id=run_id)
        return bob.everything()


@examples(12)
@given(
    bobs=st.lists(deeds, min_size=1, max_size=4),
    anns=st.lists(deeds, min_size=1, max_size=5),
    order=st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_whatever_one_person_does_the_others_answers_stay_byte_for_byte(
    bobs: list[Any], anns: list[Any], order: list[bool]
) -> None:
    bobs = [("consent", True), *bobs]
    assert lived(bobs, anns, order) == lived(bobs, [], order)


def test_one_import_without_categories_changes_nobody_elses_spending(world: World) -> None:
    """The defect that this file is for."""
    bob = world.add("bob", rows([account()], [transaction(1, 300.0, "OTHER_OTHER", merchant="x bakery")]))
    ann = world.add("ann", rows())
    world.ledger.save(ann, from_json(msgspec.json.encode(DOCUMENTS[1]), TODAY), NOW)
    world.run()
    assert world.features(bob).spend_cents == 30_000
    assert world.features(ann).spend_cents == 1_200
    (shown,) = PostgresRecords(world.database).transactions(bob, TransactionsQuery(), None) or []
    assert (shown[1].merchant, shown[1].category) == ("x bakery", "OTHER_OTHER")


def test_a_spelling_is_gone_with_the_person_who_used_it(world: World) -> None:
    ann = world.add("ann", rows([account()], charges("X Bakery #4411", 9.0, 5, 35, 65)))
    world.run()
    assert world.people.erase(ann) is True
    left = world.all(
        "SELECT table_name FROM information_schema.columns WHERE table_schema = 'spendsense' AND data_type IN "
        "('text', 'ARRAY', 'jsonb') GROUP BY table_name"
    )
    for table in left:
        found = world.all(f"SELECT t::text AS found FROM spendsense.{table.table_name} t")
        assert not [row.found for row in found if "bakery" in row.found.lower()], table.table_name


# -- row-level security, statement by statement

PERSONAL = [
    "claim_features",
    "consent_history",
    "erase_derived",
    "erase_person",
    "find_profile",
    "keep_feedback",
    "known_merchants",
    "export_person",
    "read_spending",
    "read_progress",
    "lock_standing",
    "mark_features_due",
    "own_accounts",
    "owns_account",
    "posted_pending",
    "person_exists",
    "read_accounts",
    "read_insights",
    "read_personas",
    "read_recommendations",
    "read_signals",
    "read_trace",
    "read_transactions",
    "record_consent",
    "register_profile",
    "keep_standing",
    "remove_transactions",
    "save_accounts",
    "save_liabilities",
    "save_merchants",
    "save_transactions",
    "settle_features",
    "settle_persona",
    "settle_recommendations",
    "assign_persona",
    "generate_recommendations",
    "compute_features",
    "list_users",
    "list_reviews",
    "judge_recommendation",
    "make_due",
    "measure_coverage",
    "measure_explanations",
    "measure_fairness",
    "count_personas",
    "count_recommendations",
    "count_feedback",
    "trace_missing_consent",
    "actions_on",
    "keep_listener",
    "take_news",
    "forget_listener",
]


def everything_of(cursor: Any, person: UUID) -> dict[str, list[Any]]:
    """Every stored row of a person."""
    tables = cursor.execute(
        "SELECT table_name FROM information_schema.columns "
        "WHERE table_schema = 'spendsense' AND column_name = 'user_id'"
    ).fetchall()
    query = (
        "SELECT t::text FROM spendsense.{} t JOIN spendsense.profiles p USING (user_id) WHERE p.subject = %s ORDER BY 1"
    )
    return {name: cursor.execute(query.format(name), [person]).fetchall() for (name,) in tables}


def parameters_against(world: World, person: UUID, text: str) -> dict[str, Any]:
    """Values for every place of a statement, all of them the person's."""
    user = world.one("SELECT user_id FROM spendsense.profiles WHERE subject = %s", person).user_id
    of_theirs = world.one(
        "SELECT array_agg(DISTINCT account_id) AS account_ids, array_agg(external_id) AS external_ids, "
        "array_agg(DISTINCT category_id) AS category_ids FROM spendsense.transactions WHERE user_id = %s",
        user,
    )
    recommendation = world.one(
        "SELECT recommendation_id AS id FROM spendsense.recommendations WHERE user_id = %s LIMIT 1", user
    ).id
    known = {
        "subject": person,
        "user_id": user,
        "users": [user],
        "changed": [user],
        "recommendation_id": recommendation,
        "account_ids": of_theirs.account_ids,
        "external_ids": of_theirs.external_ids,
        "key": ["shop"],
        "name": ["Mine"],
        "account_id": of_theirs.account_ids,
        "external_id": of_theirs.external_ids[:1],
        "as_of": TODAY,
        "now": NOW,
        "run_id": "x",
        "window": 30,
        "limit": 50,
        "size": 50,
        "granted": False,
        "policy_version": "x",
        "recorded_at": NOW,
        "since": TODAY.replace(year=2020),
        "until": TODAY,
        "spending": False,
        "helpful": True,
        "comment": "x",
        "given_at": NOW,
        "status": "flagged",
        "is_other_currency": True,
        "everyone": True,
        "nightly": True,
        "refresh_days": 0,
        "display_name": "taken",
        "connection_id": "bobs",
        "endpoint": "https://sockets",
        "expires_at": NOW.replace(year=2027),
        "most": 9,
        "currency": "EUR",
    }
    if "unnest" in text:
        casts = dict(re.findall(r"%\((\w+)\)s::(\w+)\[\]", text))
        samples = {
            "int": of_theirs.account_ids[0],
            "smallint": of_theirs.category_ids[0],
            "bigint": 5,
            "text": "x",
            "date": TODAY,
            "boolean": False,
            "numeric": 1,
        }
        known |= {name: [samples[kind]] for name, kind in casts.items()}
        known |= {
            "external_id": of_theirs.external_ids[:1],
            "type": ["depository"],
            "currency": ["EUR"],
            "channel": ["other"],
            "kind": ["credit"],
            "holder_category": ["personal"],
            "foreign_currency": [None],
        }
    if "a.external_id = %(account_id)s" in text or "external_id = %(account_id)s" in text:
        known["account_id"] = "bob:checking"
    return {name: known.get(name) for name in re.findall(r"%\((\w+)\)s", text)}


class TakenBack(Exception):
    """Ends an attempt whose changes are not to stay."""


@pytest.fixture(scope="module")
def bobs_world() -> Iterator[World]:
    with fresh_database() as url, closing(Postgres(Target(url), statement_timeout_ms=PATIENCE_MS)) as database:
        world = World(database)
        accounts = [account(), account("credit card", 900.0, limit=1000.0)]
        world.add("bob", rows(accounts, [transaction(2 * n, 10.0, merchant="Shop") for n in range(20)]))
        world.add("ann", rows())
        world.run()
        PostgresListeners(database).keep(Listener(BOB, "bobs", "https://sockets"), NOW, NOW.replace(year=2027), 9)
        yield world


@pytest.mark.parametrize("name", PERSONAL)
def test_no_statement_reaches_another_person(bobs_world: World, name: str) -> None:
    """Each is run as Ann with all of Bob's ids, as if its own filter had been forgotten."""
    world = bobs_world
    stages: dict[str, str] = {stage: work for stage, (_, work, _) in world.pipeline._stages.items()}
    text = stages.get(name) or sql.text(name)
    parameters = parameters_against(world, BOB, text)
    found: list[Any] = []

    def attempt(cursor: Any) -> None:
        before = everything_of(cursor, BOB)
        cursor.execute(f'SET LOCAL SESSION AUTHORIZATION "{APPLICATION["username"]}"')
        cursor.execute("SET LOCAL ROLE spendsense_person")
        if cursor.execute(text, parameters).description:
            found.extend(cursor.fetchall())
        cursor.execute("RESET SESSION AUTHORIZATION")
        assert everything_of(cursor, BOB) == before
        raise TakenBack

    looked_on = Postgres(Target(seen_by_all(world.database._target.read())), statement_timeout_ms=PATIENCE_MS)
    with closing(looked_on), pytest.raises((TakenBack, OmnibusError)) as ended:
        looked_on.run(attempt, settings={"spendsense.subject": str(ANN)})
    if ended.type is not TakenBack:  # refused outright: by a policy, for want of a right, or since Bob's is there
        cause = ended.value.__cause__
        assert isinstance(cause, psycopg.errors.InsufficientPrivilege | psycopg.errors.UniqueViolation)
    assert str(BOB) not in str(found)
    assert "bob" not in str(found)


def test_every_statement_that_touches_a_person_is_tried(world: World) -> None:
    """A new statement is added to the list above, or touches nobody's rows."""
    names = {path.stem for path in (packaged_sql()).iterdir() if path.name.endswith(".sql")}
    nobodys = {
        "begin_run",
        "claim_persona",
        "claim_recommendations",
        "count_batch",
        "declare_categories",
        "finish_run",
        "forget_categories",
        "forget_denials",
        "forget_runs",
        "keep_survey",
        "known_categories",
        "last_runs",
        "note_action",
        "note_denial",
        "read_history",
        "read_survey",
        "spends",
        "rehome_categories",
    }
    assert names - nobodys == set(PERSONAL)


def packaged_sql() -> Any:
    from importlib.resources import files

    return files("chalicelib.spendsense.sql")


def test_the_roles_can_neither_log_in_nor_pass_the_policies(world: World) -> None:
    found = world.all(
        "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcanlogin FROM pg_roles "
        "WHERE rolname = ANY(%s) ORDER BY rolname",
        [*ROLES, APPLICATION["username"]],
    )
    assert [tuple(row) for row in found] == [
        ("spendsense_person", False, False, False, False),
        ("spendsense_staff", False, False, False, False),
        ("tests-application", False, False, False, True),
    ]
    owners = world.all(
        "SELECT DISTINCT pg_get_userbyid(relowner) AS name FROM pg_class "
        "WHERE relnamespace = 'spendsense'::regnamespace"
    )
    assert [row.name for row in owners] == [OWNER]


BYPASSES = (
    "SELECT * FROM spendsense.profiles WHERE subject = '{bob}'",
    "SELECT * FROM spendsense.transactions",
    "SET LOCAL row_security = off; SELECT * FROM spendsense.transactions",
    f"SET LOCAL ROLE {OWNER}",
    f"SET LOCAL ROLE {USER}",
    f"SET LOCAL SESSION AUTHORIZATION {OWNER}",
    f'GRANT {OWNER} TO "{APPLICATION["username"]}"',
    f'ALTER ROLE "{APPLICATION["username"]}" BYPASSRLS',
    f'ALTER ROLE "{APPLICATION["username"]}" SUPERUSER',
    "ALTER ROLE spendsense_person BYPASSRLS",
    "CREATE ROLE helper",
    "ALTER TABLE spendsense.transactions DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE spendsense.transactions OWNER TO CURRENT_USER",
    "DROP POLICY oneself ON spendsense.transactions",
    "CREATE POLICY all_of_them ON spendsense.transactions USING (true)",
    "CREATE OR REPLACE FUNCTION spendsense.this_person() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "CREATE FUNCTION spendsense.helper() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
    "CREATE TABLE spendsense.copied AS SELECT 1 AS one",
    "CREATE TABLE public.copied AS SELECT 1 AS one",
    "TRUNCATE spendsense.transactions",
    "COPY spendsense.transactions TO PROGRAM 'cat'",
    "SELECT pg_read_file('PG_VERSION')",
    "UPDATE spendsense.categories SET flow = 'transfer'",
    "DELETE FROM spendsense.schema_migrations",
)


@pytest.mark.parametrize("left", ["", "RESET ROLE; "], ids=["as a person", "as the login itself"])
@pytest.mark.parametrize("attempt", BYPASSES)
def test_the_application_cannot_get_past_the_policies(bobs_world: World, attempt: str, left: str) -> None:
    """Whatever statement ended up in a transaction, on the application's own connection."""
    statement = left + attempt.format(bob=BOB)

    def work(cursor: Any) -> list[Any]:
        cursor.execute(statement.encode())
        return cursor.fetchall() if cursor.description else ["it was allowed"]

    found, refusal = [], None
    try:
        found = for_person(bobs_world.database, ANN, work)
    except OmnibusError as error:
        refusal = error.__cause__
    assert found == []  # where it was let through, a policy hid what is not Ann's
    assert isinstance(refusal, psycopg.errors.InsufficientPrivilege) or (refusal is None and not left)


# -- the application's login


class Logins:
    """A database that is migrated, and the secret of a login that it has not."""

    def __init__(self, url: str, name: str) -> None:
        self.place = Target(url)
        self.owner = Postgres(self.place, statement_timeout_ms=PATIENCE_MS)
        self.secret = HeldSecret()
        self.secret.content = {"username": name, "password": "first"}
        schema = PostgresSchema(self.owner)
        login = ApplicationLogin(self.owner, self.place, self.secret, "")
        self._migrations = Migrations(schema=schema, available=packaged_migrations(), admit=login.admit)

    def migrate(self) -> None:
        self._migrations.migrate()

    def opens(self, content: dict[str, Any]) -> bool:
        """Can whoever has this secret read Ann's table as Ann?"""
        kept = SimpleNamespace(read=lambda arn: content, forget=lambda arn: None)
        database = Postgres(
            DatabaseSecret(kept, "", verify=False), statement_timeout_ms=PATIENCE_MS, pause=lambda _: None
        )
        with closing(database):
            try:
                return for_person(database, ANN, lambda cursor: cursor.execute("TABLE spendsense.profiles")) is not None
            except UpstreamUnavailable:
                return False


@pytest.fixture
def logins() -> Iterator[Logins]:
    with empty_database() as url:
        found = Logins(url, "a-login")
        with closing(found.owner):
            yield found
        with psycopg.connect(seen_by_all(url), autocommit=True) as connection:
            connection.execute('DROP ROLE IF EXISTS "a-login"')


def test_migrate_makes_the_login_and_completes_its_secret_once(logins: Logins) -> None:
    assert not logins.opens(logins.secret.content)
    logins.migrate()
    where = conninfo_to_dict(logins.place.read())
    assert logins.secret.content == {
        "username": "a-login",
        "password": "first",
        **{name: where[name] for name in ("host", "port", "dbname")},
    }
    assert logins.opens(logins.secret.content)
    logins.migrate()
    assert logins.secret.written == 1


def test_a_new_password_in_the_secret_holds_after_migrate(logins: Logins) -> None:
    logins.migrate()
    old = logins.secret.content
    logins.secret.content = {**old, "password": "second"}
    assert not logins.opens(logins.secret.content)
    logins.migrate()
    assert logins.opens(logins.secret.content)
    assert not logins.opens(old)


@pytest.mark.parametrize("attributes", ["SUPERUSER", "BYPASSRLS", "CREATEROLE", f"IN ROLE {OWNER}", "IN ROLE another"])
def test_a_login_that_could_pass_the_policies_is_refused(logins: Logins, attributes: str) -> None:
    with psycopg.connect(seen_by_all(logins.place.read()), autocommit=True) as admin:
        admin.execute("CREATE ROLE another BYPASSRLS")
        try:
            admin.execute(f'CREATE ROLE "a-login" LOGIN {attributes}'.encode())
            if OWNER not in attributes:  # else it may not be given to its own member
                admin.execute(f'GRANT "a-login" TO {OWNER} WITH ADMIN OPTION')
            with pytest.raises(OmnibusError) as refused:
                logins.migrate()
            server_refused = isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege)
            assert server_refused or isinstance(refused.value, Conflict)
        finally:
            admin.execute('DROP ROLE "a-login"')
            admin.execute("DROP ROLE another")
    assert logins.secret.written == 0


def test_a_person_whom_nobody_named_reaches_nothing(world: World) -> None:
    world.add("bob", rows([account()], [transaction(1, 5.0)]))
    for table in ("profiles", "accounts", "transactions"):
        found = world.database.run(
            lambda cursor, table=table: cursor.execute(f"SELECT 1 FROM spendsense.{table}").fetchall(),
            settings={"role": "spendsense_person"},
        )
        assert found == []


# -- the schema


def test_every_key_of_a_persons_table_begins_with_the_person(world: World) -> None:
    """So that rows can be sharded by person: see docs/spendsense.md."""
    keys = world.all(
        "SELECT c.relname AS name, i.indisunique AS is_unique, "
        "(SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum = i.indkey[0]) AS leading "
        "FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'spendsense' AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND "
        "a.attname = 'user_id' AND NOT a.attisdropped)"
    )
    unique = {(row.name, row.leading) for row in keys if row.is_unique}
    assert {pair for pair in unique if pair[1] != "user_id"} == {("profiles", "subject")}  # the directory of people
    protected = world.all(
        "SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = "
        "'spendsense' AND c.relkind = 'r' AND NOT c.relrowsecurity AND EXISTS (SELECT FROM pg_attribute a WHERE "
        "a.attrelid = c.oid AND a.attname = 'user_id' AND NOT a.attisdropped)"
    )
    assert protected == []


def test_every_join_of_two_peoples_tables_carries_the_person(world: World) -> None:
    """Else a sharded database would have to send rows between its nodes."""
    personal = {
        row.name
        for row in world.all(
            "SELECT table_name AS name FROM information_schema.columns "
            "WHERE table_schema = 'spendsense' AND column_name = 'user_id'"
        )
    } - {"profiles"}  # the directory, which every node has
    join = re.compile(r"JOIN spendsense\.(\w+)(?: \w+)?\s+((?:USING|ON) [^\n]*(?:\n +AND [^\n]*)*)")
    joined = [
        (path.name, *found)
        for path in packaged_sql().iterdir()
        if path.name.endswith(".sql")
        for found in join.findall(path.read_text())
        if found[0] in personal
    ]
    assert len(joined) > 15
    assert [each for each in joined if "user_id" not in each[2]] == []


# -- what was stored before


def test_existing_rows_are_mended_and_counted() -> None:
    with (
        empty_database() as url,
        closing(Postgres(Target(url), statement_timeout_ms=PATIENCE_MS)) as database,
    ):
        schema, known = PostgresSchema(database), packaged_migrations()
        Migrations(schema=schema, available=known[:6]).migrate()
        database.run(lambda cursor: cursor.execute(BEFORE.encode()))
        done = Migrations(schema=schema, available=known, categories=packaged_taxonomy().categories.values()).migrate()
        assert done.mended == {
            "merchants given to the people who have them": 2,
            "uncategorised rows of money in, no longer negative spending": 1,
            "card payments parted from the next statement's minimum": 1,
            "people to compute anew": 2,
            "transactions of undeclared categories": 3,
        }
        world = World(database)
        found = world.all(
            "SELECT t.user_id, t.external_id, c.primary_name, c.detailed_name, c.flow, m.name "
            "FROM spendsense.transactions t JOIN spendsense.categories c USING (category_id) "
            "LEFT JOIN spendsense.merchants m USING (user_id, merchant_id) ORDER BY 1, 2"
        )
        assert [tuple(row) for row in found] == [
            (1, "a", "OTHER", "OTHER_OTHER", "service", "X Bakery"),
            (1, "b", "OTHER", "OTHER_MONEY_IN", "transfer", None),
            (2, "a", "OTHER", "OTHER_OTHER", "service", "X Bakery"),
            (2, "c", "FOOD_AND_DRINK", "FOOD_AND_DRINK", "spend", None),
        ]
        again = Migrations(schema=schema, available=known, categories=packaged_taxonomy().categories.values()).migrate()
        assert again.mended == {}
        assert dump(world, "categories")["categories"]


BEFORE = """
INSERT INTO spendsense.profiles (subject, created_at, updated_at)
SELECT md5(n::text)::uuid, now(), now() FROM generate_series(1, 2) n;
INSERT INTO spendsense.standings (user_id, consented) SELECT user_id, true FROM spendsense.profiles;
INSERT INTO spendsense.accounts (user_id, external_id, type, currency, updated_at)
SELECT user_id, 'account ' || user_id, 'depository', 'USD', now() FROM spendsense.profiles;
INSERT INTO spendsense.merchants (key, name) VALUES ('x bakery', 'X Bakery #4411');
INSERT INTO spendsense.categories (primary_name, detailed_name, flow)
VALUES ('TRANSFER_OUT', 'OTHER_OTHER', 'transfer'), ('FOOD_AND_DRINK', 'FOOD_AND_DRINK_PICNIC', 'spend');
INSERT INTO spendsense.transactions (
    user_id, account_id, merchant_id, category_id, posted_on, amount_cents, pending, channel, external_id
)
VALUES
    (1, 1, 1, 1, '2026-11-01', 500, false, 'other', 'a'), (1, 1, null, 1, '2026-11-01', -500, false, 'other', 'b'),
    (2, 2, 1, 1, '2026-11-01', 500, false, 'other', 'a'), (2, 2, null, 2, '2026-11-01', 500, false, 'other', 'c');
INSERT INTO spendsense.liability_payments (account_id, paid_on, user_id, payment_cents, minimum_cents)
VALUES (1, '2026-11-01', 1, 2500, 2500);
"""

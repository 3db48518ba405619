"""Small pure parts: merchants, categories, cursors, claims, migrations."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import Conflict, InvalidInput, Unauthenticated
from chalicelib.spendsense.bank import MERCHANT_KEY_LENGTH, canonical
from chalicelib.spendsense.identity import Doorkeeper, Pool
from chalicelib.spendsense.models import FeaturesOrder, StageDone
from chalicelib.spendsense.orders import order_after, order_of
from chalicelib.spendsense.paging import cursor_of, position_of
from chalicelib.spendsense.schema import Migration, following, in_version_order, packaged_migrations
from chalicelib.spendsense.taxonomy import packaged_taxonomy
from tests.fakes.clock import Clock
from tests.fakes.spendsense import FakePeople
from tests.fakes.spendsense_aws import POOL, FakePools

# -- merchants


@pytest.mark.parametrize(
    ("names", "key"),
    [
        (("STARBUCKS #1234", "Starbucks 00412", "starbucks", " Starbucks  Store 5 "), "starbucks"),
        (("7-Eleven", "7-ELEVEN STORE 33"), "7-eleven"),
        (("Studio 54",), "studio 54"),
        (("H&M", "h&m #12"), "h&m"),
        (("Café Müller 0042", "CAFÉ MÜLLER"), "café müller"),
        (("McDonald's F1234",), "mcdonald's"),
        (("123456",), "123456"),
        (("", "  "), ""),
    ],
)
def test_a_merchant_is_one_however_it_is_spelled(names: tuple[str, ...], key: str) -> None:
    assert {canonical(name) for name in names} == {key}


@given(st.text(max_size=300))
def test_any_name_has_a_key_that_fits(name: str) -> None:
    key = canonical(name)
    assert len(key) <= MERCHANT_KEY_LENGTH
    assert bool(key) == bool(name.strip())
    assert key == canonical(name.upper()) or not name.isascii()


# -- categories


@pytest.mark.parametrize(
    ("primary", "detailed", "flow"),
    [
        ("INCOME", "INCOME_WAGES", "wages"),
        ("INCOME", "INCOME_SALARY", "wages"),
        ("INCOME", "INCOME_GIG_ECONOMY", "wages"),
        ("INCOME", "INCOME_DIVIDENDS", "passive"),
        ("BANK_FEES", "BANK_FEES_INTEREST_CHARGE", "interest"),
        ("BANK_FEES", "BANK_FEES_ATM_FEES", "spend"),
        ("LOAN_PAYMENTS", "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT", "card_payment"),
        ("LOAN_PAYMENTS", "LOAN_PAYMENTS_CAR_PAYMENT", "obligation"),
        ("RENT_AND_UTILITIES", "RENT_AND_UTILITIES_RENT", "obligation"),
        ("RENT_AND_UTILITIES", "RENT_AND_UTILITIES_TELEPHONE", "spend"),
        ("TRANSFER_OUT", "TRANSFER_OUT_SAVINGS", "transfer"),
        ("TRANSFER_OUT", "TRANSFER_OUT_WITHDRAWAL", "spend"),
        ("TRANSFER_IN", "TRANSFER_IN_DEPOSIT", "transfer"),
        ("NEW_IN_2027", "NEW_IN_2027_THING", "service"),
        ("INCOME", "", "income"),
        ("TRANSFER_OUT", "", "transfer"),
        ("", "income_wages", "wages"),
        ("ENTERTAINMENT", "ENTERTAINMENT_NEW_IN_2027", "service"),
    ],
)
def test_what_a_category_means(primary: str, detailed: str, flow: str) -> None:
    assert packaged_taxonomy().categorise(primary, detailed, "", 100)[0].flow == flow


# -- cursors


@given(st.text(alphabet="0123456789-abcdef", max_size=36), st.integers(-(2**63), 2**63 - 1))
def test_a_cursor_carries_its_position(text: str, number: int) -> None:
    assert position_of(cursor_of((text, number))) == (text, number)


@given(st.text(max_size=60))
def test_a_cursor_that_is_not_ours_is_refused_or_harmless(text: str) -> None:
    try:
        position = position_of(text)
    except InvalidInput:
        return
    assert position is not None
    assert isinstance(position[0], str)
    assert isinstance(position[1], int)


def test_no_cursor_is_the_beginning() -> None:
    assert position_of(None) is None


# -- who calls

CLAIMS = {"iss": POOL.issuer, "aud": "client", "token_use": "id", "sub": str(UUID(int=1))}


def person_of(claims: dict[str, str], pools: FakePools) -> UUID:
    return Doorkeeper(pools=pools, audit=FakePeople(), clock=Clock()).person(claims)


def test_settings_that_were_rotated_are_read_anew_when_a_token_does_not_fit_them() -> None:
    pools = FakePools(rotated=Pool(POOL.issuer, frozenset({"client", "new client"})))
    assert person_of(CLAIMS, pools) == UUID(int=1)
    assert pools.renewals == 0
    assert person_of({**CLAIMS, "aud": "new client"}, pools) == UUID(int=1)
    assert pools.renewals == 1


@pytest.mark.parametrize(
    ("claims", "renewals"),
    [({"aud": "another"}, 1), ({"iss": "https://evil.example"}, 1), ({"token_use": "access"}, 0), ({"sub": "x"}, 0)],
)
def test_a_token_that_fits_no_settings_is_refused(claims: dict[str, str], renewals: int) -> None:
    pools = FakePools()
    with pytest.raises(Unauthenticated):
        person_of({**CLAIMS, **claims}, pools)
    assert pools.renewals == renewals


# -- orders


def test_the_event_is_the_run() -> None:
    subject = UUID(int=1)
    order = order_of("event-1", date(2026, 11, 21), FeaturesOrder(subject=subject), nightly=False)
    assert (order.run_id, order.as_of.isoformat(), order.subject, order.nightly) == (
        "event-1",
        "2026-11-21",
        subject,
        False,
    )
    after = order_after(StageDone(run_id="event-1", as_of=order.as_of, subject=subject), order.as_of)
    assert (after.run_id, after.as_of, after.subject, after.everyone) == ("event-1", order.as_of, subject, False)


def test_a_day_to_come_is_refused() -> None:
    """Features of next year would pass for fresh until then, and no night would compute them again."""
    today = date(2026, 11, 21)
    with pytest.raises(InvalidInput) as raised:
        order_of("event-1", today, FeaturesOrder(as_of=date(2026, 11, 22), everyone=True), nightly=True)
    assert raised.value.problems[0].field == "as_of"
    with pytest.raises(InvalidInput):
        order_after(StageDone(run_id="event-1", as_of=date(2026, 11, 22)), today)


# -- migrations

ONE, TWO, THREE = (Migration(number, f"step_{number}", f"SELECT {number}") for number in (1, 2, 3))


def applied(*migrations: Migration) -> dict[int, str]:
    return {migration.version: migration.checksum for migration in migrations}


def test_the_first_that_is_missing_comes_next() -> None:
    assert following({}, (ONE, TWO)) is ONE
    assert following(applied(ONE), (ONE, TWO)) is TWO
    assert following(applied(ONE, TWO), (ONE, TWO)) is None


@pytest.mark.parametrize(
    "past", [applied(ONE, THREE), {1: "another checksum"}, applied(TWO), applied(ONE, TWO, Migration(9, "lost", ""))]
)
def test_a_past_that_differs_is_refused(past: dict[int, str]) -> None:
    with pytest.raises(Conflict):
        following(past, (ONE, TWO, THREE))


def test_line_ends_are_no_change() -> None:
    text = "SELECT 1;\nSELECT 2;\n"
    assert replace(ONE, text=text).checksum == replace(ONE, text=text.replace("\n", "\r\n")).checksum
    assert replace(ONE, text=text).checksum != replace(ONE, text=text + " ").checksum


def test_the_packaged_migrations_are_numbered() -> None:
    assert [migration.version for migration in packaged_migrations()] == list(range(1, len(packaged_migrations()) + 1))


@pytest.mark.parametrize(
    "names", [["0001_a.sql", "0003_c.sql"], ["0001_a.sql", "0001_b.sql"], ["1_a.sql"], ["0001-a.sql"], ["0002_b.sql"]]
)
def test_migrations_that_are_misnamed_or_missing(names: list[str]) -> None:
    with pytest.raises(ValueError, match=r"must be|is not named"):
        in_version_order((name, "SELECT 1") for name in names)

"""Bank files: accepted rows, rejected rows with line and field, and no input that crashes the reader."""

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import InvalidInput, OmnibusError, TooLarge, Unprocessable
from chalicelib.spendsense import statements
from chalicelib.spendsense.bank import BankStatement, _tidied, canonical
from chalicelib.spendsense.fields import _day
from chalicelib.spendsense.imports import Imports
from chalicelib.spendsense.models import ImportQuery, Operator, ProfileChange
from chalicelib.spendsense.statements import from_csv, from_json
from chalicelib.spendsense.taxonomy import Category
from tests.contract.spendsense_people import NOW, subject
from tests.fakes.spendsense import FakePeople
from tests.fakes.spendsense_aws import FakeAnnouncements

TODAY = date(2026, 11, 21)

ACCOUNT = {
    "account_id": "a",
    "name": "Checking",
    "mask": "0001",
    "type": "depository",
    "subtype": "Checking",
    "balances": {"available": 10.5, "current": None, "limit": None, "iso_currency_code": "USD"},
    "holder_category": None,
}
TRANSACTION = {
    "transaction_id": "t",
    "account_id": "a",
    "date": "2026-11-20",
    "amount": 12.34,
    "iso_currency_code": "USD",
    "merchant_name": "STARBUCKS #12",
    "merchant_entity_id": "entity",
    "name": "Coffee",
    "payment_channel": "in store",
    "pending": False,
    "personal_finance_category": {"primary": "FOOD_AND_DRINK", "detailed": "FOOD_AND_DRINK_COFFEE"},
}
CARD = {
    "account_id": "c",
    "aprs": [
        {"apr_type": "cash_apr", "apr_percentage": 29.9},
        {"apr_type": "purchase_apr", "apr_percentage": 21.99},
    ],
    "minimum_payment_amount": 25,
    "last_payment_amount": 25.5,
    "last_payment_date": "2026-11-01",
    "last_statement_balance": 900,
    "next_payment_due_date": "2026-12-01",
    "is_overdue": False,
}


def read(document: Any) -> BankStatement:
    return from_json(json.dumps(document).encode(), TODAY)


def fields_of(statement: BankStatement) -> list[tuple[str, int, str]]:
    return [(row.section, row.line, row.field) for row in statement.rejections]


# -- JSON


def test_plaids_shapes() -> None:
    loan = {"account_id": "l", "interest_rate": {"percentage": 5.125, "type": "fixed"}, "next_payment_due_date": None}
    student = {"account_id": "s", "interest_rate": 4.5, "is_overdue": True}
    found = read(
        {
            "accounts": [ACCOUNT],
            "transactions": [TRANSACTION],
            "liabilities": {"credit": [CARD], "mortgage": [loan], "student": [student]},
            "removed": [{"transaction_id": "old"}],
        }
    )
    assert found.rejections == ()
    (account,), (transaction,), debts = found.accounts, found.transactions, found.liabilities
    assert (account.available_cents, account.current_cents, account.subtype) == (1050, None, "checking")
    assert (transaction.amount_cents, transaction.merchant_key) == (1234, "entity entity")
    assert transaction.category == Category("FOOD_AND_DRINK", "FOOD_AND_DRINK_COFFEE", "spend")
    assert [(debt.kind, debt.apr_percent, debt.interest_rate_percent) for debt in debts] == [
        ("credit", Decimal("21.990"), None),
        ("mortgage", None, Decimal("5.125")),
        ("student", None, Decimal("4.500")),
    ]
    assert found.removed == ("old",)


def test_what_plaid_syncs_is_what_plaid_gets() -> None:
    synced = read({"added": [TRANSACTION], "modified": [{**TRANSACTION, "transaction_id": "u"}]})
    assert [row.external_id for row in synced.transactions] == ["t", "u"]


def test_the_last_of_two_rows_with_one_id_counts() -> None:
    found = read({"transactions": [TRANSACTION, {**TRANSACTION, "amount": 5}]})
    assert [row.amount_cents for row in found.transactions] == [500]


def test_a_merchant_without_a_name_goes_by_its_entity() -> None:
    found = read({"transactions": [{**TRANSACTION, "merchant_name": None}]})
    assert found.transactions[0].merchant_key == "entity entity"


def test_no_category_is_no_reason_to_lose_a_row() -> None:
    found = read({"transactions": [{**TRANSACTION, "personal_finance_category": None}]})
    assert found.transactions[0].category.detailed == "OTHER_OTHER"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("transaction_id", 5),
        ("transaction_id", "x" * 101),
        ("transaction_id", "a\u0000b"),
        ("account_id", None),
        ("date", "1970-01-01"),
        ("date", "1989-12-31"),
        ("date", (TODAY + timedelta(days=8)).isoformat()),
        ("date", "2026-02-30"),
        ("date", "20261120"),
        ("date", "2026-W47-5"),
        ("date", 20261120),
        ("amount", None),
        ("amount", "much"),
        ("amount", True),
        ("amount", [1]),
        ("amount", 1e300),
        ("amount", "NaN"),
        ("amount", "Infinity"),
        ("iso_currency_code", "u$d"),
        ("iso_currency_code", "US"),
        ("merchant_name", {"a": 1}),
        ("name", "bell\u0007"),
        ("payment_channel", "ACH"),
        ("pending", "yes"),
    ],
)
def test_a_wrong_field_is_named_and_only_its_row_left_out(field: str, value: Any) -> None:
    found = read({"transactions": [TRANSACTION, {**TRANSACTION, "transaction_id": "u", field: value}]})
    assert fields_of(found) == [("transactions", 2, field)]
    assert [row.external_id for row in found.transactions] == ["t"]
    assert found.rejections[0].expected


def test_every_wrong_field_of_a_row_is_named() -> None:
    found = read({"accounts": [{}]})
    assert fields_of(found) == [
        ("accounts", 1, "account_id"),
        ("accounts", 1, "type"),
        ("accounts", 1, "balances.iso_currency_code"),
    ]


@pytest.mark.parametrize("day", [TODAY + timedelta(days=7), date(1990, 1, 1)])
def test_days_at_the_borders_are_taken(day: date) -> None:
    assert read({"transactions": [{**TRANSACTION, "date": day.isoformat()}]}).rejections == ()


@pytest.mark.parametrize(
    ("amount", "cents"), [(0.1 + 0.2, 30), (1.005, 100), (-3, -300), ("12.5", 1250), (0, 0), (1e-9, 0), (-0.0, 0)]
)
def test_amounts_become_whole_cents(amount: Any, cents: int) -> None:
    assert read({"transactions": [{**TRANSACTION, "amount": amount}]}).transactions[0].amount_cents == cents


@pytest.mark.parametrize("row", [None, 5, "x", [TRANSACTION]])
def test_a_row_that_is_no_object(row: Any) -> None:
    assert fields_of(read({"transactions": [row]})) == [("transactions", 1, "")]


@pytest.mark.parametrize("document", [[], "x", 5, None, {"accounts": {}}, {"liabilities": []}, {"transactions": "x"}])
def test_a_document_of_another_shape(document: Any) -> None:
    with pytest.raises(InvalidInput):
        read(document)


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b'{"accounts": [}', b"[" * 100_000])
def test_a_document_that_is_not_json(raw: bytes) -> None:
    with pytest.raises(InvalidInput):
        from_json(raw, TODAY)


def test_too_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "MAX_FILE_ROWS", 2)
    with pytest.raises(TooLarge):
        read({"transactions": [TRANSACTION] * 3})


# -- CSV

HEADER = "transaction_id,account_id,date,amount,payment_channel,pending,merchant_name"


def test_csv_rows_have_their_line_in_the_file() -> None:
    content = f'{HEADER}\nt,a,2026-11-20,five,other,false,"Two\nlines"\nu,a,2026-11-20,5,online,true,Shop\n'
    found = from_csv(content.encode(), ImportQuery(), TODAY)
    assert [row.external_id for row in found.transactions] == ["u"]
    assert fields_of(found) == [("transactions", 3, "amount")]


def test_csv_with_a_byte_order_mark_and_windows_lines() -> None:
    content = f"\ufeff{HEADER}\r\nt,a,2026-11-20,5,other,false,\r\n"
    assert len(from_csv(content.encode(), ImportQuery(), TODAY).transactions) == 1


@pytest.mark.parametrize("prefix", ["", "balances."])
def test_csv_accounts_with_and_without_the_prefix(prefix: str) -> None:
    columns = [f"{prefix}{name}" for name in ("available", "current", "limit", "iso_currency_code")]
    content = f"account_id,type,subtype,{','.join(columns)}\na,credit,credit card,,-5.5,0,USD\n"
    (account,) = from_csv(content.encode(), ImportQuery(section="accounts"), TODAY).accounts
    assert (account.available_cents, account.current_cents, account.limit_cents) == (None, -550, 0)


def test_csv_liabilities_name_their_kind() -> None:
    content = "account_id,kind,aprs,is_overdue\na,credit,21.9,true\nb,payday,21.9,true\n"
    found = from_csv(content.encode(), ImportQuery(section="liabilities"), TODAY)
    assert [(debt.kind, debt.apr_percent, debt.is_overdue) for debt in found.liabilities] == [
        ("credit", Decimal("21.900"), True)
    ]
    assert fields_of(found) == [("liabilities", 3, "kind")]


@pytest.mark.parametrize(
    ("line", "field"), [("t,a,2026-11-20,5,other,false,x,extra", ""), ("t,a,2026-11-20", "amount")]
)
def test_csv_rows_that_are_too_long_or_too_short(line: str, field: str) -> None:
    found = from_csv(f"{HEADER}\n{line}\n".encode(), ImportQuery(), TODAY)
    assert field in {row.field for row in found.rejections}
    assert found.transactions == ()


@pytest.mark.parametrize("raw", [b"", b"x,y\n1,2\n", b"\xff\xfe", b'account_id\n"open'])
def test_csv_that_cannot_be_read_at_all(raw: bytes) -> None:
    with pytest.raises(InvalidInput):
        from_csv(raw, ImportQuery(), TODAY)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"PK\x03\x04\x14\x00", "workbook"),
        (b"%PDF-1.7", "PDF"),
        (b"\nOFXHEADER:100\n", "OFX"),
        (b"!Type:Bank\nD11/03/2026\n", "QIF"),
        (b":20:STARTUMS\n", "MT940"),
        (b"<?xml version='1.0'?><Document/>", "XML"),
    ],
)
def test_what_banks_offer_beside_csv_is_named(raw: bytes, kind: str) -> None:
    with pytest.raises(Unprocessable, match=kind):
        from_csv(raw, ImportQuery(), TODAY)


@pytest.mark.parametrize(
    "header",
    [
        "Fecha;Concepto;Importe;Saldo",
        "Data;Descrição;Valor;Saldo",
        "Data contabile;Causale;Importo;Saldo contabile",
        "Date opération;Libellé;Montant;Solde",
        "Data operacji;Opis operacji;Kwota;Saldo po operacji",
        "Bokföringsdatum;Beskrivning;Belopp;Saldo",
    ],
)
def test_columns_in_other_languages(header: str) -> None:
    found = from_csv(f"{header}\n25.11.2026;X;-1.234,50;9,00\n".encode(), ImportQuery(account_id="a"), TODAY)
    assert [(row.posted_on.day, row.name, row.amount_cents) for row in found.transactions] == [(25, "X", 123_450)]
    assert not found.readings.unknown


def test_columns_of_money_out_and_in_in_other_languages() -> None:
    for header in ("Fecha,Concepto,Cargo,Abono", "Data,Descrizione,Uscite,Entrate", "Date,Libellé,Débit,Crédit"):
        raw = f"{header}\n2026-11-25,X,4.00,\n2026-11-26,Y,,5.00\n".encode()
        found = from_csv(raw, ImportQuery(account_id="a"), TODAY)
        assert [row.amount_cents for row in found.transactions] == [400, -500], header


@pytest.mark.parametrize(
    "lines",
    [
        ["25/11/2026,-12.40,TESCO", "24/11/2026,2000.00,PAYROLL"],
        ["25/11/2026,TESCO,-12.40", '24/11/2026,PAYROLL,"2,000.00"'],
        ['"11/25/2026","-12.40","*","","TESCO"', '"11/24/2026","2000.00","*","1001","PAYROLL"'],
        ["Kim;2026-11-25;TESCO;-12,40 €;", "Kim;2026-11-24;PAYROLL;2.000,00 €;"],
    ],
)
def test_a_file_without_a_header_is_read_by_its_content(lines: list[str]) -> None:
    found = from_csv("\n".join(lines).encode(), ImportQuery(account_id="a"), TODAY)
    assert [(row.line, row.posted_on.day, row.name, row.amount_cents) for row in found.transactions] == [
        (1, 25, "TESCO", 1240),
        (2, 24, "PAYROLL", -200_000),
    ]
    assert any("no header" in note for note in found.readings.notes)


@pytest.mark.parametrize(
    "line", ["2026-11-25,-1.40,TESCO,987.60", "2026-11-25,2026-11-26,-1.40,TESCO", "2026-11-25,-1.40", "TESCO,-1.40"]
)
def test_a_file_without_a_header_whose_columns_might_be_others_is_refused(line: str) -> None:
    with pytest.raises(Unprocessable, match="header"):
        from_csv(line.encode(), ImportQuery(account_id="a"), TODAY)


@pytest.mark.parametrize("plus_is_out", [True, False])
@pytest.mark.parametrize(
    ("name", "category", "is_out"),
    [
        ("AUTOPAY PAYMENT - THANK YOU", "", False),
        ("PAYMENT RECEIVED", "", False),
        ("ACME PAYROLL", "", False),
        ("CORNER SHOP", "Groceries", True),
        ("CITY INSURANCE", "", True),
    ],
)
def test_one_row_whose_words_say_where_money_goes_outweighs_the_number_of_minuses(
    name: str, category: str, is_out: bool, plus_is_out: bool
) -> None:
    sign = 1 if plus_is_out else -1
    rows = [(name, category, sign * (300 if is_out else -300)), *(("X", "", sign * amount) for amount in (-5, -6, 7))]
    given = "date,name,category,amount\n" + "".join(f"2026-11-20,{row[0]},{row[1]},{row[2]}.00\n" for row in rows)
    found = from_csv(given.encode(), ImportQuery(account_id="a"), TODAY)
    assert [row.amount_cents for row in found.transactions] == [30_000 if is_out else -30_000, -500, -600, 700]


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("\u221212.40", None),
        ("\u201312.40", None),
        ("12.40-", None),
        ("(12.40)", None),
        ("-12.40 CHF", "CHF"),
        ("SEK-12.40", "SEK"),
        ("-12.40 kr", None),
        ("-12.40 zł", "PLN"),
        ("R$ -12.40", "BRL"),
        ("-₹12.40", "INR"),
    ],
)
def test_an_amount_as_banks_write_it(text: str, currency: str | None) -> None:
    given = f"date,name,amount\n2026-11-20,X,{text}\n2026-11-20,Y,1'000.00+\n2026-11-20,Z,-1’000.00\n"
    found = from_csv(given.encode(), ImportQuery(account_id="a"), TODAY)
    assert [row.amount_cents for row in found.transactions] == [1240, -100_000, 100_000]
    assert found.transactions[0].currency == currency


@pytest.mark.parametrize(
    "amounts", [("12.40 DR", "5.00 CR"), ("12.40", "5.00CR"), ("12.40dr", "5.00"), ("-12.40 Dr", "5.00 Cr")]
)
def test_marks_of_debits_and_credits(amounts: tuple[str, str]) -> None:
    given = "date,name,amount\n" + "".join(f"2026-11-20,X,{amount}\n" for amount in amounts)
    found = from_csv(given.encode(), ImportQuery(account_id="a"), TODAY)
    assert [row.amount_cents for row in found.transactions] == [1240, -500]


@pytest.mark.parametrize("day", ["20-NOV-26", "20 Nov 26", "Nov 20 2026", "20-Nov-2026", "November 20, 2026"])
def test_days_with_the_months_name(day: str) -> None:
    found = from_csv(f'date,name,amount\n"{day}",X,-5\n'.encode(), ImportQuery(account_id="a"), TODAY)
    assert [row.posted_on.isoformat() for row in found.transactions] == ["2026-11-20"]


# -- anything

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
SHAPES = {"accounts": ACCOUNT, "transactions": TRANSACTION}


@given(st.data())
def test_any_value_in_any_field_is_taken_or_named(data: st.DataObject) -> None:
    section = data.draw(st.sampled_from(sorted(SHAPES)))
    row = dict(SHAPES[section])
    changed = data.draw(st.sets(st.sampled_from(sorted(row)), max_size=3))
    for name in changed:
        row[name] = data.draw(values)
    found = read({section: [row]})
    taken = len(getattr(found, section))
    assert taken + bool(found.rejections) == 1
    assert {each.field.split(".")[0] for each in found.rejections} <= changed


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    for read_file in (lambda: from_json(raw, TODAY), lambda: from_csv(raw, ImportQuery(), TODAY)):
        try:
            assert isinstance(read_file(), BankStatement)
        except OmnibusError as error:
            assert error.status in (400, 413, 422)  # noqa: PT017  # either outcome is right; this is what one must look like


def test_a_file_cut_between_two_days_gives_the_rows_of_the_whole() -> None:
    """Files larger than a request are imported in parts; identical rows of one day count once each."""
    days = [f"{TODAY - timedelta(days=number // 3)},COFFEE,-2.50\n" for number in range(12)]
    whole, *parts = (
        from_csv(("date,name,amount\n" + "".join(some)).encode(), ImportQuery(account_id="a"), TODAY)
        for some in (days, days[:6], days[6:])
    )
    ids = [row.external_id for part in parts for row in part.transactions]
    assert (len(set(ids)), ids) == (12, [row.external_id for row in whole.transactions])


def test_no_text_of_a_file_is_kept_after_its_import() -> None:
    person, people = subject("ann"), FakePeople()
    people.register(person, ProfileChange(display_name="ann"), NOW)
    imports = Imports(ledger=people, announcements=FakeAnnouncements(), clock=lambda: NOW)
    given = json.dumps({"accounts": [ACCOUNT], "transactions": [TRANSACTION]}).encode()
    taken = imports.take(person, given, "application/json", ImportQuery(), Operator(operator=person, request_id="1"))
    assert taken.saved["transactions"] == 1
    readers: list[Any] = [canonical, _tidied, _day]
    assert [reader.cache_info().currsize for reader in readers] == [0, 0, 0]

"""Files as banks, Plaid and its users really make them, none a real person's, each with signals worked out by hand."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from chalicelib.adapters.postgres import Postgres
from chalicelib.adapters.spendsense.records import PostgresRecords
from chalicelib.errors import InvalidInput, Unprocessable
from chalicelib.spendsense.bank import BankStatement
from chalicelib.spendsense.models import ConsentRecord, ImportQuery, ProfileChange, TransactionsQuery
from chalicelib.spendsense.statements import from_csv, from_json
from tests.contract.spendsense_database import Target, fresh_database
from tests.contract.spendsense_people import NOW, TODAY, World, account, days_ago, rows, subject, transaction
from tests.patience import PATIENCE_MS


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with fresh_database() as url, closing(Postgres(Target(url), statement_timeout_ms=PATIENCE_MS)) as database:
        yield World(database)


MONTHLY = tuple(days_ago(days) for days in (20, 51, 81, 112, 143, 173))
"""The first of six months."""


def checking(**values: Any) -> dict[str, Any]:
    balances = {"current": 1200.0, "iso_currency_code": "USD", **values.pop("balances", {})}
    return {"account_id": "a", "type": "depository", "subtype": "checking", "balances": balances, **values}


def plaid(**sections: Any) -> BankStatement:
    return from_json(msgspec.json.encode({"accounts": [checking()], **sections}), TODAY)


def got(number: int, day: Any, amount: float, **values: Any) -> dict[str, Any]:
    return {"transaction_id": f"t{number}", "account_id": "a", "date": day.isoformat(), "amount": amount, **values}


def wages(amount: float) -> list[dict[str, Any]]:
    return [
        got(
            100 + n,
            day,
            -amount,
            name="ACME",
            personal_finance_category={"primary": "INCOME", "detailed": "income_wages"},
        )
        for n, day in enumerate(MONTHLY)
    ]


def table(*lines: str, **query: Any) -> BankStatement:
    return from_csv("\n".join(lines).encode(), ImportQuery(account_id="csv", **query), TODAY)


def bank(header: str, row: str, amount: str, pay: str, **query: Any) -> BankStatement:
    """Six months of a salary and of one fee, in one bank's layout."""
    lines = [header]
    for day in MONTHLY:
        iso = {"iso": day.isoformat(), "us": f"{day:%m/%d/%Y}", "eu": f"{day:%d.%m.%Y}", "uk": f"{day:%d/%m/%Y}"}
        mid = day - timedelta(days=-14)
        iso_mid = {"iso": mid.isoformat(), "us": f"{mid:%m/%d/%Y}", "eu": f"{mid:%d.%m.%Y}", "uk": f"{mid:%d/%m/%Y}"}
        lines.append(row.format(**iso, amount=pay, name="ACME PAYROLL"))
        lines.append(row.format(**iso_mid, amount=amount, name="IRON GYM"))
    return table(*lines, **query)


def export(header: str, pay: str, fee: str, *extra: str, **query: Any) -> BankStatement:
    """Six months of a salary and of one fee, each row as this bank writes it, and rows that count as nothing."""
    lines = [header]
    for number, day in enumerate(MONTHLY):
        for row, on in ((pay, day), (fee, day + timedelta(days=14))):
            lines.append(
                row.format(
                    n=number,
                    iso=f"{on:%Y-%m-%d}",
                    us=f"{on:%m/%d/%Y}",
                    uk=f"{on:%d/%m/%Y}",
                    eu=f"{on:%d.%m.%Y}",
                    eu2=f"{on:%d.%m.%y}",
                    packed=f"{on:%Y%m%d}",
                )
            )
    return table(*lines, *extra, **query)  # fmt: skip


PAID_AND_CHARGED = {
    "pay_dates": 6, "median_pay_gap_days": 31.0, "monthly_income_cents": 250_000, "recurring_merchants": 1,
    "monthly_recurring_cents": 3_000, "top_subscription": "IRON GYM", "monthly_expenses_cents": 3_000,
}  # fmt: skip

FILES: dict[str, tuple[BankStatement, dict[str, Any]]] = {
    "transactions/get with lower-case categories and no channel": (
        plaid(transactions=[*wages(2500), got(1, days_ago(3), 40.0, name="Diner")], total_transactions=7),
        {"pay_dates": 6, "spend_cents": 4_000, "monthly_income_cents": 250_000},
    ),
    "transactions/sync": (
        plaid(
            added=[*wages(2500), got(1, days_ago(3), 40.0), got(2, days_ago(4), 60.0)],
            modified=[got(1, days_ago(3), 45.0)],
            removed=[{"transaction_id": "t2", "account_id": "a"}],
            next_cursor="abc",
            has_more=True,
        ),
        {"spend_cents": 4_500, "transactions": 2},
    ),
    "primary categories alone": (
        plaid(
            transactions=[
                got(1, days_ago(3), 30.0, personal_finance_category={"primary": "FOOD_AND_DRINK"}),
                got(2, days_ago(4), 500.0, personal_finance_category={"primary": "TRANSFER_OUT"}),
                got(3, days_ago(5), -900.0, personal_finance_category={"primary": "INCOME"}),
            ]
        ),
        {"spend_cents": 3_000, "pay_dates": 0},
    ),
    "a currency of no country": (
        plaid(
            transactions=[
                got(1, days_ago(3), 30.0, iso_currency_code="USD"),
                got(2, days_ago(3), 500_000, iso_currency_code=None, unofficial_currency_code="SHIB"),
            ]
        ),
        {"spend_cents": 3_000, "other_currency_transactions": 1},
    ),
    "liabilities/get": (
        plaid(
            accounts=[{**checking(), "account_id": "c", "type": "credit", "subtype": "credit card",
                       "balances": {"current": 600, "limit": 1000, "iso_currency_code": "USD"}}],
            liabilities={
                "credit": [{"account_id": "c", "is_overdue": True, "minimum_payment_amount": 25,
                            "last_statement_balance": 600, "last_statement_issue_date": "2026-11-01"}],
                "student": [{"account_id": "c", "interest_rate_percentage": 5.25}],
            },
        ),
        {"cards": 1, "max_utilization": 0.6, "overdue_cards": 0},  # the last of two rows for one account counts
    ),
    "a sandbox's custom user": (
        from_json(msgspec.json.encode({
            "override_accounts": [{
                "type": "depository", "subtype": "checking", "starting_balance": 900, "currency": "USD",
                "meta": {"name": "Main", "limit": 500},
                "transactions": [
                    {"date_transacted": day.isoformat(), "date_posted": day.isoformat(), "amount": 30,
                     "currency": "USD", "description": "IRON GYM"} for day in MONTHLY[:3]
                ],
            }],
            "seed": "x",
        }), TODAY),
        {"recurring_merchants": 1, "monthly_recurring_cents": 3_000, "checking_balance_cents": 90_000},
    ),
    "names in counterparties and descriptions": (
        plaid(
            transactions=[
                *[got(n, day, 30.0, merchant_name=None, name="X1", counterparties=[{"name": "Iron Gym"}])
                  for n, day in enumerate(MONTHLY[:3])],
                *[got(10 + n, day, 12.0, original_description="MUSIC PLUS 8889123")
                  for n, day in enumerate(MONTHLY[:3])],
            ]
        ),
        {"recurring_merchants": 2, "monthly_recurring_cents": 4_200, "top_subscription": "Iron Gym"},
    ),
    "an American bank: minus is money out": (
        bank("Date,Description,Amount,Running Bal.", '{us},{name},"{amount}",5', "-30.00", "2,500.00"),
        PAID_AND_CHARGED,
    ),
    "a German bank: semicolons, decimal comma": (
        bank("Buchungstag;Verwendungszweck;Betrag;Währung", "{eu};{name};{amount};USD", "-30,00", "2.500,00"),
        PAID_AND_CHARGED,
    ),
    "a British bank: paid in and paid out": (
        bank(
            "Date\tTransaction description\tPaid out\tPaid in", "{uk}\t{name}\t{amount}", "£30.00\t", "\t£2,500.00"
        ),
        {**PAID_AND_CHARGED, "currency": "GBP"},
    ),
    "debits in brackets": (
        bank("Posting Date,Payee,Amount", '{iso},{name},"{amount}"', "($30.00)", "$2500.00"),
        PAID_AND_CHARGED,
    ),
    "an app's export with a type": (
        bank("Date,Description,Amount,Transaction Type,Category", "{us},{name},{amount}", "30.00,debit,Gym",
             "2500.00,credit,Paycheck"),
        PAID_AND_CHARGED,
    ),
    "flat columns in Plaid's signs": (
        bank("date,name,amount,category", "{iso},{name},{amount}", "30.00,Gym", "-2500.00,Payroll"),
        PAID_AND_CHARGED,
    ),
    "an export of Windows-1252 with a preamble": (
        from_csv(
            "\n".join([
                "Kontoauszug Müller", "", "Datum;Text;Betrag",
                *(f"{day:%d.%m.%Y};CAFÉ MÜLLER;-9,00" for day in MONTHLY[:3]),
            ]).encode("cp1252"),
            ImportQuery(account_id="csv"), TODAY,
        ),
        {"recurring_merchants": 1, "top_subscription": "CAFÉ MÜLLER", "monthly_recurring_cents": 900},
    ),
    "an export of UTF-16": (
        from_csv(
            ("Date\tDescription\tAmount\n" + "\n".join(f"{day:%d %b %Y}\tŁódź Radio\t-9.00" for day in MONTHLY[:3])
             ).encode("utf-16"),
            ImportQuery(account_id="csv"), TODAY,
        ),
        {"recurring_merchants": 1, "top_subscription": "Łódź Radio"},
    ),
    "a card's file whose types name payments (as Chase)": (
        export(
            "Transaction Date,Post Date,Description,Category,Type,Amount,Memo",
            "{us},{us},Payment Thank You-Mobile,,Payment,500.00,",
            "{us},{us},IRON GYM,Health & Wellness,Sale,-30.00,",
            account_kind="credit card",
        ),
        {"pay_dates": 0, "monthly_expenses_cents": 3_000, "spend_cents": 3_000, "cards": 1, "cards_unmeasured": 1},
    ),
    "a bank's file whose types are not all known (as Chase)": (
        export(
            "Details,Posting Date,Description,Amount,Type,Balance,Check or Slip #",
            'CREDIT,{us},"ACME PAYROLL PPD ID: 1",2500.00,ACH_CREDIT,9.00,,',
            'DEBIT,{us},"IRON GYM",-30.00,ACH_DEBIT,9.00,,',
        ),
        PAID_AND_CHARGED,
    ),
    "partners, references and the currency in a column's name (as N26)": (
        export(
            '"Booking Date","Value Date","Partner Name","Partner Iban",Type,"Payment Reference","Account Name",'
            '"Amount (EUR)","Original Amount","Original Currency","Exchange Rate"',
            '{iso},{iso},"Acme GmbH",DE99,Credit Transfer,"GEHALT",Main Account,2500.00,,,',
            '{iso},{iso},"IRON GYM",,Presentment,"-",Main Account,-30.00,,,',
        ),
        {**PAID_AND_CHARGED, "currency": "EUR"},
    ),
    "rows that are pending, or came to nothing (as Revolut)": (
        export(
            "Type,Product,Started Date,Completed Date,Description,Amount,Fee,Currency,State,Balance",
            "TOPUP,Current,{iso} 10:00:00,{iso} 11:00:00,Acme payroll,2500.00,0.00,EUR,COMPLETED,1.00",
            "CARD_PAYMENT,Current,{iso} 10:00:00,{iso} 11:00:00,IRON GYM,-30.00,0.00,EUR,COMPLETED,1.00",
            "CARD_PAYMENT,Current,2026-11-20 10:00:00,,Diner,-20.00,0.00,EUR,PENDING,",
            "CARD_PAYMENT,Current,2026-11-10 10:00:00,,Hotel,-900.00,0.00,EUR,REVERTED,",
        ),
        {**PAID_AND_CHARGED, "currency": "EUR", "transactions": 2},
    ),
    "one amount and the two columns beside it (as Monzo)": (
        export(
            "Transaction ID,Date,Time,Type,Name,Emoji,Category,Amount,Currency,Local amount,Local currency,"
            "Notes and #tags,Address,Receipt,Description,Category split,Money Out,Money In",
            "p{n},{uk},10:00:00,Faster payment,Acme,,Salary,2500.00,GBP,2500.00,GBP,,,,ACME,,,2500.00",
            "c{n},{uk},10:00:00,Card payment,IRON GYM,,Gym,-30.00,GBP,-30.00,GBP,,,,IRON GYM,,-30.00,",
        ),
        {**PAID_AND_CHARGED, "currency": "GBP"},
    ),
    "a payer and a payee in two columns (as DKB)": (
        export(
            '"Girokonto";"DE12"\n"Kontostand vom 20.11.2026:";"1.234,56 €"\n""\n'
            '"Buchungsdatum";"Wertstellung";"Status";"Zahlungspflichtige*r";"Zahlungsempfänger*in";"Verwendungszweck";'
            '"Umsatztyp";"IBAN";"Betrag (€)";"Gläubiger-ID"',
            '"{eu2}";"{eu2}";"Gebucht";"ACME GmbH";"ERIKA";"Lohn";"Eingang";"DE98";"2.500,00";""',
            '"{eu2}";"{eu2}";"Gebucht";"ERIKA";"IRON GYM";"Beitrag";"Ausgang";"DE99";"-30,00";""',
            '"20.11.26";"";"Vorgemerkt";"ERIKA";"MARKT";"";"Ausgang";"DE97";"-20";""',
        ),
        {**PAID_AND_CHARGED, "currency": "EUR", "transactions": 2},
    ),
    "a repeated column that says the same (as ING)": (
        export(
            "Umsatzanzeige;Datei erstellt am: 20.11.2026\n\nIBAN;DE12\nSaldo;1.234,56;EUR\n\n"
            "Buchung;Wertstellungsdatum;Auftraggeber/Empfänger;Buchungstext;Verwendungszweck;Saldo;Währung;Betrag;Währung",
            "{eu};{eu};ACME GmbH;Gehalt/Rente;Gehalt;1.000,00;EUR;2.500,00;EUR",
            "{eu};{eu};IRON GYM;Lastschrift;Beitrag;1.000,00;EUR;-30,00;EUR",
        ),
        {**PAID_AND_CHARGED, "currency": "EUR"},
    ),
    "out and in by a Dutch word (as ING)": (
        export(
            '"Datum","Naam / Omschrijving","Rekening","Tegenrekening","Code","Af Bij","Bedrag (EUR)","Mededelingen"',
            '"{packed}","Acme BV","NL12","NL98","OV","Bij","2500,00","Salaris"',
            '"{packed}","IRON GYM","NL12","NL99","IC","Af","30,00","Abonnement"',
        ),
        {**PAID_AND_CHARGED, "currency": "EUR"},
    ),
    "an account's number beside a memo (as Barclays)": (
        export(
            "Number,Date,Account,Amount,Subcategory,Memo",
            ",{uk},20-00-00 12345678,2500.00,Direct Credit,ACME SALARY BGC",
            ",{uk},20-00-00 12345678,-30.00,Direct Debit,IRON GYM",
        ),
        PAID_AND_CHARGED,
    ),
    "a budget's outflow and inflow (as YNAB)": (
        export(
            '"Account","Flag","Date","Payee","Category Group/Category","Category Group","Category","Memo","Outflow",'
            '"Inflow","Cleared"',
            '"Checking","","{us}","Acme","Inflow: Ready to Assign","Inflow","Ready to Assign","payroll",'
            '$0.00,$2500.00,"Cleared"',
            '"Checking","","{us}","IRON GYM","Fun: Gym","Fun","Gym","",$30.00,$0.00,"Reconciled"',
            '"Checking","","11/20/2026","Diner","Fun: Food","Fun","Food","",$20.00,$0.00,"Uncleared"',
        ),
        {**PAID_AND_CHARGED, "transactions": 2},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_and_its_signals(world: World, name: str) -> None:
    statement, expected = FILES[name]
    assert statement.rejections == ()
    person = subject(name)
    profile = ProfileChange(display_name=name, currency=str(expected.get("currency", "USD")))
    world.people.register(person, profile, NOW)
    world.consents.record(person, ConsentRecord(granted=True, policy_version="1", recorded_at=NOW))
    world.ledger.save(person, statement, NOW)
    again = world.ledger.save(person, statement, NOW)
    assert set(again.saved.values()) == {0}
    world.run()
    row = world.features(person, 30)
    assert {signal: getattr(row, signal) for signal in expected} == expected


# -- what was understood, and what was not


def test_the_interpretation_of_a_file_is_reported() -> None:
    german = FILES["a German bank: semicolons, decimal comma"][0].readings
    assert german.columns == {
        "Buchungstag": "date", "Verwendungszweck": "name", "Betrag": "amount", "Währung": "iso_currency_code"
    }  # fmt: skip
    assert {"amounts have a decimal comma", "a negative amount is money out"} <= set(german.notes)
    american = FILES["an American bank: minus is money out"][0].readings
    assert "column 'Running Bal.' is not used" in american.notes
    assert any("day/month" in note or "month/day" in note for note in american.notes)
    assert FILES["an export of Windows-1252 with a preamble"][0].readings.encoding == "Windows-1252"
    odd = table("Date,Description,Amount,Mood", "2026-11-20,Diner,-5.00,good", "2026-11-19,Pay,5.00,good").readings
    assert odd.unknown == ["Mood"]
    assert "there is more" in FILES["transactions/sync"][0].readings.notes[0]


def test_decisions_about_an_export_are_reported() -> None:
    n26, revolut, chase = (next(found.readings for name, (found, _) in FILES.items() if bank in name)
                           for bank in ("N26", "Revolut", "types name payments"))  # fmt: skip
    assert "column 'Account Name' is not used: the rows are those of ?account_id=" in n26.notes
    assert "amounts are in EUR, as their sign or column says (12)" in n26.notes
    assert {"Partner Iban", "Original Amount"} <= set(n26.unknown)
    assert "rows that came to nothing are left out, by the column of states (1)" in revolut.notes
    assert "a negative amount is money out" in chase.notes


def test_an_amount_with_another_currencys_sign_is_foreign() -> None:
    """It was taken for dollars."""
    found = table("Date,Description,Amount", "2026-11-20,Diner,-£5.00", "2026-11-19,Diner,-$5.00")
    assert [row.currency for row in found.transactions] == ["GBP", None]


def test_a_file_of_several_accounts_is_not_made_one() -> None:
    lines = ("Date,Description,Amount,Account", "2026-11-20,Diner,-5.00,Checking", "2026-11-19,Diner,-5.00,Card")
    with pytest.raises(Unprocessable, match="names 2 accounts"):
        table(*lines)
    found = from_csv("\n".join(lines).encode(), ImportQuery(), TODAY)
    assert [row.account for row in found.transactions] == ["Checking", "Card"]


def test_sections_cases_and_envelopes_are_named() -> None:
    found = from_json(msgspec.json.encode({"Transactions": [got(1, days_ago(1), 5)], "budget": [], "item": {}}), TODAY)
    assert (found.readings.unknown, found.readings.notes) == (["budget"], ["'Transactions' is read as transactions"])
    wrapped = from_json(msgspec.json.encode({"data": {"transactions": [got(1, days_ago(1), 5)]}}), TODAY)
    assert wrapped.readings.notes == ["read from the envelope 'data'"]
    streams = plaid(transactions=[], inflow_streams=[{}]).readings.notes
    assert streams == ["inflow_streams is not used: recurring streams are worked out from the transactions"]
    listed = from_json(msgspec.json.encode([got(1, days_ago(1), 5)]), TODAY)
    assert len(listed.transactions) == 1


@pytest.mark.parametrize("document", [{}, {"budget": []}, {"inflow_streams": []}, {"data": {"rows": []}}, {"item": {}}])
def test_a_document_of_which_nothing_is_understood(document: Any) -> None:
    with pytest.raises(Unprocessable):
        from_json(msgspec.json.encode(document), TODAY)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            ("Date,Description,Amount", "03/04/2026,A,-5.00", "05/06/2026,B,5.00"),
            "2026-03-04 as month/day and 2026-04-03",
        ),
        (("Date,Description,Amount", "13/04/2026,A,-5.00", "05/16/2026,B,5.00"), "day/month in some rows"),
        (("Date,Description,Amount", "2026-11-20,A,5.00", "2026-11-19,B,6.00"), "no amount is negative"),
        (
            ("Date,Description,Amount", '2026-11-20,A,"-1,234"', '2026-11-19,B,"5,678"'),
            "in thousands or has three decimals",
        ),
        (("Date,Description,Amount", "2026-11-20,A,-1.50", '2026-11-19,B,"5,6"'), "a decimal point in some rows"),
        (("Date,Amount,Amount", "2026-11-20,-5,6"), "repeats the column 'Amount', with other values"),
        (("Date,Description", "2026-11-20,A"), "no column of amount"),
    ],
)
def test_an_ambiguous_file_is_refused_with_both_readings(lines: tuple[str, ...], said: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        table(*lines)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("lines", "query", "expected"),
    [
        (("Date,Description,Amount", "03/04/2026,A,-5.00", "05/06/2026,B,5.00"), {"dates": "dmy"}, ("2026-04-03", 500)),
        (("Date,Description,Amount", "2026-11-20,A,5.00"), {"amounts": "negative_out"}, ("2026-11-20", -500)),
        (("Date,Description,Amount", "2026-11-20,A,5.00"), {"amounts": "positive_out"}, ("2026-11-20", 500)),
        (("Date,Description,Amount", '2026-11-20,A,"-1,234"'), {"decimals": "point"}, ("2026-11-20", 123_400)),
        (("Date,Description,Amount", '2026-11-20,A,"-1,234"'), {"decimals": "comma"}, ("2026-11-20", 123)),
    ],
)
def test_the_caller_may_say_which(lines: tuple[str, ...], query: dict[str, Any], expected: tuple[str, int]) -> None:
    row = table(*lines, **query).transactions[0]
    assert (row.posted_on.isoformat(), row.amount_cents) == expected


def test_a_file_that_was_decoded_wrongly_is_refused() -> None:
    with pytest.raises(InvalidInput):
        table("Date,Description,Amount", "2026-11-20,CAF\ufffd,-5.00")
    with pytest.raises(InvalidInput):
        from_csv(b"Date,Description,Amount\n2026-11-20,A\x81\x8d,-5.00", ImportQuery(), TODAY)


@pytest.mark.parametrize("amount", ["1e1000000", "1_000", "NaN", "--5", "5 apples"])
def test_one_bad_amount_costs_its_row_alone(amount: str) -> None:
    found = table("transaction_id,account_id,date,amount,payment_channel", f"t,a,2026-11-20,{amount},other",
                  "u,a,2026-11-20,5,other")  # fmt: skip
    assert [row.external_id for row in found.transactions] == ["u"]
    assert [row.field for row in found.rejections] == ["amount"]


@pytest.mark.parametrize(
    ("header", "good", "bad"),
    [
        ("Date,Description,Amount", "2026-11-20,Shop,-5.00", "2026-11-19,Shop,much"),
        ("Date,Description,Debit,Credit", "2026-11-20,Shop,5.00,", "2026-11-19,Pay,,much"),
        ("Date,Description,Amount,Type", "2026-11-20,Shop,5.00,debit", "2026-11-19,Pay,much,credit"),
    ],
)
def test_a_text_that_is_no_amount_is_quoted_as_the_file_has_it(header: str, good: str, bad: str) -> None:
    (left_out,) = table(header, good, bad).rejections
    assert (left_out.line, left_out.field) == (3, "amount")
    assert "'much'" in left_out.problem


def test_a_number_beyond_measure_in_json_costs_its_row_alone() -> None:
    raw = b'{"transactions": [{"account_id": "a", "date": "2026-11-20", "amount": 1e1000000}]}'
    assert [row.field for row in from_json(raw, TODAY).rejections] == ["amount"]


def test_long_and_broken_names_are_put_on_one_line_and_reported() -> None:
    found = plaid(transactions=[got(1, days_ago(1), 5, name="Two\nlines"), got(2, days_ago(1), 5, name="x" * 201)])
    assert [len(row.name) for row in found.transactions] == [9, 200]
    assert found.readings.notes == ["a name was cut at 200 characters (1)", "a name was put on one line (1)"]


def test_an_unknown_category_is_reported() -> None:
    found = table("date,name,amount,category", "2026-11-20,Diner,-5.00,Mystery", "2026-11-19,Pay,5.00,Paycheck")
    assert "category 'Mystery' is not known (1)" in found.readings.notes
    assert found.transactions[0].category.detailed == "OTHER_OTHER"


def test_microsoft_365_is_not_microsoft(world: World) -> None:
    given = [transaction(day, 10.0, "ENTERTAINMENT", merchant="Microsoft 365") for day in (5, 35, 65)]
    person = world.add(
        "office", rows([account()], [*given, transaction(9, 400.0, "ENTERTAINMENT", merchant="Microsoft")])
    )
    world.run()
    assert world.features(person, 90).top_subscription == "Microsoft 365"


def test_a_pending_row_replayed_after_it_posted_is_not_taken_again(world: World) -> None:
    pending = got(1, days_ago(2), 5, pending=True)
    posted = got(2, days_ago(1), 5.5, pending_transaction_id="t1")
    person = world.add("patient", rows())
    for document in ({"added": [pending]}, {"added": [posted]}, {"added": [pending]}):
        imported = world.ledger.save(person, plaid(**document), NOW)
    assert (imported.saved["transactions"], imported.unchanged["transactions"]) == (0, 1)
    page = PostgresRecords(world.database).transactions(person, TransactionsQuery(), None) or []
    assert [row.transaction_id for _, row in page] == ["t2"]


def test_a_dry_run_reports_the_outcome_and_stores_nothing(world: World) -> None:
    person = world.add("careful", rows())
    tried = world.ledger.save(person, FILES["debits in brackets"][0], NOW, keep=False)
    assert (tried.dry_run, tried.saved["accounts"], tried.saved["transactions"]) == (True, 1, 12)
    assert PostgresRecords(world.database).accounts(person) == []
    taken = world.ledger.save(person, FILES["debits in brackets"][0], NOW)
    assert taken.saved == tried.saved


def test_a_file_without_an_account_needs_one(world: World) -> None:
    person = world.add("nowhere", rows())
    csv = b"Date,Description,Amount\n2026-11-20,Diner,-5.00\n2026-11-19,Pay,9.00\n"
    refused = from_csv(csv, ImportQuery(), TODAY)
    assert {(row.line, row.field) for row in refused.rejections} == {(2, "account_id"), (3, "account_id")}
    query = ImportQuery(account_id="card", account_kind="credit card")
    imported = world.ledger.save(person, from_csv(csv, query, TODAY), NOW)
    assert (imported.saved["accounts"], imported.unchanged["accounts"]) == (1, 0)
    (made,) = PostgresRecords(world.database).accounts(person) or []
    assert (made.account_id, made.type, made.currency) == ("card", "credit", "USD")

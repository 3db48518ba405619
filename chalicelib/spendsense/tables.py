"""CSV files of banks and their users, as rows of Plaid's fields.

The file's content decides its encoding, its separator, the order of day and month, the decimal sign, and whether minus
is money out. Ambiguous files are refused with both interpretations, never guessed; decisions are reported.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from itertools import islice, zip_longest
from typing import Any

import msgspec
from msgspec import Struct, field

from chalicelib.errors import InvalidInput, TooLarge, Unprocessable
from chalicelib.spendsense.fields import remembered
from chalicelib.spendsense.models import ImportQuery, Readings
from chalicelib.spendsense.taxonomy import packaged_taxonomy

BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
OTHER_FORMATS = {
    b"PK\x03\x04": "a workbook or an archive",
    b"\xd0\xcf\x11\xe0": "a workbook",
    b"%PDF": "a PDF document",
    b"OFXHEADER": "OFX",
    b"!": "QIF",
    b":20:": "MT940",
    b"<": "XML or HTML",
}
"""What a bank offers beside CSV, by its first bytes."""
SEPARATORS = ",;\t|"
PREAMBLE = 20
"""Lines that may stand above the header: the bank's name, the account, the period."""
MAX_TABLE_COLUMNS = 256
MAX_FILE_ROWS = 250_000
VOTERS = 2_000
"""Rows whose words say what a minus means, or whose content says what a column is: more would say the same."""

_ISO = re.compile(r"(\d{4})[-/.]?(\d{2})[-/.]?(\d{2})(?:[T ].*)?")
_THREE = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?: .*)?")
_WORDED = ("%d %b %Y", "%b %d, %Y", "%b %d %Y", "%d-%b-%Y", "%d-%b-%y", "%d %b %y", "%d %B %Y", "%B %d, %Y")
_SAME_SIGNS = str.maketrans("\u2212\u2013\u2019", "--'")
_NUMBER = re.compile(r"[-+]?\(?[\d.,' \u00a0\u202f]*\d[\d.,]*\)?[-+]?")
_ISO_CODES = (
    "AUD|BGN|BRL|CAD|CHF|CNY|CZK|DKK|EUR|GBP|HKD|HUF|ILS|INR|JPY|KRW|MXN|NOK|NZD|PLN|RON|SEK|SGD|THB|TRY|USD|ZAR"
)
_SIGNS = re.compile(rf"R?\$|[€£¥₹]|(?<![a-z])(?:{_ISO_CODES}|cr|dr|kr|zł)(?![a-z])\.?", re.I)
_CODES = {"€": "EUR", "£": "GBP", "₹": "INR", "zł": "PLN", "R$": "BRL"}
_CURRENCY = re.compile(rf"{'|'.join(map(re.escape, _CODES))}|(?<![A-Z])(?:{_ISO_CODES})(?![A-Z])")
_MARK = re.compile(r"(?<![a-z])([cd])r(?![a-z])", re.I)
_IN_BRACKETS = re.compile(r"\s*\(([A-Z]{3}|€|£|\$)\)$")
"""The currency of a column, at the end of its name: "Amount (EUR)"."""


class ColumnNames(Struct, frozen=True):
    """Names of columns in lower case: our field -> the names that exports give it, the best first; those that nothing
    needs; those that Plaid alone uses; and the words for the states of a row, and for money out and in.
    """

    fields: dict[str, tuple[str, ...]]
    unused: frozenset[str]
    plaids: frozenset[str]
    states: dict[str, frozenset[str]]
    out: frozenset[str]
    into: frozenset[str] = field(name="in")


@cache
def packaged_columns() -> ColumnNames:
    """The declared names of columns."""
    text = (files("chalicelib.spendsense.declared") / "columns.json").read_bytes()
    return msgspec.json.decode(text, type=ColumnNames)


def decoded(raw: bytes) -> tuple[str, str]:
    """The text of a file and its encoding; Unprocessable for one whose bytes are of none that we know."""
    encoding = next((name for mark, name in BOMS if raw.startswith(mark)), None)
    for name in (encoding,) if encoding else ("utf-8", "cp1252"):
        try:
            text = raw.decode(name)
        except UnicodeDecodeError:
            continue
        if "\ufffd" in text:
            raise Unprocessable.of(
                "body",
                "has replacement characters: something decoded it wrongly before",
                "the file as the bank made it",
            )
        if "\x00" not in text:
            return text, {"utf-8-sig": "UTF-8", "utf-8": "UTF-8", "cp1252": "Windows-1252"}.get(name, "UTF-16")
    raise Unprocessable.of("body", "is neither UTF-8, UTF-16 nor Windows-1252", "a text file in one of these")


def rows_of_table(raw: bytes, query: ImportQuery) -> tuple[list[tuple[int, dict[Any, Any]]], Readings]:
    """A file's rows, each with its line, under Plaid's names and in Plaid's notation.

    Unprocessable if it is no table, has no header that we know, or can be read in two ways.
    """
    start = raw.lstrip()
    if other := next((kind for mark, kind in OTHER_FORMATS.items() if start.startswith(mark)), None):
        raise Unprocessable.of("body", f"is {other}", "the same transactions as CSV, or Plaid's JSON")
    text, encoding = decoded(raw)
    readings = Readings(format="CSV", encoding=encoding)
    lines = list(_lines(text))
    at, names = _header(lines, query.section)
    if query.section != "transactions":
        readings.columns = {name: name for name in names}
        return [(number, _named(names, cells)) for number, cells in lines[at + 1 :]], readings
    if at < 0:
        found = ", ".join(f"column {names.index(name) + 1} is the {name}" for name in ("date", "amount", "description"))
        readings.notes.append(f"the file has no header: by its content, {found}")
    fields = _fields(names, readings)
    ours = [fields.get(_plain(name), f"? {name}") for name in names]
    rows = [(number, _named(ours, cells)) for number, cells in lines[at + 1 :]]
    rows = _without_void(rows, readings)
    plain = [row for _, row in rows if None not in row]
    _read_accounts(plain, query, readings)
    _read_currencies(plain, names, readings)
    spare_days = [f"? {name}" for name in names if _plain(name) in packaged_columns().fields["date"]]
    for row in plain:  # as where a row that is pending has the day on which it began, and no other
        if not row.get("date"):
            row["date"] = next((row[name] for name in spare_days if row.get(name)), None)
    _read_dates(plain, query, readings)
    _read_amounts(plain, query, readings, is_plaid=bool(packaged_columns().plaids & {_plain(name) for name in names}))
    for row in plain:
        if (state := _state(row)) is not None:
            row["pending"] = str(state == "pending").lower()
        if (payer := row.pop("payer", None)) and (row.get("amount") or "").startswith("-"):
            row["name"] = payer
    return rows, readings


def _state(row: Mapping[Any, Any]) -> str | None:
    """The state that a row's text means: pending, posted or void."""
    return _state_of(word) if (word := row.get("pending")) else None


@remembered
def _state_of(word: str) -> str | None:
    return next((state for state, words in packaged_columns().states.items() if word.lower() in words), None)


def _without_void(rows: list[tuple[int, dict[Any, Any]]], readings: Readings) -> list[tuple[int, dict[Any, Any]]]:
    """The rows but those that the bank says came to nothing."""
    left = [(number, row) for number, row in rows if _state(row) != "void"]
    if len(left) < len(rows):
        readings.notes.append(
            f"rows that came to nothing are left out, by the column of states ({len(rows) - len(left)})"
        )
    return left


def _read_accounts(rows: Sequence[dict[Any, Any]], query: ImportQuery, readings: Readings) -> None:
    """Let the caller's account hold over a bank's own name for it; Unprocessable where the file has several."""
    column = next((name for name, ours in readings.columns.items() if ours == "account_id"), None)
    if query.account_id is None or column is None or _plain(column) == "account id":
        return
    named = {row["account_id"] for row in rows if row.get("account_id")}
    if len(named) > 1:
        shown = ", ".join(sorted(named)[:3])
        raise Unprocessable.of(
            column, f"names {len(named)} accounts ({shown}...)", "the rows of one, or no ?account_id="
        )
    readings.notes.append(f"column {column!r} is not used: the rows are those of ?account_id=")
    for row in rows:
        row["account_id"] = None


def _read_currencies(rows: Sequence[dict[Any, Any]], names: Sequence[str], readings: Readings) -> None:
    """Give rows without a currency that of the sign in their amount, or of the name of its column."""
    amounts = {name for name, ours in readings.columns.items() if ours in ("amount", "debit", "credit")}
    said = {found[1] for name in names if name in amounts and (found := _IN_BRACKETS.search(name)) and found[1] != "$"}
    column = _CODES.get(mark := said.pop(), mark) if len(said) == 1 else None
    told = Counter[str]()
    for row in rows:
        texts = " ".join(row.get(name) or "" for name in ("amount", "debit", "credit"))
        sign = _CURRENCY.search(texts)
        code = _CODES.get(sign[0], sign[0]) if sign else column
        if code and not row.get("iso_currency_code"):
            row["iso_currency_code"] = code
            told[code] += 1
    readings.notes += [f"amounts are in {code}, as their sign or column says ({times})" for code, times in told.items()]


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each record that is not empty, with the line on which it ends."""
    sample = [line for line in islice(io.StringIO(text), PREAMBLE) if line.strip()]
    counts = {mark: max((line.count(mark) for line in sample), default=0) for mark in SEPARATORS}
    separator = max(SEPARATORS, key=lambda mark: counts[mark])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    taken = 0
    try:
        for cells in reader:
            if len(cells) > MAX_TABLE_COLUMNS:
                raise TooLarge.of(
                    f"line {reader.line_num}", f"has {len(cells)} columns", f"at most {MAX_TABLE_COLUMNS}"
                )
            if "".join(cells).strip():
                taken += 1
                if taken > MAX_FILE_ROWS + PREAMBLE:
                    raise TooLarge.of("body", f"has more than {MAX_FILE_ROWS} rows", "fewer rows in one file")
                yield reader.line_num, cells
    except csv.Error as error:
        raise Unprocessable.of(f"line {reader.line_num}", f"is not CSV ({error})", "CSV as in RFC 4180") from None


def _header(lines: Sequence[tuple[int, list[str]]], section: str) -> tuple[int, list[str]]:
    """The position of the header, and its names."""
    known = {name for names in packaged_columns().fields.values() for name in names}
    for at, (number, cells) in enumerate(lines[:PREAMBLE]):
        names = [cell.strip() for cell in cells]
        plain = [_plain(name) for name in names]
        found = len(known & set(plain)) >= 2 if section == "transactions" else "account id" in plain
        if found:
            for place, name in enumerate(plain):
                if name and (first := plain.index(name)) < place:
                    if any(row[first : first + 1] != row[place : place + 1] for _, row in lines[at + 1 :]):
                        problem = f"repeats the column {names[place]!r}, with other values"
                        raise Unprocessable.of(f"line {number}", problem, "each column once")
                    names[place] = ""  # it says the same in every row
            return at, names
    if section == "transactions":
        if proven := _proven_names([cells for _, cells in lines[:VOTERS]]):
            return -1, proven
        raise Unprocessable.of(
            "header", "has no two columns that we know", "a line that names a date, an amount and a description"
        )
    raise Unprocessable.of("line 1", "has no account_id", "a header of Plaid's field names")


def _proven_names(rows: Sequence[Sequence[str]]) -> list[str]:
    """The names of columns without a header, if one column alone has days and one alone has amounts; else none.

    An amount has a sign or decimals in some row, unlike a check's number. The longest texts are the descriptions.
    """
    columns = [[cell.strip() for cell in column if cell.strip()] for column in zip_longest(*rows, fillvalue="")]
    days = [at for at, cells in enumerate(columns) if cells and all(map(_is_day, cells))]
    amounts = [
        at
        for at, cells in enumerate(columns)
        if cells and at not in days and all(_NUMBER.fullmatch(_bare(cell)) for cell in cells)
        if any(re.search(r"^-|[.,]\d\d?$", _bare(cell)) for cell in cells)
    ]
    texts = [at for at, cells in enumerate(columns) if cells and at not in days and at not in amounts]
    if len(days) != 1 or len(amounts) != 1 or not texts:
        return []
    longest = max(texts, key=lambda at: sum(map(len, columns[at])))
    named = {days[0]: "date", amounts[0]: "amount", longest: "description"}
    return [named.get(at, f"column {at + 1}") for at in range(len(columns))]


def _is_day(text: str) -> bool:
    return any(re.fullmatch(r"\d{4}-\d\d-\d\d", _iso(text, order) or "") for order in ("dmy", "mdy"))


def _fields(names: Sequence[str], readings: Readings) -> dict[str, str]:
    """Which of our fields each column is, by its plain name; of several for one field the best is taken.

    The others, and those that are not known, are told.
    """
    plain = {_plain(name): name for name in names if name}
    found: dict[str, str] = {}
    spare: dict[str, str] = {}
    for ours, theirs in packaged_columns().fields.items():
        best, *others = [name for name in theirs if name in plain and name not in found] or [""]
        if best:
            found[best] = ours
            spare |= dict.fromkeys(others, f": {plain[best]!r} says the same")
    spare |= {name: "" for name in plain if name in packaged_columns().unused}
    readings.notes += [f"column {plain[name]!r} is not used{why}" for name, why in spare.items() if name not in found]
    readings.columns = {plain[name]: ours for name, ours in found.items()}
    readings.unknown = [name for short, name in plain.items() if short not in found and short not in spare]
    if "date" not in found.values() or not {"amount", "debit", "credit"} & set(found.values()):
        missing = "date" if "date" not in found.values() else "amount"
        raise Unprocessable.of("header", f"has no column of {missing}", "a date, an amount and a description")
    return found


def _named(names: Sequence[str], cells: Sequence[str]) -> dict[Any, Any]:
    """A row by its columns; under None what is beyond them."""
    row: dict[Any, Any] = {name: cell.strip() or None for name, cell in zip(names, cells, strict=False)}
    if len(cells) > len(names) and (beyond := [cell for cell in cells[len(names) :] if cell.strip()]):
        row[None] = beyond
    return row


def _plain(name: str) -> str:
    return " ".join(re.findall(r"\w+", _IN_BRACKETS.sub("", name).lower().replace("_", " ")))


# -- days


def _read_dates(rows: Sequence[dict[Any, Any]], query: ImportQuery, readings: Readings) -> None:
    """Write each row's day as YYYY-MM-DD; what is no day stays as it is, and costs its row."""
    slashed = [match for row in rows if (match := _THREE.fullmatch(row.get("date") or "")) and match[2] != "."]
    order = query.dates or _proven_order(slashed)
    if slashed:
        readings.notes.append(f"dates are read as {'day/month' if order == 'dmy' else 'month/day'}")
    for row in rows:
        row["date"] = _iso(row.get("date"), order)


def _proven_order(slashed: Sequence[re.Match[str]]) -> str:
    if not slashed:
        return "dmy"
    day_first = any(int(match[1]) > 12 for match in slashed)
    month_first = any(int(match[3]) > 12 for match in slashed)
    if day_first != month_first:
        return "dmy" if day_first else "mdy"
    shown = slashed[0][0]
    if day_first:
        raise Unprocessable.of(
            "date", "is day/month in some rows and month/day in others", "one order in the whole file"
        )
    raise Unprocessable.of(
        "date",
        f"is ambiguous: {shown} is {_iso(shown, 'mdy')} as month/day and {_iso(shown, 'dmy')} as day/month",
        "?dates=mdy or ?dates=dmy",
    )


@remembered
def _iso(text: str | None, order: str) -> str | None:
    if text is None:
        return None
    try:
        if match := _ISO.fullmatch(text):
            return date(int(match[1]), int(match[2]), int(match[3])).isoformat()
        if match := _THREE.fullmatch(text):
            first, second, year = int(match[1]), int(match[3]), int(match[4])
            day, month = (first, second) if order == "dmy" or match[2] == "." else (second, first)
            return date(year + 2000 if year < 100 else year, month, day).isoformat()
    except ValueError:
        return text
    for pattern in _WORDED:
        try:
            return datetime.strptime(text, pattern).date().isoformat()  # a day, in no time zone
        except ValueError:
            continue
    return text


# -- amounts


def _read_amounts(rows: Sequence[dict[Any, Any]], query: ImportQuery, readings: Readings, *, is_plaid: bool) -> None:
    """Write each row's amount as Plaid does: a point before the decimals, positive where money goes out."""
    found = (_MARK.search(row.get("amount") or "") for row in rows)
    marks = [mark[1].lower() if mark else None for mark in found]
    texts = dict.fromkeys(row[name] for row in rows for name in ("amount", "debit", "credit") if row.get(name))
    decimal = _proven_decimal([text for text in texts if _NUMBER.fullmatch(_bare(text))], query)
    if decimal == ",":
        readings.notes.append("amounts have a decimal comma")
    for row in rows:
        for name in ("amount", "debit", "credit"):
            row[name] = _number(row.get(name), decimal)
    if any(row.get("debit") is not None or row.get("credit") is not None for row in rows):
        readings.notes.append("amounts are in columns of debit and credit")
        for row in rows:
            row["amount"] = _one_of_two(row.pop("debit", None), row.pop("credit", None))
        return
    if any(marks):
        readings.notes.append("CR marks money in, DR money out; rows without a mark are the opposite of the others")
        for row, mark in zip(rows, marks, strict=True):
            if row.get("amount") is not None:
                row["amount"] = _directed(row["amount"], money_in=mark == "c" if mark else "c" not in marks)
        return
    directions = {(row.get("direction") or "").strip().lower() for row in rows}
    known = packaged_columns()
    signed = any((row.get("amount") or "").startswith("-") for row in rows)
    if not signed and directions and directions <= known.out | known.into and directions & known.out:
        readings.notes.append("a column says which amounts are debits and which credits")
        for row in rows:
            if row.get("amount") is not None:
                row["amount"] = _directed(row["amount"], money_in=row["direction"].strip().lower() in known.into)
        return
    if not is_plaid and _minus_is_out(rows, query):
        readings.notes.append("a negative amount is money out")
        for row in rows:
            if row.get("amount") is not None:
                row["amount"] = _negated(row["amount"])
    else:
        readings.notes.append("a positive amount is money out")


def _proven_decimal(texts: Sequence[str], query: ImportQuery) -> str:
    """The decimal sign that the amounts prove; the point where no amount has either sign."""
    if query.decimals:
        return "," if query.decimals == "comma" else "."
    proven, open_to_both = set(), None
    for text in texts:
        point, comma = text.rfind("."), text.rfind(",")
        if point >= 0 and comma >= 0:
            proven.add("." if point > comma else ",")
            continue
        mark = "." if point >= 0 else "," if comma >= 0 else ""
        after = len(re.sub(r"\D", "", text[max(point, comma) + 1 :])) if mark else 0
        if mark and text.count(mark) > 1:
            proven.add("," if mark == "." else ".")
        elif mark and after != 3:
            proven.add(mark)
        elif mark:
            open_to_both = text
    if len(proven) > 1:
        raise Unprocessable.of(
            "amount", "has a decimal point in some rows and a comma in others", "one decimal sign in the whole file"
        )
    if not proven and open_to_both:
        raise Unprocessable.of(
            "amount", f"is ambiguous: {open_to_both} is in thousands or has three decimals", "?decimals=point or comma"
        )
    return proven.pop() if proven else "."


def _bare(text: str) -> str:
    """An amount without its currency, with one kind of minus and apostrophe."""
    return _SIGNS.sub("", text.translate(_SAME_SIGNS)).strip()


@remembered
def _number(text: str | None, decimal: str) -> str | None:
    """An amount with a point and no other sign but a minus in front; what is no amount stays as it is."""
    if text is None:
        return None
    bare = _bare(text)
    if not _NUMBER.fullmatch(bare):
        return text
    negative = "-" in bare or bare.startswith("(")
    digits = re.sub(r"[^\d.,]", "", bare).replace("," if decimal == "." else ".", "").replace(decimal, ".")
    return f"-{digits}" if negative else digits


def _negated(amount: str) -> str:
    """What `_number` returned, with the other sign; what is no amount stays as it is."""
    if not re.fullmatch(r"-?[\d.]+", amount):
        return amount
    return amount[1:] if amount.startswith("-") else f"-{amount}"


def _directed(amount: str, *, money_in: bool) -> str:
    """What `_number` returned, with the sign of its direction, whatever sign it had."""
    bare = amount.lstrip("-")
    return _negated(bare) if money_in else bare


def _one_of_two(out: str | None, money_in: str | None) -> str | None:
    """The amount of a row with a debit and a credit, of which one is empty or zero."""

    def said(text: str | None) -> bool:
        return text is not None and bool(text.strip("-0."))

    if said(out) and said(money_in):
        return f"{out} and {money_in}"
    if said(money_in):
        return _directed(str(money_in), money_in=True)
    return _directed(out, money_in=False) if out is not None else money_in


def _minus_is_out(rows: Sequence[Mapping[Any, Any]], query: ImportQuery) -> bool:
    """Does the file write money out with a minus? By what its words say of rows, else by what it has more of."""
    if query.amounts:
        return query.amounts == "negative_out"
    amounts = [(str(row["amount"]), row) for row in rows if row.get("amount") is not None]
    minus = [text for text, _ in amounts if text.startswith("-")]
    if amounts and not minus:
        raise Unprocessable.of(
            "amount",
            "is ambiguous: no amount is negative, so all of them may be money in or money out",
            "?amounts=positive_out or ?amounts=negative_out",
        )
    votes, known = Counter[bool](), packaged_columns()
    for text, row in amounts[:: 1 + len(amounts) // VOTERS]:
        direction = (row.get("direction") or "").strip().lower()
        called = f"{row.get('name')} {row.get('merchant_name')} {row.get('original_description')}"
        if direction in known.into or direction in known.out:
            money_in: bool | None = direction in known.into
        else:
            money_in = packaged_taxonomy().says_money_in(row.get("category") or "", called)
        if money_in is not None:
            votes[text.startswith("-") != money_in] += 1
    if votes:
        return votes[True] >= votes[False]
    return 2 * len(minus) >= len(amounts)


def unknown_kind(kind: str) -> InvalidInput:
    """The error for a body of a type that is not read."""
    return InvalidInput.of("Content-Type", f"is {kind!r}", "application/json or text/csv")

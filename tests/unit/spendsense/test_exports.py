"""Exports as CSV, which people open in spreadsheets: what a bank or a shop wrote is text there, never a formula."""

import csv
import io

import pytest

from chalicelib.spendsense.exports import as_csv

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1", "＝1+1", "＋1", "－1", "＠SUM(A1)"]


@pytest.mark.parametrize("text", [*FORMULAS, '=cmd|" /C calc"!A0', '=HYPERLINK("https://evil.example";"a")'])
def test_a_text_is_no_formula(text: str) -> None:
    (row,) = csv.DictReader(io.StringIO(as_csv([{"name": text}]), newline=""))
    assert row["name"] == f"'{text}"


@pytest.mark.parametrize("text", ["Shop", "1", "a=b", "", "a,b", 'a "quoted" text', "two\nlines"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    (row,) = csv.DictReader(io.StringIO(as_csv([{"name": text, "of": "x"}]), newline=""))
    assert row["name"] == text


def test_a_list_cannot_begin_a_cell_with_a_formula() -> None:
    assert as_csv([{"names": ["=1+1"]}]).splitlines()[1].startswith('"[')

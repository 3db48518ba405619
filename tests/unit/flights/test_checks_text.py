"""Text columns tested as whole buffers, against one value at a time."""

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.flights.checks import text

WORDS = (
    st.none() | st.text(st.sampled_from("09afg/:`AZ[@ \x00é"), max_size=10) | st.text("0123456789abcdef", max_size=7)
)
TYPES = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]


def columns(words: list[str | None], type_: pa.DataType) -> pa.Array:
    """The words as a slice out of the middle, as Arrow hands out batches."""
    return text.normal(pa.array(["000000", *words, "X"], pa.string()).cast(type_).slice(1, len(words)))


@given(st.lists(WORDS, max_size=30), st.sampled_from(TYPES))
def test_addresses_are_numbers(words: list[str | None], type_: pa.DataType) -> None:
    expected = [
        text.NULL if word is None else int(word, 16) if re.fullmatch("[0-9a-f]{6}", word) else text.MALFORMED
        for word in words
    ]
    assert text.addresses(columns(words, type_)).tolist() == expected


@pytest.mark.parametrize("byte", range(128))
def test_no_other_character_passes_for_a_hexadecimal_digit(byte: int) -> None:
    column = pa.array(["12345" + chr(byte), "abcdef"])
    assert (text.addresses(column)[0] >= 0) == (chr(byte) in "0123456789abcdef")
    assert text.addresses(column)[1] == 0xABCDEF


@given(st.lists(WORDS, max_size=30), st.sampled_from(TYPES))
def test_callsigns_are_told_by_their_shape(words: list[str | None], type_: pa.DataType) -> None:
    found = text.misshapen_callsigns(columns(words, type_))
    expected = [word is not None and not re.fullmatch("(?!0+$)[A-Z0-9]{1,8}", word.strip(" ")) for word in words]
    assert (np.zeros(len(words), bool) if found is None else found).tolist() == expected


@given(st.lists(WORDS, max_size=30), st.sampled_from(TYPES))
def test_unlisted_words(words: list[str | None], type_: pa.DataType) -> None:
    found = text.unlisted(columns(words, type_), frozenset({"0", "a", "é"}))
    expected = [word not in {"0", "a", "é"} for word in words]
    assert (np.zeros(len(words), bool) if found is None else found).tolist() == expected


@given(st.lists(WORDS, max_size=30), st.sampled_from(TYPES))
def test_ordinals_and_reading_back(words: list[str | None], type_: pa.DataType) -> None:
    column = columns(words, type_)
    assert text.ordinals(column, ("f", "a")).tolist() == [{"f": 0, "a": 1}.get(word or "", 2) for word in words]
    assert [text.readable(column, row) for row in range(len(words))] == words


def test_bytes_that_are_no_text_are_shown_and_not_choked_on() -> None:
    raw = pa.array([b"\xff\xfe1234", b"abcdef"], pa.binary()).view(pa.string())
    assert text.readable(raw, 0) == "\\xff\\xfe1234"
    assert text.readable_at(raw, np.array([0])) == ["\\xff\\xfe1234"]
    assert text.addresses(raw).tolist() == [text.MALFORMED, 0xABCDEF]
    assert text.unlisted(raw, frozenset({"abcdef"})).tolist() == [True, False]  # type: ignore[union-attr]
    assert text.misshapen_callsigns(raw).tolist() == [True, True]  # type: ignore[union-attr]

"""DynamoDB's attributes, as boto3's own serializer writes and reads them."""

from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.adapters.dynamodb import from_item, to_item
from tests.properties import examples

SIZES = st.floats(1e-100, 1e100)
LEAVES = (
    st.text() | st.integers(-(10**37), 10**37) | st.booleans() | st.binary() | SIZES | SIZES.map(lambda size: -size)
)
NAMES = st.text(max_size=8)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner | st.none(), max_size=5) | st.dictionaries(NAMES, inner, max_size=5)
)
ITEMS = st.dictionaries(NAMES, VALUES, max_size=8)


@examples(50)
@given(ITEMS)
def test_what_is_written_is_read(item: dict[str, Any]) -> None:
    assert from_item(to_item(item)) == item


@examples(50)
@given(ITEMS)
def test_boto3_reads_what_we_write_and_we_what_it_writes(item: dict[str, Any]) -> None:
    theirs = {name: TypeDeserializer().deserialize(attribute) for name, attribute in to_item(item).items()}
    assert from_item({name: TypeSerializer().serialize(value) for name, value in theirs.items()}) == item


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1j])
def test_what_dynamodb_does_not_know_is_refused(number: complex) -> None:
    with pytest.raises(TypeError, match="DynamoDB has no attribute for"):
        to_item({"number": number})

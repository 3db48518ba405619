"""Scoring a block: the fast way gives what the plain way gives, and the caller's bytes pass through."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.errors import InvalidInput, Unprocessable
from chalicelib.predictions.columns import NewColumn, csv_field, csv_values
from chalicelib.predictions.features import Columns, FeatureRows, numbers_in_place, rows_by_arrow, rows_plainly
from chalicelib.predictions.inputs import matrix_of
from chalicelib.predictions.models import ModelFeature
from chalicelib.predictions.scoring import Scorer


def columns(*, missing_allowed=True):
    features = (ModelFeature("b", missing=missing_allowed), ModelFeature("a", missing=missing_allowed))
    return Columns(("a", "name", "b"), (2, 0), features)


COLUMNS = columns()


def added(matrix):
    """Two columns: one of numbers that shows the features' order, one of words."""
    with np.errstate(all="ignore"):
        numbers = np.nan_to_num(matrix[:, 0] * 3 - matrix[:, 1])
    return [NewColumn("p", numbers), NewColumn("word", np.where(numbers > 1, "=high, or so", "low"))]


def scorer(*, missing_allowed=True):
    return Scorer(columns(missing_allowed=missing_allowed), added)


def read(how, block):
    """What a reader finds: the features and where the records end, or its refusal."""
    try:
        rows = how(block, COLUMNS, 0)
    except InvalidInput as refused:
        return refused.message
    if rows is None:
        return None
    return [[np.nan if it is None else it for it in array.to_pylist()] for array in rows.arrays], rows.ends.tolist()


def by_line(block, rows: FeatureRows):
    """What the block becomes, line by line."""
    matrix = matrix_of(rows.arrays, COLUMNS.features, 0)
    suffixes = iter(zip(*(csv_values(column.values).to_pylist() for column in added(matrix)), strict=True))
    out, start = b"", 0
    for end in rows.ends.tolist():
        out += block[start:end] + ("," + ",".join(next(suffixes))).encode()
        start = end
    return out + block[start:]


NUMBER = st.one_of(
    st.floats(allow_nan=True).map(repr),
    st.integers(-(2**70), 2**70).map(str),
    st.sampled_from(["", "NA", " 1 ", "\t2", "+3", ".5", "5.", "1e5", "-0", "1E-3", "nan", "NULL", "infinity", "-inf"]),
    st.sampled_from(["x", "1_0", "0x1", "1e", "--1", "1 2", "True", "٣", "1\x00", "nan(1)", "+inf", "+nan", "1e999"]),
)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters='\r\n",'), max_size=5)
RAW = st.one_of(TEXT.map(str.encode), st.binary(max_size=4).map(lambda raw: raw.translate(None, b'\r\n",')))
ENDS = st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\n\n", b"\r"])


@st.composite
def blocks(draw):
    """CSV as it comes: numbers good and odd, quoted or not, lines that end in any way, ragged now and then."""
    out = b""
    for _ in range(draw(st.integers(1, 6))):
        fields = [draw(NUMBER).encode(), draw(RAW), draw(NUMBER).encode()]
        if draw(st.integers(0, 9)) == 0:
            fields.append(b"1")
        marks = [draw(st.booleans()) and draw(st.booleans()) for _ in fields]
        fields = [
            b'"' + (field + b'\n""' * (place == 1)) + b'"' if mark else field
            for place, (field, mark) in enumerate(zip(fields, marks, strict=True))
        ]
        out += b",".join(fields) + draw(ENDS)
    return out.rstrip(b"\r\n") if draw(st.booleans()) and out.rstrip(b"\r\n") else out


@given(blocks())
@example(b"1,x,2\n\n3,y,4\n")
@example(b'1,"x\r\n",2\r\n3,y,4')
@example(b"1,x\ry,2\n")
def test_the_fast_way_gives_what_the_plain_way_gives(block):
    fast, plain = read(rows_by_arrow, block), read(rows_plainly, block)
    if fast is None:
        return
    np.testing.assert_equal(fast, plain)
    if isinstance(fast, tuple) and fast[1] and not np.isinf(fast[0]).any():
        rows = rows_plainly(block, COLUMNS, 0)
        assert scorer().score(block, 0)[0] == by_line(block, rows)


@given(blocks(), st.sampled_from([("a", "name", "b"), ("a", "b"), ("a",)]))
@example(b"1,x,2\n,y,\n", ("a", "name", "b"))
@example(b"1\n2,3\n", ("a", "name", "b"))
@example(b"1,x,2,3,y,4\n", ("a", "name", "b"))
@example(b"1\n\n2\n", ("a",))
@example(b"1,x\n2,3,y\n4,5\n6\n", ("a", "name", "b"))
def test_numbers_in_place_are_those_of_the_plain_way(block, names):
    wanted = tuple(names.index(name) for name in ("b", "a") if name in names)
    known = Columns(names, wanted, tuple(ModelFeature(names[place], missing=True) for place in wanted))
    found = numbers_in_place(block, known)
    if found is not None:
        plain = rows_plainly(block, known, 0)
        numbers = [array.to_numpy(zero_copy_only=False) for array in plain.arrays]
        np.testing.assert_array_equal(found.arrays, np.column_stack(numbers))
        np.testing.assert_array_equal(found.ends, plain.ends)


@given(st.lists(st.tuples(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9)), min_size=1))
def test_plain_numbers_are_read_in_place(rows):
    block = "".join(f"{a!r},x,{b!r}\n" for a, b in rows).encode()
    np.testing.assert_array_equal(numbers_in_place(block, COLUMNS).arrays, [(b, a) for a, b in rows])
    assert scorer().score(block, 0)[0] == by_line(block, rows_plainly(block, COLUMNS, 0))


@given(st.lists(st.tuples(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9)), min_size=1), st.sampled_from([b"\n", b"\r\n"]))
def test_ordinary_rows_go_the_fast_way(rows, end):
    block = b"".join(f"{a!r},x,{b!r}".encode() + end for a, b in rows)

    found = rows_by_arrow(block, COLUMNS, 0)

    assert found is not None
    np.testing.assert_array_equal(matrix_of(found.arrays, COLUMNS.features, 0), [(b, a) for a, b in rows])


@pytest.mark.parametrize(
    ("block", "scored", "rows"),
    [
        (b"1,x,2\n", b'1,x,2,5,"\'=high, or so"\n', 1),
        (b"1,x,2", b'1,x,2,5,"\'=high, or so"', 1),
        (b"5,x,2\r\n4,y,1\r\n", b"5,x,2,1,low\r\n4,y,1,-1,low\r\n", 2),
        (b"5,x,2\r\n4,y,1\n", b"5,x,2,1,low\r\n4,y,1,-1,low\n", 2),
        (b'5,"x\n""y""",2\n4,,1\n', b'5,"x\n""y""",2,1,low\n4,,1,-1,low\n', 2),
        (b"\n5,x,2\n\n\r\n4,y,1\n\n", b"\n5,x,2,1,low\n\n\r\n4,y,1,-1,low\n\n", 2),
        (b"5,x\rz,2\n", b"5,x\rz,2,1,low\n", 1),
        (b"5,gr\xf6\xdfe,2\n", b"5,gr\xf6\xdfe,2,1,low\n", 1),
        (b"5,=cmd(),2\n", b"5,=cmd(),2,1,low\n", 1),
        (b" 5 ,x,+2\n", b" 5 ,x,+2,1,low\n", 1),
        (b'"5",x,"2"\n', b'"5",x,"2",1,low\n', 1),
        (b"\n\n", b"\n\n", 0),
        (
            b"9007199254740993,x,9007199254740993\n",
            b'9007199254740993,x,9007199254740993,1.8014398509481984e+16,"\'=high, or so"\n',
            1,
        ),
    ],
)
def test_the_callers_bytes_pass_through(block, scored, rows):
    assert scorer().score(block, 0) == (scored, rows)


@pytest.mark.parametrize(
    ("block", "code", "message"),
    [
        (b"1,x,2\n1,x\n", "ragged_row", "row 12: has 2 fields; expected 3, as the header"),
        (b"1,x,2,3\n", "ragged_row", "row 11: has 4 fields"),
        (b"1,x,2\n\n1,x,abc\n", "non_numeric_feature", "row 12, column 'b': is 'abc'; expected a number"),
        (b"\xef\xbb\xbf1,x,2\n", "non_numeric_feature", "row 11, column 'a': is '\\ufeff1'"),
        (b"1_0,x,2\n", "non_numeric_feature", "row 11, column 'a': is '1_0'"),
        (b'1,x"y,2\n', "malformed_csv", "row 11: has a quotation mark inside an unquoted field"),
        (b'1,"x"y,2\n', "malformed_csv", "row 11: has text after a closing quotation mark"),
        (b'1,"x,2\n3,y,4\n', "malformed_csv", "row 11: has a quotation mark that is never closed"),
    ],
)
def test_errors_name_the_row_and_the_column(block, code, message):
    with pytest.raises(InvalidInput) as refused:
        scorer().score(block, 10)
    assert refused.value.code == code
    assert refused.value.message.startswith(message)


@pytest.mark.parametrize(
    ("block", "missing_allowed", "code", "message"),
    [
        (b"1,x,2\n1,x,inf\n", True, "infinite_value", "row 12, column 'b': is infinite"),
        (b"1,x,2\n-1e999,x,\n", True, "infinite_value", "row 12, column 'a': is infinite"),
        (b"1,x,2\n,x,3\n", False, "missing_value", "row 12, column 'a': is missing"),
        (b"1,x,nan\n", False, "missing_value", "row 11, column 'b': is missing"),
    ],
)
def test_values_that_the_model_cannot_take_are_named(block, missing_allowed, code, message):
    with pytest.raises(Unprocessable) as refused:
        scorer(missing_allowed=missing_allowed).score(block, 10)
    assert refused.value.code == code
    assert refused.value.message.startswith(message)


@pytest.mark.parametrize("place", [0, 1, 4, 6])
def test_the_row_that_a_model_refuses_is_named(place):
    def narrow(matrix):
        if (matrix > 1e38).any():
            raise ValueError("Input X contains a value too large for dtype('float32').")
        return added(matrix)

    lines = [b"1,x,2\n"] * 7
    lines[place] = b"1,x,1e300\n"
    with pytest.raises(Unprocessable) as refused:
        Scorer(COLUMNS, narrow).score(b"".join(lines), 10)
    assert refused.value.code == "value_refused"
    assert refused.value.message.startswith(f"row {place + 11}: ")


def test_large_finite_values_whose_sum_overflows_are_no_infinity():
    block = b"1e308,x,1e308\n" * 10
    assert scorer(missing_allowed=False).score(block, 0)[1] == 10


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("plain", "plain"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@x", "'@x"),
        ("\tx", "'\tx"),
        ("\rx", '"\'\rx"'),
        ('=a,"b"', '"\'=a,""b"""'),
        ("a\nb", '"a\nb"'),
    ],
)
def test_words_that_we_write_are_no_formulas(text, field):
    assert csv_field(text) == field


@given(st.lists(st.floats(-1e3, 1e3).filter(lambda value: value == value), min_size=1))
def test_numbers_read_back_the_same(values):
    matrix = np.column_stack([values, np.zeros(len(values))])
    block = b"".join(f"0,x,{value!r}\n".encode() for value in values)

    scored, _ = Scorer(COLUMNS, lambda inputs: [NewColumn("p", matrix[:, 0])]).score(block, 0)

    assert [float(line.rsplit(b",", 1)[1]) for line in bytes(scored).splitlines()] == values

"""Valid values of a feature, by the feature's type: the same rules for CSV, JSON Lines and Parquet.

Blanks around a value do not count, except in text. A number is decimal with an optional sign, fraction and exponent,
or `inf` by name; true and false count as 1 and 0. An integer may be written with a fraction of zeros. Dates and
timestamps are ISO 8601; a timestamp with an offset becomes UTC. No type takes thousands separators. MISSING_TEXTS are
pandas' spellings of a missing value; in all types but text, `-` is one, too.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.errors import InvalidInput
from chalicelib.predictions.models import FeatureType, ModelFeature

MISSING_TEXTS = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
)
TRUE, FALSE = ("true", "True", "TRUE", "1"), ("false", "False", "FALSE", "0")
TEXT = pa.dictionary(pa.int32(), pa.string())
ARROW_TYPES: Mapping[FeatureType, pa.DataType] = {
    "number": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "text": TEXT,
    "category": TEXT,
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}
WORDS: Mapping[FeatureType, str] = {
    "number": "a number",
    "integer": "an integer",
    "boolean": "true or false",
    "text": "text",
    "category": "text",
    "date": "a date such as 2026-01-31",
    "timestamp": "a timestamp such as 2026-01-31T12:00:00",
}
MAX_INTEGER = 2**63

_MISSING = frozenset(MISSING_TEXTS)
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?inf(?:inity)?", re.IGNORECASE | re.ASCII)
_NAN = re.compile(r"[+-]?nan(?:\([a-z0-9_]*\))?", re.IGNORECASE | re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_DAY = r"\d{4}-\d\d-\d\d"
_DATE = re.compile(_DAY, re.ASCII)
_TIMESTAMP = re.compile(rf"{_DAY}(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{{1,9}})?)?(?:Z|[+-]\d\d:?\d\d)?)?", re.ASCII)


def parse_text(kind: FeatureType, text: str) -> Any:
    """`text` as a value of that type, None if it is missing; ValueError if it is none."""
    if kind in ("text", "category"):
        return None if text in _MISSING else text
    text = text.strip(" \t")
    return None if text in _MISSING or text == "-" else _PARSERS[kind](text)


def parse_value(kind: FeatureType, value: Any) -> Any:
    """A value of JSON as a value of that type, None if it is missing; ValueError if it is none."""
    if value is None:
        return None
    if isinstance(value, str):
        return parse_text(kind, value)
    if kind in ("number", "integer", "boolean") and isinstance(value, bool | int | float):
        return None if value != value else _PARSERS[kind](str(value))
    raise ValueError(kind)


def _number(text: str) -> float | None:
    if _NUMBER.fullmatch(text):
        return float(text)
    if _NAN.fullmatch(text):
        return None
    return float(_boolean(text))


def _integer(text: str) -> int:
    value = int(text) if _INTEGER.fullmatch(text) else _number(text)
    if value is None or not -MAX_INTEGER <= value < MAX_INTEGER or value != int(value):
        raise ValueError(text)
    return int(value)


def _boolean(text: str) -> bool:
    if text not in TRUE and text not in FALSE:
        raise ValueError(text)
    return text in TRUE


def _date(text: str) -> date:
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def _timestamp(text: str) -> datetime:
    if not _TIMESTAMP.fullmatch(text):
        raise ValueError(text)
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


_PARSERS: Mapping[FeatureType, Callable[[str], Any]] = {
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "date": _date,
    "timestamp": _timestamp,
}


def takes(kind: FeatureType, found: pa.DataType) -> bool:
    """Can a Parquet column of type `found` hold values of that type?"""
    if pa.types.is_dictionary(found):
        found = found.value_type
    number = pa.types.is_integer(found) or pa.types.is_floating(found) or pa.types.is_decimal(found)
    if pa.types.is_null(found):
        return True
    if kind in ("number", "integer", "boolean"):
        return bool(number or pa.types.is_boolean(found))
    if kind in ("date", "timestamp"):
        return bool(pa.types.is_date(found) or pa.types.is_timestamp(found))
    return bool(pa.types.is_string(found) or pa.types.is_large_string(found))


def typed(array: pa.Array, feature: ModelFeature, first_row: int) -> pa.Array:
    """`array` with the Arrow type of the feature's type, missing values as nulls.

    `first_row` is the number of data rows before it. Raises InvalidInput, naming row, column, value and type:
    "non_numeric_feature" for numbers, else "wrong_type".
    """
    wanted, found = ARROW_TYPES[feature.type], array.type
    if wanted == TEXT:
        return _without_missing(_dictionary(array))
    if pa.types.is_dictionary(found) or pa.types.is_string(found) or pa.types.is_large_string(found):
        return _parsed(_dictionary(array), feature, first_row)
    if found == wanted or pa.types.is_null(found):
        return array.cast(wanted)
    if feature.type == "number":
        return _numbers(array)
    if feature.type in ("integer", "boolean"):
        return _integral(array, feature, first_row)
    if pa.types.is_timestamp(found):
        array = array.cast(pa.timestamp("us", found.tz), safe=False).cast(pa.int64()).cast(pa.timestamp("us"))
    return array.cast(wanted, safe=False)


def _numbers(array: pa.Array) -> pa.Array:
    return pc.cast(array.cast(pa.uint8()) if pa.types.is_boolean(array.type) else array, pa.float64(), safe=False)


def _dictionary(array: pa.Array) -> pa.DictionaryArray:
    if pa.types.is_dictionary(array.type):
        return array if array.type == TEXT else array.cast(TEXT)
    return array.cast(pa.string()).dictionary_encode()


def _without_missing(array: pa.DictionaryArray) -> pa.DictionaryArray:
    known = array.dictionary
    spelled = pc.is_in(known, pa.array(MISSING_TEXTS))
    if not pc.any(spelled).as_py():
        return array
    moved = pc.if_else(spelled, pa.scalar(None, pa.int32()), pa.array(np.arange(len(known), dtype=np.int32)))
    return pa.DictionaryArray.from_arrays(moved.take(array.indices), known)


def _parsed(array: pa.DictionaryArray, feature: ModelFeature, first_row: int) -> pa.Array:
    """Each different text is parsed once."""
    values: list[Any] = []
    wrong: list[int] = []
    texts = array.dictionary.to_pylist()
    for place, text in enumerate(texts):
        try:
            values.append(None if text is None else parse_text(feature.type, text))
        except ValueError:
            values.append(None)
            wrong.append(place)
    if wrong:
        at = int(np.flatnonzero(np.isin(array.indices.fill_null(-1).to_numpy(), wrong))[0])
        raise wrong_value(feature, first_row + at + 1, texts[array.indices[at].as_py()])
    return pa.array(values, ARROW_TYPES[feature.type]).take(array.indices)


def _integral(array: pa.Array, feature: ModelFeature, first_row: int) -> pa.Array:
    """Whole numbers out of any numbers, and for booleans of zeros and ones."""
    numbers = _numbers(array).to_numpy(zero_copy_only=False)
    if feature.type == "boolean":
        whole = (numbers == 0) | (numbers == 1)
    else:
        whole = (numbers == np.floor(numbers)) & (np.abs(numbers) < MAX_INTEGER)
    wrong = np.flatnonzero(~(whole | np.isnan(numbers)))
    if wrong.size:
        raise wrong_value(feature, first_row + int(wrong[0]) + 1, array[int(wrong[0])].as_py())
    if pa.types.is_integer(array.type):
        return array.cast(ARROW_TYPES[feature.type])
    return pa.array(numbers, pa.float64(), from_pandas=True).cast(ARROW_TYPES[feature.type], safe=False)


def wrong_value(feature: ModelFeature, row: int, value: Any) -> InvalidInput:
    """The error of a value that is none of its feature's type."""
    shown = ascii(value[:40]) if isinstance(value, str) else ascii(value)[:40]
    code = "non_numeric_feature" if feature.type == "number" else "wrong_type"
    return InvalidInput.of(f"row {row}, column {feature.name!r}", f"is {shown}", WORDS[feature.type], code=code)


def typed_all(arrays: Sequence[pa.Array], features: Sequence[ModelFeature], first_row: int) -> list[pa.Array]:
    """Each array as its feature's type; of several errors, the one in the first column that has one."""
    return [typed(array, feature, first_row) for array, feature in zip(arrays, features, strict=True)]

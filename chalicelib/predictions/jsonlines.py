"""JSON Lines: features of blocks of records, and predictions inserted before each closing brace.

Arrow reads the common case, `_records` everything; the caller's bytes pass through unchanged. An absent key is a
missing value, as for `pandas.read_json`. If the output is CSV or Parquet, the first record defines the columns; fields
that are no features are text there, nested values as JSON.
"""

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.json as arrow_json

from chalicelib.errors import InvalidInput, TooLarge, Unprocessable
from chalicelib.predictions.columns import json_values
from chalicelib.predictions.features import Columns, FeatureRows, filled_ends, one_chunk
from chalicelib.predictions.inputs import matrix_of
from chalicelib.predictions.kinds import ARROW_TYPES, TEXT, parse_value, typed_all, wrong_value
from chalicelib.predictions.models import ModelFeature
from chalicelib.predictions.ports import Chunk
from chalicelib.predictions.records import ByteOffsets
from chalicelib.predictions.scoring import MakeInputs, Predict, append_fields, predict_rows

CLOSE = ord("}")
MAX_CELLS = 4_000_000
"""Values that are held at once: a record may lack most of its keys, so bytes alone do not bound them."""


@dataclass(frozen=True)
class JsonScorer:
    """Scores blocks of one JSON Lines file; `added` are the names of the new columns."""

    columns: Columns
    added: tuple[str, ...]
    predict: Predict
    inputs: MakeInputs = matrix_of

    def score(self, block: bytes, first_row: int) -> tuple[Chunk, int]:
        """`block` with its predictions, and its number of records; `first_row` records came before it.

        Raises InvalidInput ("malformed_json", "column_exists"), what `kinds.typed`, `inputs` and `predict_rows` raise.
        """
        ends = filled_records(block)
        if not len(ends):
            return block, 0
        most = max(1, MAX_CELLS // len(self.columns.features))
        if len(ends) > most:  # records with few of their keys: so many would not fit
            cuts = [0, *ends[most - 1 : -1 : most].tolist(), len(block)]
            pieces = [(block[a:b], first_row + most * place) for place, (a, b) in enumerate(itertools.pairwise(cuts))]
            return b"".join(self.score(piece, row)[0] for piece, row in pieces), len(ends)
        rows = read_records(block, self.columns.features, self.added, first_row)
        fields: list[pa.Array] = []
        inputs = self.inputs(rows.arrays, self.columns.features, first_row)
        for column in predict_rows(self.predict, inputs, first_row):
            key = pa.array([f",{json.dumps(column.name)}:"]).take(pa.array(np.zeros(len(rows.ends), np.int8)))
            fields += [key, json_values(column.values)]
        return append_fields(block, rows.ends, fields, b""), len(rows.ends)


def read_records(block: bytes, features: Sequence[ModelFeature], added: Sequence[str], first_row: int) -> FeatureRows:
    """The features of a block's records, and where each one's closing brace is."""
    found = _by_arrow(block, features, added, first_row)
    return found if found is not None else _plainly(block, features, added, first_row)


def _by_arrow(
    block: bytes, features: Sequence[ModelFeature], added: Sequence[str], first_row: int
) -> FeatureRows | None:
    if b"\\u" in block or any(_key(name) in block for name in added):  # a key may be written in several ways
        return None
    data, ends = np.frombuffer(block, np.uint8), filled_ends(block, quoting=False) - 1
    if not len(ends) or (data[ends] != CLOSE).any():
        return None
    texts = ("text", "category", "date", "timestamp")
    schema = pa.schema([(it.name, pa.string() if it.type in texts else ARROW_TYPES[it.type]) for it in features])
    try:
        table = arrow_json.read_json(
            pa.BufferReader(block),
            arrow_json.ReadOptions(use_threads=False, block_size=len(block) + 1),
            arrow_json.ParseOptions(schema, unexpected_field_behavior="ignore"),
        )
    except pa.ArrowException:
        return None
    columns = [one_chunk(table.column(it.name)) for it in features]
    if table.num_rows != len(ends) or np.all([column.is_null().to_numpy(False) for column in columns], axis=0).any():
        return None
    return FeatureRows(block, ends, typed_all(columns, features, first_row))


def _plainly(block: bytes, features: Sequence[ModelFeature], added: Sequence[str], first_row: int) -> FeatureRows:
    ends: list[int] = []
    values: list[list[Any]] = [[] for _ in features]
    for row, (record, end) in enumerate(_records(block, first_row), first_row + 1):
        for name in added:
            if name in record:
                raise Unprocessable.of(
                    "prediction_column_name", f"{name!r} is a key of row {row}", "a new name", code="column_exists"
                )
        for feature, column in zip(features, values, strict=True):
            column.append(_value(feature, record, row))
        ends.append(end - 1)
    return FeatureRows(block, np.array(ends, np.int64), _arrays(features, values))


def _value(feature: ModelFeature, record: dict[str, Any], row: int) -> Any:
    value = record.get(feature.name)
    try:
        return parse_value(feature.type, value)
    except ValueError:
        raise wrong_value(feature, row, value) from None


def _arrays(features: Sequence[ModelFeature], values: Sequence[Sequence[Any]]) -> list[pa.Array]:
    return [
        pa.array(column, pa.string()).dictionary_encode()
        if ARROW_TYPES[it.type] == TEXT
        else pa.array(column, ARROW_TYPES[it.type])
        for it, column in zip(features, values, strict=True)
    ]


def _records(block: bytes, first_row: int) -> Iterator[tuple[dict[str, Any], int]]:
    """Each record, and where it ends in the block; blank lines are none."""
    start = 0
    for row, end in enumerate(filled_records(block).tolist(), first_row + 1):
        line = block[start:end].rstrip()
        yield _record(line, row), start + len(line)
        start = end


def _record(line: bytes, row: int) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict) or not record:
        raise InvalidInput.of(
            f"row {row}", "is not a JSON object with fields", "one object a line", code="malformed_json"
        )
    return record


def columns_of(start: bytes) -> tuple[str, ...]:
    """The keys of the first record; InvalidInput ("empty_data") if there is none."""
    record, _ = next(_records(start, 0), (None, 0))
    if record is None:
        raise InvalidInput.of("data_s3_uri", "is empty", "at least one record", code="empty_data")
    return tuple(record)


def batch_of_records(block: bytes, columns: Columns, first_row: int) -> pa.RecordBatch:
    """A block as a batch: features as their types, everything else as text; InvalidInput ("unknown_column")."""
    if len(filled_records(block)) * len(columns.names) > 4 * MAX_CELLS:
        raise TooLarge.of(
            "data_s3_uri", "has records that lack most columns", "JSON Lines as output", code="sparse_records"
        )
    wanted = dict(zip(columns.wanted, columns.features, strict=True))
    values: list[list[Any]] = [[] for _ in columns.names]
    for row, (record, _) in enumerate(_records(block, first_row), first_row + 1):
        if unknown := record.keys() - set(columns.names):
            raise InvalidInput.of(
                f"row {row}",
                f"has {min(unknown)!r}",
                "the first record's keys: JSON Lines takes more",
                code="unknown_column",
            )
        for index, name in enumerate(columns.names):
            value = _value(wanted[index], record, row) if index in wanted else _text(record.get(name))
            values[index].append(value)
    arrays = [
        pa.array(
            column,
            pa.string()
            if index not in wanted or ARROW_TYPES[wanted[index].type] == TEXT
            else ARROW_TYPES[wanted[index].type],
        )
        for index, column in enumerate(values)
    ]
    return pa.RecordBatch.from_arrays(arrays, names=list(columns.names))


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def json_lines(batch: pa.RecordBatch) -> bytes:
    """A batch as JSON Lines; what is not finite is null."""
    names = batch.schema.names
    rows = zip(*(column.to_pylist() for column in batch.columns), strict=True)
    return b"".join(msgspec.json.encode(dict(zip(names, row, strict=True))) + b"\n" for row in rows)


def _key(name: str) -> bytes:
    return json.dumps(name, ensure_ascii=False).encode()


def filled_records(block: bytes) -> ByteOffsets:
    """The ends of the block's records."""
    return filled_ends(block, quoting=False)

"""PostgreSQL's rows in the Data API's form: typed fields, column metadata, pages."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

MAX_ROW_BYTES = 64 * 1024
MAX_RESULT_BYTES = 500 * 1024 * 1024
PAGE_BYTES = 1024 * 1024

TYPE_NAMES = {
    16: "bool",
    20: "int8",
    21: "int2",
    23: "int4",
    25: "varchar",
    700: "float4",
    701: "float8",
    1042: "bpchar",
    1043: "varchar",
    1082: "date",
    1083: "time",
    1114: "timestamp",
    1184: "timestamptz",
    1700: "numeric",
}
"""Redshift's type names by PostgreSQL's type ids; Redshift has no text type and uses varchar."""

INTEGERS = {"int2", "int4", "int8"}
FLOATS = {"float4", "float8"}


class ResultTooLarge(Exception):
    """A row or result beyond the Data API's limits; the message is the statement's error."""


@dataclass(frozen=True)
class Result:
    """A statement's result: its columns, and its records in pages."""

    columns: list[dict[str, Any]]
    pages: list[list[list[dict[str, Any]]]]
    rows: int
    size: int


def result_of(description: Sequence[Any], rows: Iterator[Sequence[str | None]], page_bytes: int = PAGE_BYTES) -> Result:
    """The result of a cursor's `description` and its `rows` as PostgreSQL's own texts.

    ResultTooLarge for a row over 64 KB or a result over 500 MB.
    """
    columns = [_metadata(column) for column in description]
    kinds = [column["typeName"] for column in columns]
    pages: list[list[list[dict[str, Any]]]] = [[]]
    count = total = page = 0
    for row in rows:
        size = sum(len(text.encode()) for text in row if text is not None)
        if size > MAX_ROW_BYTES:
            raise ResultTooLarge(f"Row size exceeded: a row has {size} bytes, the limit is {MAX_ROW_BYTES} bytes.")
        record = [_field(kind, text) for kind, text in zip(kinds, row, strict=True)]
        size = len(json.dumps(record))
        total += size
        if total > MAX_RESULT_BYTES:
            raise ResultTooLarge("Query result size exceeded: the limit is 500 MB.")
        if page and page + size > page_bytes:
            pages.append([])
            page = 0
        pages[-1].append(record)
        page += size
        count += 1
    return Result(columns, pages, count, total)


def _metadata(column: Any) -> dict[str, Any]:
    kind = TYPE_NAMES.get(column.type_code, "varchar")
    return {
        "columnDefault": "",
        "isCaseSensitive": kind in {"varchar", "bpchar"},
        "isCurrency": False,
        "isSigned": kind in INTEGERS | FLOATS | {"numeric"},
        "label": column.name,
        "length": 0,
        "name": column.name,
        "nullable": 1,
        "precision": column.precision or column.internal_size or 0,
        "scale": column.scale or 0,
        "schemaName": "",
        "tableName": "",
        "typeName": kind,
    }


def _field(kind: str, text: str | None) -> dict[str, Any]:
    if text is None:
        return {"isNull": True}
    if kind in INTEGERS:
        return {"longValue": int(text)}
    if kind in FLOATS:
        return {"doubleValue": float(text)}
    if kind == "bool":
        return {"booleanValue": text == "t"}
    return {"stringValue": text}

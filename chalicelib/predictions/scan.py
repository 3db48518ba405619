"""Scoring a stretch of an object: open its model and data once, then score block after block."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from chalicelib.errors import InvalidInput, Unprocessable
from chalicelib.parallel import in_order
from chalicelib.predictions.columns import header_suffix
from chalicelib.predictions.deadline import ScoringDeadline
from chalicelib.predictions.estimators import LoadedModel, Models
from chalicelib.predictions.features import Columns
from chalicelib.predictions.jsonlines import JsonScorer, batch_of_records, columns_of, json_lines
from chalicelib.predictions.places import PredictionOrder, locate_columns
from chalicelib.predictions.ports import Chunk, Output, Pinned, PredictionObjects, stream
from chalicelib.predictions.records import MAX_HEADER_BYTES, Header, cut_blocks, read_header, record_end
from chalicelib.predictions.scoring import Scorer
from chalicelib.predictions.streams import gunzip, gzip_member, read_ahead
from chalicelib.predictions.tables import (
    ParquetSink,
    TableScorer,
    batch_of_block,
    check_types,
    check_width,
    csv_header,
    csv_lines,
    open_parquet,
    read_batches,
    schema_of,
)

READ_BYTES = 4 * 1024 * 1024
GZIP_RATIO = 4
COLUMNS_OF_A_BLOCK = 16
"""New columns from which on blocks become smaller."""


class DataSpan(NamedTuple):
    """A stretch of the data: bytes of CSV that start and end with a record, or row groups of Parquet."""

    start: int
    stop: int
    first_row: int


@dataclass(frozen=True)
class Task:
    """An order, with its model and data opened."""

    order: PredictionOrder
    model: LoadedModel
    data: Pinned
    columns: Columns
    added: tuple[str, ...]
    header: Header | None

    @property
    def grid(self) -> int:
        """Bytes of a block; fewer for many new columns, since what is written is bounded too."""
        return self.model.grid(self.data.bytes) // (1 + len(self.added) // COLUMNS_OF_A_BLOCK) or 1

    def blocks(self, objects: PredictionObjects, start: int, stop: int) -> Iterator[bytes]:
        """Whole records of text data, in blocks on the grid."""
        quoting = self.order.data_layout.format == "csv"
        if not self.splittable:
            begin = len(self.header.raw) if self.header else 0
            text = _text(objects, self.data, 0, self.data.bytes, READ_BYTES, gzip=True)
            return cut_blocks(read_ahead(_without_start(text, begin)), begin, self.grid, quoting=quoting)
        chunks = stream(objects, self.data, start, stop, READ_BYTES)
        return cut_blocks(read_ahead(chunks), start, self.grid, quoting=quoting)

    @property
    def splittable(self) -> bool:
        """Whether parts of the data can be read separately; gzip cannot be split."""
        return not self.order.data_layout.gzip

    def predict(self, inputs: Any) -> Any:
        """The new columns for rows as the model takes them."""
        return self.model.columns(self.added, inputs)


def open_task(order: PredictionOrder, objects: PredictionObjects, models: Models, data: Pinned | None = None) -> Task:
    """Open the model and the start of the data, and match them; `data` pins a version that was seen before.

    Raises what `Models.open`, `read_header`, `open_parquet` and `locate_columns` raise.
    """
    model = models.open(order.model, order.request)
    pinned = data or objects.pin(order.data)
    added = model.added_names(order.request.prediction_column_name, probabilities=order.request.probabilities)
    if len(set(added)) != len(added):
        raise Unprocessable.of(
            "prediction_column_name", "makes two new columns of one name", "another name", code="column_exists"
        )
    header = None if order.data_layout.format == "parquet" else _header(objects, pinned, order)
    table = open_parquet(objects, pinned) if header is None else None
    names = header.columns if header else tuple(table.schema.names) if table else ()
    check_width(len(names) + len(added))
    if header and order.data_layout.format == "jsonl":
        names += tuple(name for name in order.request.feature_columns if name not in names)  # a gap in the first record
    columns = Columns(names, tuple(locate_columns(names, order.request, added)), model.features)
    if table:
        check_types(table.schema, columns)
    elif order.output_layout.format == "parquet":
        schema_of(columns)
    return Task(order, model, pinned, columns, tuple(added), header)


def _header(objects: PredictionObjects, pinned: Pinned, order: PredictionOrder) -> Header:
    """The header before the rows; JSON Lines has none, and its first record names the columns."""
    start = bytearray()
    json = order.data_layout.format == "jsonl"
    for text in _text(objects, pinned, 0, pinned.bytes, MAX_HEADER_BYTES, gzip=order.data_layout.gzip):
        start += text
        if len(start) >= MAX_HEADER_BYTES or record_end(start, 0, quoting=not json) is not None:
            break
    return Header(columns_of(bytes(start)), b"") if json else read_header(bytes(start))


def _text(
    objects: PredictionObjects, data: Pinned, start: int, stop: int, chunk: int, *, gzip: bool
) -> Iterator[bytes]:
    chunks = stream(objects, data, start, stop, chunk)
    return gunzip(chunks) if gzip else chunks


def whole_span(task: Task) -> DataSpan:
    """All of the data."""
    if task.header is None:
        return DataSpan(0, -1, 0)
    return DataSpan(len(task.header.raw), task.data.bytes, 0)


def score_first(task: Task, objects: PredictionObjects) -> tuple[int, float]:
    """Score the data's first block or batch without writing; return its number of rows and its share of the data.

    The share of gzip is an estimate. Raises InvalidInput for errors in the rows.
    """
    item = next(_items(task, whole_span(task), objects), None)
    if item is None:
        return 0, 1.0
    _, rows = _work(task, _as_it_is, _schema(task, objects))(item, 0)
    if task.header is None:
        return rows, float(rows / open_parquet(objects, task.data).metadata.num_rows)
    unpacked = task.data.bytes if task.splittable else task.data.bytes * GZIP_RATIO
    return rows, min(1.0, len(item) / (unpacked - len(task.header.raw)))


def score_span(
    task: Task,
    span: DataSpan,
    objects: PredictionObjects,
    output: Output,
    *,
    workers: int,
    seconds_left: Callable[[], float],
) -> int:
    """Score a stretch of the data into `output`, the header first if the stretch is the data's first.

    Returns the number of rows. Memory is bounded by the grid and the workers, whatever the stretch's length. Raises
    InvalidInput for errors in the rows, OutOfTime, and what `PredictionObjects` raises.
    """
    to_parquet = task.order.output_layout.format == "parquet"
    packed = gzip_member if task.order.output_layout.gzip else _as_it_is
    sink = ParquetSink(output) if to_parquet else None
    write: Callable[[Any], object] = sink.write if sink else output.write
    if task.order.output_layout.format == "csv" and span.start == whole_span(task).start:
        output.write(packed(_output_header(task)))
    work = _work(task, packed, _schema(task, objects))
    rows = span.first_row
    attempt, wait = partial(_attempt, work), partial(_wait, ScoringDeadline(seconds_left))
    with ThreadPoolExecutor(workers, thread_name_prefix="score", initializer=task.model.one_thread_each) as pool:
        for item, done in in_order(pool, attempt, _items(task, span, objects), 2 * workers, wait):
            if isinstance(done, InvalidInput):
                work(item, rows)  # again, so that the error names the row of the file
                raise done
            payload, count = done
            if payload is not None:
                write(payload)
            rows += count
    if sink:
        sink.close()
    return rows - span.first_row


def _items(task: Task, span: DataSpan, objects: PredictionObjects) -> Iterator[Any]:
    """The blocks or batches of a stretch."""
    if task.header is None:
        table = open_parquet(objects, task.data)
        stop = table.metadata.num_row_groups if span.stop < 0 else span.stop
        return read_batches(table, range(span.start, stop), len(task.added))
    return task.blocks(objects, span.start, span.stop)


def _without_start(chunks: Iterator[bytes], length: int) -> Iterator[bytes]:
    for chunk in chunks:
        if length >= len(chunk):
            length -= len(chunk)
            continue
        yield chunk[length:]
        length = 0


def _work(task: Task, packed: Callable[[Chunk], Chunk], schema: Any = None) -> Callable[[Any, int], tuple[Any, int]]:
    """A function that scores one block or batch; it returns the output, or None, and the number of rows.

    `schema` is that of Parquet data, whose batches hold stored dictionaries.
    """
    model, columns = task.model, task.columns
    data, output = task.order.data_layout.format, task.order.output_layout.format
    table = TableScorer(columns, task.predict, model.inputs, schema)
    if data == output and data != "parquet":
        lines = (
            Scorer(columns, task.predict, model.inputs)
            if data == "csv"
            else JsonScorer(columns, task.added, task.predict, model.inputs)
        )

        def through(block: bytes, first_row: int) -> tuple[Chunk, int]:
            scored, rows = lines.score(block, first_row)
            return packed(scored), rows

        return through
    batch_of = {"csv": batch_of_block, "jsonl": batch_of_records}.get(data)

    def to_batch(item: Any, first_row: int) -> tuple[Any, int]:
        batch = batch_of(item, columns, first_row) if batch_of else item
        return (table.score(batch, first_row) if batch.num_rows else None), batch.num_rows

    def to_text(item: Any, first_row: int) -> tuple[Chunk | None, int]:
        batch, rows = to_batch(item, first_row)
        if not rows:
            return None, 0
        return packed(csv_lines(batch, len(task.added)) if output == "csv" else json_lines(batch)), rows

    return to_batch if output == "parquet" else to_text


def _attempt(work: Callable[[Any, int], tuple[Any, int]], item: Any) -> tuple[Any, int] | InvalidInput:
    try:
        return work(item, 0)
    except InvalidInput as error:
        return error


def _wait(deadline: ScoringDeadline, turn: Future[Any]) -> Any:
    """The result of `turn`, if there is time to wait for it and for the work that begins meanwhile."""
    deadline.check(0 if turn.done() else 2)
    return turn.result()


def _schema(task: Task, objects: PredictionObjects) -> Any:
    return open_parquet(objects, task.data).schema if task.header is None else None


def _output_header(task: Task) -> bytes:
    if task.header is None or not task.header.raw:
        return csv_header(task.columns.names, task.added)
    return task.header.content + header_suffix(task.added) + task.header.terminator


def _as_it_is(data: Chunk) -> Chunk:
    return data

"""Scoring a stretch of an object: what is opened once for it, and the loop from blocks in to bytes out."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from chalicelib.errors import InvalidInput, Unprocessable
from chalicelib.predictions.columns import header_suffix
from chalicelib.predictions.deadline import Deadline
from chalicelib.predictions.estimators import LoadedModel, Models
from chalicelib.predictions.features import Columns
from chalicelib.predictions.places import PredictionOrder, locate_columns
from chalicelib.predictions.ports import Chunk, Output, Pinned, PredictionObjects, stream
from chalicelib.predictions.records import MAX_HEADER_BYTES, Header, cut_blocks, read_header, record_end
from chalicelib.predictions.scoring import Scorer
from chalicelib.predictions.streams import gunzip, gzip_member, in_order, read_ahead
from chalicelib.predictions.tables import (
    ParquetSink,
    TableScorer,
    batch_of_block,
    check_numeric,
    csv_header,
    csv_lines,
    open_parquet,
    read_batches,
    schema_of,
)

READ_BYTES = 4 * 1024 * 1024
COLUMNS_OF_A_BLOCK = 16
"""New columns from which on blocks become smaller."""


class DataSpan(NamedTuple):
    """A stretch of the data: bytes of CSV that start and end with a record, or row groups of Parquet."""

    start: int
    stop: int
    first_row: int


@dataclass(frozen=True)
class Task:
    """An order with everything opened that scoring it needs."""

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

    @property
    def splittable(self) -> bool:
        """Can parts of the data be read on their own? Not inside gzip."""
        return not self.order.data_layout.gzip

    def predict(self, matrix: Any) -> Any:
        """The new columns for a matrix of features."""
        return self.model.columns(self.added, matrix)


def open_task(order: PredictionOrder, objects: PredictionObjects, models: Models, data: Pinned | None = None) -> Task:
    """Open the model and the start of the data, and match them; `data` pins a version that was seen before.

    Raises what `Models.open`, `read_header`, `open_parquet` and `locate_columns` raise.
    """
    model = models.open(order.model, order.request)
    pinned = data or objects.pin(order.data)
    added = model.added_names(order.request)
    if len(set(added)) != len(added):
        raise Unprocessable.of(
            "prediction_column_name", "makes two new columns of one name", "another name", code="column_exists"
        )
    if order.data_layout.format == "csv":
        header = _header(objects, pinned, order)
        columns = Columns(header.columns, tuple(locate_columns(header.columns, order.request, added)))
        if order.output_layout.format == "parquet":
            schema_of(columns)
        return Task(order, model, pinned, columns, tuple(added), header)
    schema = open_parquet(objects, pinned).schema_arrow
    columns = Columns(tuple(schema.names), tuple(locate_columns(schema.names, order.request, added)))
    check_numeric(schema, columns.wanted)
    return Task(order, model, pinned, columns, tuple(added), None)


def _header(objects: PredictionObjects, pinned: Pinned, order: PredictionOrder) -> Header:
    start = bytearray()
    for text in _text(objects, pinned, 0, pinned.bytes, MAX_HEADER_BYTES, gzip=order.data_layout.gzip):
        start += text
        if len(start) >= MAX_HEADER_BYTES or record_end(start, 0) is not None:
            break
    return read_header(bytes(start))


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


def score_first(task: Task, objects: PredictionObjects) -> float:
    """Score the data's first block or batch and write nothing: its time tells the pace, the answer is its share of all.

    Raises InvalidInput for what is wrong with its rows.
    """
    item = next(_items(task, whole_span(task), objects), None)
    if item is None:
        return 1.0
    _work(task, _as_it_is)(item, 0)
    if task.header is None:
        return float(item.num_rows / open_parquet(objects, task.data).metadata.num_rows)
    return len(item) / (task.data.bytes - len(task.header.raw))


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
    InvalidInput for what is wrong with the rows, OutOfTime, and what `Objects` raises.
    """
    to_parquet = task.order.output_layout.format == "parquet"
    packed = gzip_member if task.order.output_layout.gzip else _as_it_is
    sink = ParquetSink(output) if to_parquet else None
    write: Callable[[Any], object] = sink.write if sink else output.write
    if sink is None and span.start == whole_span(task).start:
        output.write(packed(_output_header(task)))
    work = _work(task, packed)
    rows = span.first_row
    attempt, wait = partial(_attempt, work), partial(_wait, Deadline(seconds_left))
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
        file = open_parquet(objects, task.data)
        stop = file.num_row_groups if span.stop < 0 else span.stop
        return read_batches(file, range(span.start, stop), len(task.added))
    if task.order.data_layout.gzip:
        text = _text(objects, task.data, 0, task.data.bytes, READ_BYTES, gzip=True)
        chunks = _without_start(text, len(task.header.raw))
        return cut_blocks(read_ahead(chunks), len(task.header.raw), task.grid)
    chunks = stream(objects, task.data, span.start, span.stop, READ_BYTES)
    return cut_blocks(read_ahead(chunks), span.start, task.grid)


def _without_start(chunks: Iterator[bytes], length: int) -> Iterator[bytes]:
    for chunk in chunks:
        if length >= len(chunk):
            length -= len(chunk)
            continue
        yield chunk[length:]
        length = 0


def _work(task: Task, packed: Callable[[Chunk], Chunk]) -> Callable[[Any, int], tuple[Any, int]]:
    """What turns one block or batch into what is written, None for nothing, and its number of rows."""
    missing = task.model.missing_allowed
    table = TableScorer(task.columns.wanted, task.predict, missing)
    lines = Scorer(task.columns, task.predict, missing)
    from_csv = task.header is not None
    to_parquet = task.order.output_layout.format == "parquet"

    def csv_to_csv(block: bytes, first_row: int) -> tuple[Chunk, int]:
        data, rows = lines.score(block, first_row)
        return packed(data), rows

    def to_batch(item: Any, first_row: int) -> tuple[Any, int]:
        batch = batch_of_block(item, task.columns, first_row) if from_csv else item
        return (table.score(batch, first_row) if batch.num_rows else None), batch.num_rows

    def parquet_to_csv(item: Any, first_row: int) -> tuple[Chunk | None, int]:
        batch, rows = to_batch(item, first_row)
        return (packed(csv_lines(batch, len(task.added))) if rows else None), rows

    if to_parquet:
        return to_batch
    return csv_to_csv if from_csv else parquet_to_csv


def _attempt(work: Callable[[Any, int], tuple[Any, int]], item: Any) -> tuple[Any, int] | InvalidInput:
    try:
        return work(item, 0)
    except InvalidInput as error:
        return error


def _wait(deadline: Deadline, turn: Future[Any]) -> Any:
    """What `turn` gives, if there is time to wait for it, and for what begins meanwhile."""
    deadline.check(0 if turn.done() else 2)
    return turn.result()


def _output_header(task: Task) -> bytes:
    if task.header is None:
        return csv_header(task.columns.names, task.added)
    return task.header.content + header_suffix(task.added) + task.header.terminator


def _as_it_is(data: Chunk) -> Chunk:
    return data

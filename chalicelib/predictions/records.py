"""CSV as bytes: the ends of records, and blocks of whole records on a grid that does not depend on the reader.

A quotation mark is legal only around a whole field, and doubled inside one (RFC 4180). Then a newline ends a record
exactly if an even number of quotation marks comes before it. A mark elsewhere would make the file ambiguous, so
`stray_quote` finds it and the file is refused; before the first stray mark, every cut was right.

The grid: block k holds the records that start at bytes [k * grid, (k + 1) * grid) of the file, its header included.
One call and many parts therefore score the same blocks and produce the same bytes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from chalicelib.errors import InvalidInput, TooLarge

BOM = b"\xef\xbb\xbf"
QUOTE, NEWLINE, RETURN, COMMA = 0x22, 0x0A, 0x0D, 0x2C
MAX_RECORD_BYTES = 16 * 1024 * 1024
MAX_HEADER_BYTES = 1024 * 1024
MAX_COLUMNS = 5_000
"""A table's, and one for each feature of a model besides many others: memory grows with columns, not with rows."""

ByteOffsets = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Header:
    """A CSV file's first record: its columns' names, and its bytes, byte order mark and terminator included."""

    columns: tuple[str, ...]
    raw: bytes

    @property
    def terminator(self) -> bytes:
        """The record's line end; a newline if the file ends there."""
        return b"\r\n" if self.raw.endswith(b"\r\n") else b"\n"

    @property
    def content(self) -> bytes:
        """The record without its terminator, byte order mark included."""
        return self.raw.removesuffix(b"\n").removesuffix(b"\r")


def read_header(start: bytes) -> Header:
    """The header at the `start` of a file; more bytes than MAX_HEADER_BYTES are not needed.

    Raises InvalidInput: "empty_data", "not_utf8", "malformed_csv" (no line ends, stray marks).
    """
    if not start.removeprefix(BOM).strip(b"\r\n"):
        raise InvalidInput.of("data_s3_uri", "is empty", "a header and at least one row", code="empty_data")
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InvalidInput.of("data_s3_uri", "is UTF-16", "UTF-8", code="not_utf8")
    raw = start[: _first_record_end(start)]
    content = raw.removeprefix(BOM).removesuffix(b"\n").removesuffix(b"\r")
    if not content:
        raise InvalidInput.of("header", "is a blank line", "the columns' names", code="malformed_csv")
    if b"\r" in content and b"\n" not in start:
        raise InvalidInput.of("data_s3_uri", "ends its lines with a bare CR", "LF or CRLF", code="malformed_csv")
    try:
        names = tuple(field.decode() for field in split_record(content, MAX_COLUMNS))
    except UnicodeDecodeError:
        raise InvalidInput.of("header", "is not UTF-8", "UTF-8", code="not_utf8") from None
    except ValueError as error:
        raise InvalidInput.of("header", str(error), "fields quoted whole or not at all", code="malformed_csv") from None
    return Header(names, raw)


def _first_record_end(start: bytes) -> int:
    end = record_end(start, 0)
    if end is not None:
        return end
    if len(start) >= MAX_HEADER_BYTES:
        raise TooLarge.of("header", "is too long", f"at most {MAX_HEADER_BYTES} bytes", code="record_too_long")
    return len(start)


def record_end(
    data: bytes | bytearray, at: int, begin: int = 0, quotes: int = 0, *, quoting: bool = True
) -> int | None:
    """Position after the first newline at or after `at` that ends a record.

    A record starts at `begin`, or went on there after `quotes` quotation marks; without `quoting`, every newline ends
    one.
    """
    counted = begin
    while (newline := data.find(b"\n", at)) >= 0:
        quotes += count_quotes(data, counted, newline) if quoting else 0
        if quotes % 2 == 0:
            return newline + 1
        counted = at = newline + 1
    return None


def count_quotes(data: bytes | bytearray, start: int, stop: int) -> int:
    """Quotation marks in a stretch; far quicker where there are none."""
    return data.count(b'"', start, stop) if data.find(b'"', start, stop) >= 0 else 0


def cut_blocks(chunks: Iterable[bytes], start: int, grid: int, *, quoting: bool = True) -> Iterator[bytes]:
    """Blocks of whole records from `chunks`, whose first byte starts a record at `start` in the file.

    Without `quoting`, as in JSON Lines, quotation marks hide no newline.

    Raises TooLarge ("record_too_long") for a record of more than MAX_RECORD_BYTES, which bounds memory.
    """
    begun: list[memoryview] = []
    length = quotes = 0
    for chunk in chunks:
        at = 0
        while (wanted := at + (start // grid + 1) * grid - start - length) <= len(chunk):
            end = record_end(chunk, max(wanted - 1, at), at, quotes, quoting=quoting)
            if end is None:
                if len(chunk) - wanted > MAX_RECORD_BYTES:
                    raise TooLarge.of(
                        "data_s3_uri",
                        f"has a record of more than {MAX_RECORD_BYTES} bytes near byte {start + length + wanted - at}",
                        "shorter records, quotation marks closed",
                        code="record_too_long",
                    )
                break
            block = b"".join((*begun, memoryview(chunk)[at:end]))
            start += len(block)
            begun, length, quotes, at = [], 0, 0, end
            yield block
        begun.append(memoryview(chunk)[at:])
        length += len(chunk) - at
        quotes += count_quotes(chunk, at, len(chunk)) if quoting else 0
    if length:
        yield b"".join(begun)


def record_ends(block: bytes, *, quoting: bool = True) -> ByteOffsets:
    """Positions of the newlines that end the records of `block`, and its length if the last record lacks one."""
    data = np.frombuffer(block, np.uint8)
    newlines = np.flatnonzero(data == NEWLINE)
    if quoting and b'"' in block:
        quotes = np.flatnonzero(data == QUOTE)
        newlines = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
    if not newlines.size or newlines[-1] != len(block) - 1:
        newlines = np.append(newlines, len(block))
    return newlines


def content_ends(block: bytes, newlines: ByteOffsets) -> ByteOffsets:
    """The end of each record's content: before its newline, and before a CR that precedes it."""
    if b"\r" not in block:
        return newlines
    data = np.frombuffer(block, np.uint8)
    ended = newlines < len(block)
    contents: ByteOffsets = newlines - (ended & (newlines > 0) & (data[np.maximum(newlines, 1) - 1] == RETURN))
    return contents


def stray_quote(block: bytes) -> int | None:
    """Position of the first quotation mark that neither opens, closes nor is doubled inside a field."""
    data = np.frombuffer(block, np.uint8)
    quotes = np.flatnonzero(data == QUOTE)
    if not quotes.size:
        return None
    before = np.where(quotes == 0, NEWLINE, data[quotes - 1])
    after = np.where(quotes == data.size - 1, NEWLINE, data[np.minimum(quotes + 1, data.size - 1)])
    opens = np.arange(quotes.size) % 2 == 0
    legal = np.where(opens, np.isin(before, (COMMA, NEWLINE, QUOTE)), np.isin(after, (COMMA, NEWLINE, RETURN, QUOTE)))
    stray = quotes[~legal]
    if stray.size:
        return int(stray[0])
    return int(quotes[-1]) if quotes.size % 2 else None


def split_record(record: bytes, most: int) -> list[bytes]:
    """The fields of one record without its terminator, unquoted, at most one more than `most`.

    ValueError says what is wrong with it.
    """
    if b'"' not in record:
        return record.split(b",", most)
    fields: list[bytes] = []
    at = 0
    while True:
        if record[at : at + 1] == b'"':
            value, at = _quoted_field(record, at + 1)
        else:
            end = record.find(b",", at)
            end = len(record) if end < 0 else end
            value, at = record[at:end], end
            if b'"' in value:
                raise ValueError("has a quotation mark inside an unquoted field")
        fields.append(value)
        if at == len(record) or len(fields) > most:
            return fields
        at += 1


def _quoted_field(record: bytes, at: int) -> tuple[bytes, int]:
    """The field that starts after the quotation mark before `at`, and the position of what follows it."""
    start = at
    while True:
        mark = record.find(b'"', at)
        if mark < 0:
            raise ValueError("has a quotation mark that is never closed")
        if record[mark + 1 : mark + 2] == b'"':
            at = mark + 2
        elif mark + 1 == len(record) or record[mark + 1 : mark + 2] == b",":
            return record[start:mark].replace(b'""', b'"'), mark + 1
        else:
            raise ValueError("has text after a closing quotation mark")

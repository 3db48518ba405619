"""The text of a snapshot as a stream: the text before `states`, its rows in pieces, the text after.

A snapshot is an object with `time` and `states`, in either order, perhaps with more. Its text passes through one
buffer, so memory does not grow with it. Everything except the array of states (the envelope) is kept and decoded whole.
"""

import gzip
import io
import re
import zlib
from typing import Annotated, Any, BinaryIO, cast

import msgspec

from chalicelib.errors import InvalidInput, TooLarge
from chalicelib.flights import states_json

try:
    from isal import igzip, isal_zlib

    GzipStream: Any = igzip.IGzipFile
    _DAMAGE: tuple[type[Exception], ...] = (gzip.BadGzipFile, cast(type[Exception], isal_zlib.error))
except ImportError:
    GzipStream = gzip.GzipFile
    _DAMAGE = (gzip.BadGzipFile, zlib.error)

PIECE_BYTES = 6 << 20
"""Rows come in pieces of at most this much text: some 47,000 rows, one row group of the Parquet file."""
FIRST_PIECE_BYTES = 2 << 20
"""The first piece holds a whole real snapshot (1.3 to 2 MB) and each next one is twice as large: so a small one does
not pay for a large buffer, and writing begins soon beside the reading of a large one."""

_READ_BYTES = 1 << 18
"""As much as stays in the processor's cache: gzip passes each read through three copies."""
_MAX_TAIL_BYTES = 1 << 16
_GZIP_MAGIC = b"\x1f\x8b"
_SPACE = rb"[ \t\r\n]*+"
_OBJECT = re.compile(_SPACE + rb"\{" + _SPACE)
_KEY = re.compile(rb"(" + states_json.STRING + rb")" + _SPACE + rb":" + _SPACE, re.DOTALL)
_COMMA = re.compile(_SPACE + rb"," + _SPACE)
_CLOSE = re.compile(_SPACE + rb"\]")

Time = Annotated[int, msgspec.Meta(ge=0, lt=253_402_300_800)]
"""Seconds since 1970 UTC, up to the year 9999."""


class SnapshotEnvelope(msgspec.Struct):
    """A snapshot without its rows: `states` is None where it was null, else empty."""

    states: Annotated[list[msgspec.Raw], msgspec.Meta(max_length=0)] | None
    time: Time


class _Head(msgspec.Struct):
    time: Time | None = None


class _Whole(io.RawIOBase):
    """A source whose reads are never short before the end, and counted."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]
        filled = 0
        while filled < len(target) and (block := self._source.read(min(len(target) - filled, _READ_BYTES))):
            target[filled : filled + len(block)] = block
            filled += len(block)
        self.count += filled
        return filled


class Stream:
    """The decompressed bytes of a source, which is raw or gzip as its first bytes say."""

    def __init__(self, source: BinaryIO, max_bytes: int) -> None:
        self._whole = _Whole(source)
        raw = io.BufferedReader(self._whole)
        self._bytes = GzipStream(fileobj=raw) if raw.peek(2).startswith(_GZIP_MAGIC) else raw
        self.max_bytes = max_bytes
        self.position = 0

    @property
    def bytes_in(self) -> int:
        """Bytes taken from the source, before decompression."""
        return self._whole.count

    def read_into(self, target: memoryview) -> int:
        """Fill `target`, less only at the end of the text; InvalidInput for broken gzip, TooLarge over the limit."""
        filled = 0
        while filled < len(target) and (count := self._read_some(target[filled : filled + _READ_BYTES])):
            filled += count
            self.position += count
            if self.position > self.max_bytes:
                raise TooLarge.of("snapshot", "is too large", f"at most {self.max_bytes} bytes when decompressed")
        return filled

    def _read_some(self, target: memoryview) -> int:
        try:
            return self._bytes.readinto(target)
        except EOFError as error:
            place = f"ends within a member, after {self.position} bytes of text"
            raise InvalidInput.of("gzip", place, "a whole file") from error
        except _DAMAGE as error:
            place = f"is damaged after {self.position} bytes of text ({error})"
            raise InvalidInput.of("gzip", place, "the bytes that were stored") from error


class SnapshotText:
    """A snapshot being read: its head at once, then its rows from one `advance` to the next, last its envelope.

    After `advance`, `text[start:]` begins with a row; whoever has read rows moves `start` behind them.
    """

    def __init__(self, stream: Stream, time: int | None = None) -> None:
        self._stream = stream
        self.text = bytearray(FIRST_PIECE_BYTES)
        self._offset = self.start = self._end = 0
        self._at_end = self._row_seen = False
        self._fill()
        array = _array_place(self.text, self._end)
        self._in_rows = self._has_rows = array is not None
        self.start = self._end if array is None else array + 1
        self._head = bytes(self.text[: self._end if array is None else array])
        self.time = self._early_time() if time is None and self._has_rows else time
        """None where it is not known before the rows."""

    @property
    def offset(self) -> int:
        """The position of the next row in the text."""
        return self._offset + self.start

    @property
    def has_rows(self) -> bool:
        """False where `states` is no array."""
        return self._has_rows

    def advance(self) -> bool:
        """Go to the next row, reading on; False at the end of the rows."""
        if not self._in_rows:
            return False
        self._fill()
        separator = _COMMA.match(self.text, self.start, self._end) if self._row_seen else None
        if separator:
            self.start = separator.end()
        close = _CLOSE.match(self.text, self.start, self._end)
        if (separator and close) or (self._row_seen and not separator and not close):
            raise self._misplaced("a row after a comma, or the end of `states`")
        if close:
            self.start = close.end()
            self._in_rows = False
        self._row_seen = True
        return self._in_rows

    def likely_end(self) -> int:
        """The probable end of the last whole row in `text`; 0 if there is no visible border between rows."""
        return self.text.rfind(b"]]" if self._at_end else b"],[", self.start, self._end) + 1

    def certain_end(self) -> int:
        """The end of the last whole row in `text`; InvalidInput if there is none."""
        while (end := states_json.boundary(self.text, self.start, self._end)) == self.start:
            if self._at_end:
                raise self._misplaced("a row, or the end of `states`")
            if len(self.text) < PIECE_BYTES:
                self._fill()
                continue
            raise TooLarge.of("states", f"has a row of over {PIECE_BYTES} bytes at byte {self.offset}", "some 150")
        return end

    def envelope(self) -> SnapshotEnvelope:
        """The envelope around the rows, after reading all rows; InvalidInput if it is not a snapshot's."""
        self._fill()
        tail = bytes(self.text[self.start : self._end])
        if not self._at_end or len(tail) > _MAX_TAIL_BYTES:
            raise TooLarge.of("snapshot", "holds too much beside `states`", f"at most {_MAX_TAIL_BYTES} bytes there")
        states_json.require_utf8(self._head, 0)
        states_json.require_utf8(tail, self.offset)
        text = self._head + (b"[]" + tail if self._has_rows else b"")
        try:
            return msgspec.json.decode(text, type=SnapshotEnvelope)
        except msgspec.ValidationError as error:
            raise _mistyped(error) from error
        except msgspec.DecodeError as error:
            skipped = self.offset + len(tail) - len(text)
            raise states_json.malformed(error, text, 0, skipped_from=len(self._head), skipped=skipped) from error

    def reread(self, spool: BinaryIO) -> "SnapshotText":
        """The same document with its `time` known, at the cost of a copy in `spool` and a walk through it."""
        spool.write(memoryview(self.text)[: self._end])
        while self._end == len(self.text) and not self._at_end:
            self.start = self._end
            self._fill()
            spool.write(memoryview(self.text)[self.start : self._end])
        spool.seek(0)
        first = SnapshotText(Stream(spool, self._stream.max_bytes))
        while first.advance():
            first.start = first.certain_end()
        time = first.envelope().time
        spool.seek(0)
        return SnapshotText(Stream(spool, self._stream.max_bytes), time)

    def _fill(self) -> None:
        """Move the remaining bytes, and the byte before them, to the front of the buffer, and fill the rest."""
        if self._at_end:
            return
        behind = max(self.start - 1, 0)
        kept = self.text[behind : self._end]
        if self._row_seen and len(self.text) < PIECE_BYTES:
            self.text = bytearray(2 * len(self.text))
        self.text[: len(kept)] = kept
        self._offset += behind
        self.start -= behind
        self._end -= behind
        self._end += self._stream.read_into(memoryview(self.text)[self._end :])
        self._at_end = self._end < len(self.text)

    def _early_time(self) -> int | None:
        try:
            return msgspec.json.decode(self._head + b"[]}", type=_Head).time
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None  # the envelope reports the error

    def _misplaced(self, expected: str) -> InvalidInput:
        near = bytes(self.text[self.start : min(self.start + 20, self._end)])
        what = f"has {near.decode(errors='replace')!r} at byte {self.offset}" if near else f"ends at byte {self.offset}"
        return InvalidInput.of("snapshot", what, expected)


def _array_place(text: bytearray, end: int) -> int | None:
    """The start of the top-level array `states`; None if there is none, or no JSON before it."""
    opening = _OBJECT.match(text, 0, end)
    place = opening.end() if opening else end
    while key := _KEY.match(text, place, end):
        if _spells_states(key[1]):
            return key.end() if text[key.end() : key.end() + 1] == b"[" else None
        value = states_json.value_end(text, key.end(), end)
        comma = _COMMA.match(text, value, end)
        if not comma:
            break
        place = comma.end()
    return None


def _spells_states(key: bytes) -> bool:
    try:
        return msgspec.json.decode(key, type=str) == "states"
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def _mistyped(error: msgspec.ValidationError) -> InvalidInput:
    message = str(error).replace("`", "").replace("$.", "").replace(" | null", " or null")
    what, _, field = message.partition(" - at ")
    return InvalidInput.of(
        field or "snapshot", what, "an object with `time`, s since 1970, and `states`, an array or null"
    )

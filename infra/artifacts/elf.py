"""Remove from shared objects what the loader never maps: symbol tables, debug information, section headers.

`strip` does this only on some machines for some architectures, and it moves segments, which breaks some libraries
(scipy's OpenBLAS). Here the segments keep their bytes and their alignment on every architecture. The layout follows
System V's generic ABI, chapters 4 and 5.
"""

import struct
from dataclasses import dataclass, replace

PAGE = 4096
"""Bytes of a page on Lambda's machines of both architectures. Libraries for arm64 are laid out for other kernels' pages
of 64 KiB, and a quarter of them is padding."""
MAGIC = b"\x7fELF\x02\x01"  # 64 bits, little-endian: the only kind that Lambda runs
HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SEGMENT = struct.Struct("<IIQQQQQQ")
NULL, LOAD, DYNAMIC = 0, 1, 2
ENTRY = struct.Struct("<qQ")
END_OF_TABLE, NEEDED, STRINGS = 0, 1, 5


class NotAnObject(ValueError):
    """The bytes are not a 64-bit little-endian shared object."""


@dataclass(frozen=True)
class Segment:
    """One program header: a range of the file, and its mapping."""

    kind: int
    flags: int
    offset: int
    address: int
    physical: int
    size: int
    memory: int
    alignment: int

    @property
    def end(self) -> int:
        return self.offset + self.size


def is_object(content: bytes) -> bool:
    """Whether `stripped` accepts these bytes."""
    return content.startswith(MAGIC)


def segments(content: bytes) -> list[Segment]:
    """The program headers; NotAnObject if they cannot be read."""
    if not is_object(content):
        raise NotAnObject("expected a 64-bit little-endian ELF object")
    _, _, _, _, _, table, _, _, _, size, count, *_ = HEADER.unpack_from(content)
    if size != SEGMENT.size:
        raise NotAnObject(f"its program headers have {size} bytes, expected {SEGMENT.size}")
    return [_read(content, table + index * size) for index in range(count)]


def _read(content: bytes, at: int) -> Segment:
    kind, flags, offset, address, physical, size, memory, alignment = SEGMENT.unpack_from(content, at)
    return Segment(kind, flags, offset, address, physical, size, memory, alignment)


def stripped(content: bytes) -> bytes:
    """The object without the bytes outside its segments; each segment keeps its address, congruent to its offset.

    Gaps between segments are closed by whole pages, which keeps offsets and addresses congruent
    (gABI: p_offset = p_vaddr modulo p_align), and no segment is aligned to more than a page. Raises NotAnObject.
    """
    headers = segments(content)
    table = HEADER.unpack_from(content)[5]
    kept = _merged(
        [(0, HEADER.size), (table, table + len(headers) * SEGMENT.size)]
        + [(each.offset, each.end) for each in headers if each.kind != NULL and each.size]
    )
    moved: list[tuple[int, int, int]] = []  # start, end, and the range's shift towards the beginning
    shift, previous = 0, 0
    for start, end in kept:
        shift += (start - previous) // PAGE * PAGE
        moved.append((start, end, shift))
        previous = end

    def shift_at(offset: int) -> int:
        return next((shift for start, end, shift in moved if start <= offset <= end), 0)

    result = bytearray(moved[-1][1] - moved[-1][2])
    for start, end, shift in moved:
        result[start - shift : end - shift] = content[start:end]
    lighter = [
        replace(
            each,
            offset=each.offset - shift_at(each.offset),
            alignment=min(each.alignment, PAGE) if each.kind == LOAD else each.alignment,
        )
        for each in headers
    ]
    _write_headers(result, content, lighter, table - shift_at(table))
    return bytes(result)


def needed(content: bytes) -> tuple[str, ...]:
    """The names of the libraries that the loader loads with this object (DT_NEEDED), in order."""
    headers = segments(content)
    entries = [entry for _, entry in _dynamic(content, headers)]
    strings = next((value for tag, value in entries if tag == STRINGS), 0)
    return tuple(_string(content, headers, strings + value) for tag, value in entries if tag == NEEDED)


def unlinked(content: bytes, libraries: frozenset[str]) -> bytes:
    """The object without its dependency on these libraries, of which it uses no symbol."""
    headers = segments(content)
    entries = _dynamic(content, headers)
    strings = next((value for _, (tag, value) in entries if tag == STRINGS), 0)
    kept = [
        (tag, value)
        for _, (tag, value) in entries
        if tag != NEEDED or _string(content, headers, strings + value) not in libraries
    ]
    result = bytearray(content)
    for (at, _), (tag, value) in zip(entries, kept + [(END_OF_TABLE, 0)] * (len(entries) - len(kept)), strict=True):
        ENTRY.pack_into(result, at, tag, value)
    return bytes(result)


def _dynamic(content: bytes, headers: list[Segment]) -> list[tuple[int, tuple[int, int]]]:
    """The entries of the dynamic table with their offsets in the file."""
    found: list[tuple[int, tuple[int, int]]] = []
    for each in headers:
        if each.kind == DYNAMIC:
            for at in range(each.offset, each.end, ENTRY.size):
                tag, value = ENTRY.unpack_from(content, at)
                if tag == END_OF_TABLE:
                    break
                found.append((at, (tag, value)))
    return found


def _string(content: bytes, headers: list[Segment], address: int) -> str:
    for each in headers:
        if each.kind == LOAD and each.address <= address < each.address + each.size:
            start = each.offset + address - each.address
            return content[start : content.index(b"\0", start)].decode("ascii")
    raise NotAnObject(f"address {address:#x} is in no segment")


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _write_headers(result: bytearray, content: bytes, headers: list[Segment], table: int) -> None:
    header = list(HEADER.unpack_from(content))
    header[5] = table
    header[6] = header[12] = header[13] = 0  # no section headers: their offset, their number, the index of their names
    HEADER.pack_into(result, 0, *header)
    for index, each in enumerate(headers):
        SEGMENT.pack_into(
            result, table + index * SEGMENT.size, each.kind, each.flags, each.offset, each.address, each.physical,
            each.size, each.memory, each.alignment,
        )  # fmt: skip

"""Bounded streams: read ahead by one, gzip in and out."""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import TypeVar

from chalicelib.errors import InvalidInput, TooLarge
from chalicelib.predictions.ports import Chunk

T = TypeVar("T")

INFLATED_CHUNK = 4 * 1024 * 1024
GZIP_PIECE = 64 * 1024
MAX_RATIO = 200
RATIO_FREE_BYTES = 256 * 1024 * 1024
"""Beyond this much text, gzip that unpacks to more than MAX_RATIO times its size is refused as a bomb."""
GZIP_LEVEL = 4


def read_ahead(items: Iterator[T]) -> Iterator[T]:
    """`items`, the next one fetched on another thread while one is used."""
    with ThreadPoolExecutor(1, thread_name_prefix="read") as thread:
        coming = thread.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield item


def gunzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The text inside gzip, in chunks of bounded size; members may follow each other.

    Raises InvalidInput ("corrupt_gzip") for a broken or cut stream, TooLarge ("gzip_bomb").
    """
    member = zlib.decompressobj(wbits=31)
    taken = given = 0
    started = False
    for piece in chain.from_iterable(map(_pieces, chunks)):
        taken += len(piece)
        rest = piece
        while rest:
            if member.eof:
                member, started = zlib.decompressobj(wbits=31), False
            try:
                text = member.decompress(rest, INFLATED_CHUNK)
            except zlib.error:
                raise InvalidInput.of("data_s3_uri", "is not whole gzip", "gzip", code="corrupt_gzip") from None
            started = True
            rest = member.unused_data if member.eof else member.unconsumed_tail
            given += len(text)
            if given > RATIO_FREE_BYTES and given > taken * MAX_RATIO:
                raise TooLarge.of(
                    "data_s3_uri", f"unpacks to over {MAX_RATIO} times its size", "plain CSV", code="gzip_bomb"
                )
            if text:
                yield text
    while started and not member.eof:
        text = member.decompress(member.unconsumed_tail, INFLATED_CHUNK)
        if not text:
            raise InvalidInput.of("data_s3_uri", "is cut short", "the whole gzip stream", code="corrupt_gzip")
        yield text


def _pieces(chunk: bytes) -> Iterator[bytes]:
    """Small pieces, because each member copies what follows it, and a member may have no more than 20 bytes."""
    return (chunk[at : at + GZIP_PIECE] for at in range(0, len(chunk), GZIP_PIECE))


def gzip_member(data: Chunk) -> bytes:
    """`data` as one gzip member without a time in it: the same bytes whenever and wherever it is made."""
    return gzip.compress(data, GZIP_LEVEL, mtime=0)

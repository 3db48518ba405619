"""Runs the worst inputs of functions in a process that may take no more memory than the function has.

    python -m tests.unit.limited CASE MIB

RLIMIT_DATA stands for Lambda's limit: it counts what a process allocates, not the libraries that it maps.
"""

import gzip
import io
import json
import resource
import sys
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from chalicelib.errors import OmnibusError

MIB = 1 << 20
TODAY = date(2026, 11, 21)


def snapshot_of_many_rows() -> Any:
    from benchmarks import traffic
    from chalicelib.flights import keys
    from tests.unit.flights.world import World

    world, time = World(), traffic.SNAPSHOT_TIME
    world.put(gzip.compress(traffic.snapshot(100_000), compresslevel=1), keys.raw_key(time))
    world.processing.process(keys.raw_key(time))
    world.validation.validate(keys.processed_key(time))
    run = world.runs.find(keys.tracking_id(time))
    return {"status": str(run and run.status), "rows": run and run.rows}


def squeezed(pieces: Iterator[bytes]) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1) as file:
        for piece in pieces:
            file.write(piece)
    return out.getvalue()


BOMBS: dict[str, Callable[[], Iterator[bytes]]] = {
    "zeros": lambda: iter([b"0" * MIB] * 450),
    "open lists": lambda: iter([b"[" * MIB] * 450),
    "empty lists": lambda: iter([b'{"time":1763726400,"states":[', *[b"[]," * (MIB // 3)] * 390, b"[]]}"]),
    "one text": lambda: iter([b'{"time":1763726400,"states":[["', *[b"a" * MIB] * 390, b'"]]}']),
    "many numbers": lambda: iter([b'{"time":1763726400,"states":[[', *[b"1," * (MIB // 2)] * 390, b"1]]}"]),
    "many keys": lambda: iter([b'{"time":1763726400,"states":null', *[b',"a":0' * (MIB // 6)] * 390, b"}"]),
}


def bomb(name: str) -> Any:
    from tests.unit.flights.world import RAW, World

    world = World()
    world.put(squeezed(BOMBS[name]()))
    world.processing.process(RAW)
    return {"status": world.run().status}


def file_of(head: str, piece: str, tail: str) -> bytes:
    from chalicelib.spendsense.models import MAX_IMPORT_BYTES

    size = MAX_IMPORT_BYTES - len(head) - len(tail)
    return (head + piece * (size // len(piece)) + tail).encode()


IMPORTS: dict[str, tuple[str, str, str]] = {
    "empty objects": ('{"transactions":[', "{},", "{}]}"),
    "small objects": ('{"transactions":[', '{"a":0},', "{}]}"),
    "empty lists": ('{"transactions":[', "[],", "[]]}"),
    "open lists": ("", "[", ""),
    "numbers": ('{"transactions":[', "1,", "1]}"),
    "short rows": ("account_id\n", "a\n", ""),
    "commas": ("account_id\n", ",", "\n"),
    "many columns": ("account_id,", "b,", "c\n1\n"),
    "a quote": ('account_id\n"', "a", ""),
}


def import_of(name: str) -> Any:
    from chalicelib.spendsense.models import ImportQuery
    from chalicelib.spendsense.statements import from_csv, from_json

    raw = file_of(*IMPORTS[name])
    statement = from_csv(raw, ImportQuery(), TODAY) if raw.startswith(b"account_id") else from_json(raw, TODAY)
    return {"transactions": len(statement.transactions)}


def photo() -> Any:
    from tests.unit.uploads.house import House

    house = House()
    session = house.opened()
    key = house.permitted(session)
    house.uploaded(key, b"\xff\xd8\xff" + bytes(20 * MIB))
    house.arrives(key)
    return {"status": str(house.session(session).status)}


def main(case: str, mib: int) -> dict[str, Any]:
    """What a case gives within so many MiB: its result, or the code of the refusal."""
    kind, _, name = case.partition(":")
    run = {"rows": snapshot_of_many_rows, "bomb": lambda: bomb(name), "import": lambda: import_of(name), "photo": photo}
    resource.setrlimit(resource.RLIMIT_DATA, (mib * MIB, mib * MIB))
    try:
        found: dict[str, Any] = run[kind]()
    except OmnibusError as error:
        found = {"code": error.code}
    return {**found, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], int(sys.argv[2]))) + "\n")

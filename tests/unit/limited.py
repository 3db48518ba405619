"""Runs the worst inputs of functions in a process that may take no more memory than the function has.

    python -m tests.unit.limited CASE MIB

RLIMIT_DATA stands for Lambda's limit: it counts what a process allocates, not the libraries that it maps.
"""

import base64
import gzip
import io
import json
import resource
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from chalicelib.errors import OmnibusError

MIB = 1 << 20


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


BOMBS: dict[str, tuple[str, str, str]] = {
    "zeros": ("", "0", ""),
    "open lists": ("", "[", ""),
    "empty lists": ('{"time":1763726400,"states":[', "[],", "[]]}"),
    "one text": ('{"time":1763726400,"states":[["', "a", '"]]}'),
    "half a character": ('{"time":1763726400,"states":[["', "a", '\\ud800"]]}'),
    "many numbers": ('{"time":1763726400,"states":[[', "1,", "1]]}"),
    "many keys": ('{"time":1763726400,"states":null', ',"a":0', "}"),
}


def pieces_of(name: str, mib: int) -> Iterator[bytes]:
    """The pieces of a bomb of so many MiB."""
    head, piece, tail = (part.encode() for part in BOMBS[name])
    yield head
    yield from [piece * (MIB // len(piece))] * mib
    yield tail


def bomb(name: str) -> Any:
    from tests.unit.flights.world import RAW, World

    world = World()
    world.put(squeezed(pieces_of(name, 450)))
    world.processing.process(RAW)
    return {"status": world.run().status}


def poll(name: str) -> Any:
    """An answer of OpenSky's of the largest size that is read, taken in by a whole poll."""
    from chalicelib.adapters.flights.opensky import MAX_ANSWER_BYTES, OpenSky
    from chalicelib.flights.ingest import Ingestion
    from tests.fakes.clock import Clock
    from tests.fakes.flights import FakeAlerts, FakeBucket, FakeEmit, FakeGuard, FakeRuns

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002  # the base class names it so
            """Keep quiet."""

    answer = squeezed(pieces_of(name, MAX_ANSWER_BYTES // MIB - 1))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    source = OpenSky(
        url=url, token_url=url, credentials=lambda: None, clock=lambda: datetime.now(UTC), deadline_s=300.0
    )
    clock = Clock()
    guards: dict[str, Any] = dict.fromkeys(("guard", "throttle", "notices"), FakeGuard(clock))
    places: dict[str, Any] = {"bucket": FakeBucket(clock), "runs": FakeRuns(), "alerts": FakeAlerts()}
    options: dict[str, Any] = {"emit": FakeEmit(), "box": None, "daily_credits": 4000, "clock": clock}
    ingestion = Ingestion(source=source, **places, **guards, **options)
    return ingestion.poll()


GATEWAYS_MOST = 10 * MIB
"""The largest body that API Gateway takes; the application's own limit is less than half of it."""


def file_of(size: int, head: str, piece: str, tail: str) -> bytes:
    return (head + piece * ((size - len(head) - len(tail)) // len(piece)) + tail).encode()


IMPORTS: dict[str, tuple[str, str, str]] = {
    "rows": ("account_id,date,amount,name\n", f"a,2026-11-01,-1.00,{'a shop of many' * 12}\n", ""),
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


def import_of(name: str, size: int) -> bytes:
    """A bank's file in the event that Lambda hands over, CSV as base64."""
    from tests.app.spendsense.tokens import OLGA, OPERATOR

    raw = file_of(size, *IMPORTS[name])
    is_csv = raw.startswith(b"account_id")
    body = base64.b64encode(raw).decode() if is_csv else raw.decode()
    kind = "text/csv" if is_csv else "application/json"
    event = {
        "requestContext": {
            "resourcePath": "/api/v1/operator/users/{user_id}/imports",
            "httpMethod": "POST",
            "requestId": "request",
            "path": "/",
            "authorizer": {"claims": {"sub": str(OLGA)}},
        },
        "pathParameters": {"user_id": str(OLGA)},
        "multiValueQueryStringParameters": {"dry_run": ["true"]},
        "headers": {"content-type": kind, **{name.lower(): text for name, text in OPERATOR.items()}},
        "stageVariables": None,
        "body": body,
        "isBase64Encoded": is_csv,
    }
    return json.dumps(event).encode()


def answered(event: bytes) -> Any:
    """What the whole application answers, from the event's text on."""
    answer = application()(json.loads(event), None)
    return {"status": answer["statusCode"], "body": answer["body"][:200]}


@cache
def application() -> Any:
    """The application over people in memory, loaded as it is before the first event."""
    import app as module
    from chalicelib.settings import Settings
    from chalicelib.spendsense.catalogue import packaged_catalogue
    from chalicelib.spendsense.desk import OperatorDesk
    from chalicelib.spendsense.identity import Doorkeeper
    from chalicelib.spendsense.imports import Imports
    from chalicelib.spendsense.models import ProfileChange
    from chalicelib.wiring import Services
    from tests.app.spendsense.tokens import OLGA
    from tests.contract.spendsense_people import NOW
    from tests.environment import ENVIRONMENT
    from tests.fakes.spendsense import FakePeople
    from tests.fakes.spendsense_aws import FakeAnnouncements, FakePools

    people: Any = FakePeople()
    people.register(OLGA, ProfileChange(display_name="Olga"), NOW)
    imports = Imports(ledger=people, announcements=FakeAnnouncements(), clock=lambda: NOW)
    ports = dict.fromkeys(("oversight", "people", "explanations", "reviews", "audit"), people)
    services = Services(Settings.from_environ(ENVIRONMENT))
    services.spendsense.doorkeeper = Doorkeeper(pools=FakePools(), audit=people, clock=lambda: NOW)
    services.spendsense.desk = OperatorDesk(**ports, imports=imports, catalogue=packaged_catalogue(), clock=lambda: NOW)
    module.services = lambda: services
    return module.app


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
    run = {"rows": snapshot_of_many_rows, "bomb": lambda: bomb(name), "poll": lambda: poll(name), "photo": photo}
    if kind in {"import", "large import"}:
        from chalicelib.spendsense.models import MAX_IMPORT_BYTES

        event = import_of(name, MAX_IMPORT_BYTES if kind == "import" else GATEWAYS_MOST)
        application()
        run[kind] = lambda: answered(event)
    resource.setrlimit(resource.RLIMIT_DATA, (mib * MIB, mib * MIB))
    try:
        found: dict[str, Any] = run[kind]()
    except OmnibusError as error:
        found = {"code": error.code}
    return {**found, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], int(sys.argv[2]))) + "\n")

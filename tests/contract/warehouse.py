"""A PostgreSQL of the tests' own, behind the local Redshift Data API; started once, on first use."""

import atexit
import functools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
from botocore.config import Config

from chalicelib.adapters.redshift import RedshiftData
from local.redshift.api import DataApi
from local.redshift.server import RedshiftServer, own_engine, with_database
from local.redshift.statements import Statements
from local.season.generator import Season
from local.season.load import create_schema, load_by_inserts
from tests.patience import PATIENCE_S

TARGET = {"WorkgroupName": "omnibus", "Database": "omnibus"}


_running = ExitStack()
atexit.register(_running.close)


@functools.cache
def engine() -> str:
    """The URL of an engine that stops, and is forgotten, with the process."""
    folder = _running.enter_context(TemporaryDirectory(prefix="omnibus-pg-"))
    return _running.enter_context(own_engine(Path(folder)))


@contextmanager
def served(database: str = "omnibus", *, slots: int = 4, **options: Any) -> Iterator[RedshiftServer]:
    """A server over a database of the engine; the options are DataApi's and Statements'."""
    of_api = {name: options.pop(name) for name in ("max_waiting",) if name in options}
    statements = Statements(with_database(engine(), database), slots=slots, **options)
    with RedshiftServer(DataApi(statements, **of_api)) as server:
        yield server


def sdk_client(url: str, **config: Any) -> Any:
    """boto3's client of the Data API at `url`."""
    return boto3.client(
        "redshift-data",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=PATIENCE_S, **config),
    )


def adapter(url: str, *, budget_s: float = 30.0, **options: Any) -> RedshiftData:
    """Our adapter, on the server at `url`."""
    return RedshiftData(sdk_client(url), TARGET, budget_s=budget_s, **options)


def load(redshift: RedshiftData, season: Season) -> None:
    """`season` in the tables, and nothing else."""
    create_schema(redshift)
    load_by_inserts(season, redshift, lambda *_: None)

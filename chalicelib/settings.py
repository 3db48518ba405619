"""All settings from the environment, read once, as frozen values.

Each field names its variable, its parser and its default; a field without a default must be set. One error
names every missing or malformed variable, and the expected values.
"""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, cast

from msgspec import UNSET, Struct
from msgspec.structs import fields

T = TypeVar("T")

STAGES = ("local", "dev", "staging", "prod")
OVERLAY = "OMNIBUS_ENVIRONMENT"
CLOUD_FILE = ".local/cloud.json"
ROLE_KEYS = frozenset({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"})
ORIGIN = r"https?://[^/\sA-Z]+"
"""An Origin as browsers send it, in lower case; any other spelling would match no request."""


class SettingsError(Exception):
    """The environment is invalid; the message names every wrong variable."""


def _text(raw: str) -> str:
    if not raw:
        raise ValueError("a non-empty text")
    return raw


def _flag(raw: str) -> bool:
    if raw.lower() not in {"true", "false", "1", "0"}:
        raise ValueError("true or false")
    return raw.lower() in {"true", "1"}


def _stage(raw: str) -> str:
    if raw not in STAGES:
        raise ValueError("one of " + ", ".join(STAGES))
    return raw


def _currency(raw: str) -> str:
    if not re.fullmatch(r"[A-Z]{3}", raw):
        raise ValueError("the ISO code of the currency of every amount in the warehouse, such as USD")
    return raw


def _origins(raw: str) -> frozenset[str]:
    origins = frozenset(part.strip() for part in raw.split(",") if part.strip())
    if not all(origin == "*" or re.fullmatch(ORIGIN, origin) for origin in origins):
        raise ValueError("origins such as https://app.example.com, without a path, separated by commas")
    return origins


def _number(kind: Callable[[str], T], low: float, high: float) -> Callable[[str], T]:
    def parse(raw: str) -> T:
        expected = f"a number from {low:g} to {high:g}"
        try:
            value = kind(raw)
        except ValueError:
            raise ValueError(expected) from None
        if not low <= cast(float, value) <= high:
            raise ValueError(expected)
        return value

    return parse


def _json_object(raw: str) -> Mapping[str, Any]:
    try:
        value = json.loads(raw)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ValueError("a JSON object")
    return value


def _box(raw: str) -> tuple[float, float, float, float] | None:
    if not raw:
        return None
    try:
        south, west, north, east = (float(part) for part in raw.split(","))
    except ValueError:
        raise ValueError("lamin,lomin,lamax,lomax in degrees, or nothing for the whole world") from None
    if not (-90 <= south < north <= 90 and -180 <= west < east <= 180):
        raise ValueError("lamin,lomin,lamax,lomax in degrees, the minimum before the maximum")
    return south, west, north, east


def _places(raw: str) -> tuple[tuple[str, str], ...]:
    places = []
    for part in filter(None, (part.strip() for part in raw.split(","))):
        scheme, _, rest = part.partition("://")
        bucket, _, prefix = rest.partition("/")
        if scheme != "s3" or not bucket or (prefix and not prefix.endswith("/")):
            raise ValueError("s3://bucket/ or s3://bucket/prefix/, separated by commas")
        places.append((bucket, prefix))
    return tuple(places)


_any_text: Callable[[str], Any] = _text


class Variable(Struct, frozen=True):
    """How to read a field: its variable, its parser, and its default (UNSET if it must be set)."""

    name: str
    parse: Callable[[str], Any]
    default: Any


class Family(Struct, frozen=True):
    """A field that holds every variable whose name begins with `prefix`, keyed by the rest of the name."""

    prefix: str


class Section(Struct, frozen=True):
    """A field that is a group of settings."""

    kind: type


def variable(name: str, parse: Callable[[str], T] = _any_text, default: T | Any = UNSET) -> T:
    """Declare a field from the environment variable `name`."""
    return cast(T, Variable(name, parse, default))


def section(kind: type[T]) -> T:
    """Declare a field that is a group of settings."""
    return cast(T, Section(kind))


class AwsSettings(Struct, frozen=True, kw_only=True):
    """The region, the endpoints and the credentials of every AWS client.

    Without an access key, the SDK finds the credentials itself, as it always does in Lambda (the function's role).
    """

    region: str = variable("AWS_DEFAULT_REGION", str, "")
    access_key_id: str = variable("AWS_ACCESS_KEY_ID", str, "")
    secret_access_key: str = variable("AWS_SECRET_ACCESS_KEY", str, "")
    session_token: str = variable("AWS_SESSION_TOKEN", str, "")
    endpoint: str = variable("AWS_ENDPOINT_URL", str, "")
    endpoints: Mapping[str, str] = cast(Any, Family("AWS_ENDPOINT_URL_"))

    def endpoint_of(self, service: str) -> str | None:
        """The endpoint of a service by boto3's name; None for AWS's own."""
        return self.endpoints.get(service.replace("-", "_").upper()) or self.endpoint or None


class FlightsSettings(Struct, frozen=True, kw_only=True):
    """The resources of the flights pipeline."""

    bucket: str = variable("OMNIBUS_FLIGHTS_BUCKET")
    runs_table: str = variable("OMNIBUS_FLIGHTS_RUNS_TABLE")
    guard_table: str = variable("OMNIBUS_FLIGHTS_GUARD_TABLE")
    alerts_topic_arn: str = variable("OMNIBUS_FLIGHTS_ALERTS_TOPIC_ARN")
    process_function: str = variable("OMNIBUS_FLIGHTS_PROCESS_FUNCTION")
    workgroup: str = variable("OMNIBUS_FLIGHTS_WORKGROUP")
    database: str = variable("OMNIBUS_FLIGHTS_DATABASE")
    opensky_url: str = variable("OPENSKY_URL", default="https://opensky-network.org")
    opensky_token_url: str = variable(
        "OPENSKY_TOKEN_URL",
        default="https://auth.opensky-network.org/auth/realms/opensky-network/protocol/openid-connect/token",
    )
    opensky_secret_arn: str = variable("OMNIBUS_FLIGHTS_OPENSKY_SECRET_ARN", str, "")
    daily_credits: int = variable("OMNIBUS_FLIGHTS_DAILY_CREDITS", _number(int, 1, 1_000_000), 4000)
    box: tuple[float, float, float, float] | None = variable("OMNIBUS_FLIGHTS_BOX", _box, None)
    strict: bool = variable("STRICT_MODE", _flag, False)
    thresholds: Mapping[str, Any] | None = variable("OMNIBUS_FLIGHTS_THRESHOLDS", _json_object, None)


class PredictionsSettings(Struct, frozen=True, kw_only=True):
    """Allowed places of models, data and output, and the size limits of one call and of one part.

    Places are pairs of bucket and prefix. Without `workers`, each processor gets one.
    """

    models: tuple[tuple[str, str], ...] = variable("OMNIBUS_PREDICTIONS_MODELS", _places)
    data: tuple[tuple[str, str], ...] = variable("OMNIBUS_PREDICTIONS_DATA", _places)
    output: tuple[tuple[str, str], ...] = variable("OMNIBUS_PREDICTIONS_OUTPUT", _places)
    scratch_bucket: str = variable("OMNIBUS_PREDICTIONS_SCRATCH_BUCKET")
    jobs_table: str = variable("OMNIBUS_PREDICTIONS_JOBS_TABLE")
    state_machine_arn: str = variable("OMNIBUS_PREDICTIONS_STATE_MACHINE_ARN")
    signing_key_arn: str = variable("OMNIBUS_PREDICTIONS_SIGNING_KEY_ARN")
    function: str = variable("OMNIBUS_PREDICTIONS_FUNCTION")
    single_call_bytes: int = variable(
        "OMNIBUS_PREDICTIONS_SINGLE_CALL_BYTES", _number(int, 1, 1 << 50), 512 * 1024 * 1024
    )
    part_bytes: int = variable("OMNIBUS_PREDICTIONS_PART_BYTES", _number(int, 1, 1 << 40), 64 * 1024 * 1024)
    workers: int = variable("OMNIBUS_PREDICTIONS_WORKERS", _number(int, 0, 64), 0)


class UploadsSettings(Struct, frozen=True, kw_only=True):
    """The resources of upload sessions, and the limits of one client."""

    bucket: str = variable("OMNIBUS_UPLOADS_BUCKET")
    sessions_table: str = variable("OMNIBUS_UPLOADS_SESSIONS_TABLE")
    counters_table: str = variable("OMNIBUS_UPLOADS_COUNTERS_TABLE")
    outbox_url: str = variable("OMNIBUS_UPLOADS_OUTBOX_URL")
    sessions_per_client: int = variable("OMNIBUS_UPLOADS_SESSIONS_PER_CLIENT", _number(int, 1, 1_000_000), 60)
    max_bytes: int = variable("OMNIBUS_UPLOADS_MAX_BYTES", _number(int, 1, 5_000_000_000), 20 * 1024 * 1024)


class ConcertsSettings(Struct, frozen=True, kw_only=True):
    """The warehouse, the models and the chat of the concerts; an empty name turns that part off.

    The sum of a request's budgets must fit in API Gateway's 29 s.
    """

    redshift_workgroup: str = variable("OMNIBUS_CONCERTS_REDSHIFT_WORKGROUP", str, "omnibus")
    redshift_cluster: str = variable("OMNIBUS_CONCERTS_REDSHIFT_CLUSTER", str, "")
    redshift_database: str = variable("OMNIBUS_CONCERTS_REDSHIFT_DATABASE", _text, "omnibus")
    redshift_db_user: str = variable("OMNIBUS_CONCERTS_REDSHIFT_DB_USER", str, "")
    redshift_secret_arn: str = variable("OMNIBUS_CONCERTS_REDSHIFT_SECRET_ARN", str, "")
    currency: str = variable("OMNIBUS_CONCERTS_CURRENCY", _currency, "USD")
    query_budget_s: float = variable("OMNIBUS_CONCERTS_QUERY_BUDGET_S", _number(float, 1, 28), 10.0)
    fresh_for_s: float = variable("OMNIBUS_CONCERTS_FRESH_FOR_S", _number(float, 0, 3600), 60.0)
    sagemaker_endpoint: str = variable("OMNIBUS_CONCERTS_SAGEMAKER_ENDPOINT", str, "")
    sagemaker_budget_s: float = variable("OMNIBUS_CONCERTS_SAGEMAKER_BUDGET_S", _number(float, 1, 20), 5.0)
    predict_function: str = variable("OMNIBUS_CONCERTS_PREDICT_FUNCTION")
    sessions_table: str = variable("OMNIBUS_CONCERTS_SESSIONS_TABLE")
    agent_id: str = variable("OMNIBUS_CONCERTS_AGENT_ID", str, "")
    agent_alias_id: str = variable("OMNIBUS_CONCERTS_AGENT_ALIAS_ID", str, "")
    model_id: str = variable("OMNIBUS_CONCERTS_MODEL_ID", str, "")
    chat_budget_s: float = variable("OMNIBUS_CONCERTS_CHAT_BUDGET_S", _number(float, 1, 28), 15.0)


class SpendsenseSettings(Struct, frozen=True, kw_only=True):
    """The database and the user pool of SpendSense, both described by secrets, and the bus its jobs talk over.

    The login of `database_secret_arn` owns nothing; only `migrate` signs in as the owner of the tables.
    `authorities` is the file of certificate authorities that verify the database, or "system".
    `database_host` and `database_name`, if given, override the secret. Records of job runs and refused accesses are
    kept for `retention_days`.
    """

    database_secret_arn: str = variable("OMNIBUS_SPENDSENSE_DATABASE_SECRET_ARN")
    owner_secret_arn: str = variable("OMNIBUS_SPENDSENSE_OWNER_SECRET_ARN", str, "")
    cognito_secret_arn: str = variable("OMNIBUS_SPENDSENSE_COGNITO_SECRET_ARN")
    event_bus: str = variable("OMNIBUS_SPENDSENSE_EVENT_BUS", _text, "default")
    authorities: str = variable("OMNIBUS_SPENDSENSE_DATABASE_AUTHORITIES", _text, "system")
    statement_timeout_s: int = variable("OMNIBUS_SPENDSENSE_STATEMENT_TIMEOUT_S", _number(int, 1, 28), 10)
    database_host: str = variable("OMNIBUS_SPENDSENSE_DATABASE_HOST", str, "")
    database_name: str = variable("OMNIBUS_SPENDSENSE_DATABASE_NAME", str, "")
    retention_days: int = variable("OMNIBUS_SPENDSENSE_RETENTION_DAYS", _number(int, 1, 3650), 365)


class Settings(Struct, frozen=True, kw_only=True):
    """The whole application's settings; a group for each workload."""

    stage: str = variable("OMNIBUS_STAGE", _stage)
    cors_origins: frozenset[str] = variable("OMNIBUS_CORS_ORIGINS", _origins, frozenset())
    page_origins: frozenset[str] = variable("OMNIBUS_PAGE_ORIGINS", _origins, frozenset())
    operator_secret_arn: str = variable("OMNIBUS_OPERATOR_SECRET_ARN", str, "")
    chat_needs_key: bool = variable("OMNIBUS_CHAT_NEEDS_KEY", _flag, False)
    chats_per_address: int = variable("OMNIBUS_CHATS_PER_ADDRESS", _number(int, 1, 1_000_000), 120)
    stack: str = variable("POWERTOOLS_SERVICE_NAME", _text, "omnibus")
    sockets_endpoint: str = variable("OMNIBUS_SOCKETS_ENDPOINT", str, "")
    aws: AwsSettings = section(AwsSettings)
    concerts: ConcertsSettings = section(ConcertsSettings)
    flights: FlightsSettings = section(FlightsSettings)
    predictions: PredictionsSettings = section(PredictionsSettings)
    spendsense: SpendsenseSettings = section(SpendsenseSettings)
    uploads: UploadsSettings = section(UploadsSettings)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """The settings in `environ`; SettingsError names every wrong variable."""
        problems: list[str] = []
        settings = _read(cls, with_overlay(with_file(environ), problems), problems)
        if not problems and "*" in settings.cors_origins and settings.stage != "local":
            problems.append("OMNIBUS_CORS_ORIGINS: is '*'; expected a list of origins ('*' is for stage local only)")
        if problems:
            raise SettingsError("The environment is not valid:\n" + "\n".join(f"  {line}" for line in problems))
        return settings


def with_file(environ: Mapping[str, str]) -> Mapping[str, str]:
    """`environ` over the "environment" of the JSON file that OMNIBUS_ENVIRONMENT_FILE names, if it names one.

    `make up` writes such a file for `chalice local` and scripts. In stage `local`, an environment that names
    neither a file nor a bucket reads CLOUD_FILE. The file replaces all of boto3's variables: otherwise a developer's
    own profile or session token would reach the local cloud, which refuses it.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" in environ:  # its environment is complete, and its role's keys change
        return {name: value for name, value in environ.items() if name not in ROLE_KEYS}
    path = environ.get("OMNIBUS_ENVIRONMENT_FILE", "")
    if not path and environ.get("OMNIBUS_STAGE") == "local" and "OMNIBUS_FLIGHTS_BUCKET" not in environ:
        path = CLOUD_FILE
    if not path:
        return environ
    if not os.path.exists(path):
        raise SettingsError(f"No local cloud is running: there is no {path}. Start it with `make up`.")
    with open(path, encoding="utf-8") as file:
        beneath = json.load(file)["environment"]
    return {**beneath, **{name: value for name, value in environ.items() if not name.startswith("AWS_")}}


def with_overlay(environ: Mapping[str, str], problems: list[str]) -> Mapping[str, str]:
    """`environ` under the variables of OMNIBUS_ENVIRONMENT, a JSON object of names and texts.

    A deployment sets one function's own variables this way, because CloudFormation cannot add to a map of variables.
    """
    raw = environ.get(OVERLAY)
    if not raw:
        return environ
    try:
        laid_over = _json_object(raw)
    except ValueError as error:
        problems.append(f"{OVERLAY}: is {raw!r}; expected {error} of variables")
        return environ
    known = set(_names(Settings))
    for name, value in laid_over.items():
        if name not in known:
            problems.append(f"{OVERLAY}: sets {name}, which is not a variable of the application")
        elif not isinstance(value, str):
            problems.append(f"{OVERLAY}: sets {name} to {value!r}; expected a text in quotes")
    return {**environ, **{name: value for name, value in laid_over.items() if isinstance(value, str)}}


def _names(kind: type) -> Iterator[str]:
    for item in fields(cast(Any, kind)):
        if isinstance(item.default, Section):
            yield from _names(item.default.kind)
        elif isinstance(item.default, Variable):
            yield item.default.name


def _read(kind: type[T], environ: Mapping[str, str], problems: list[str]) -> T:
    values: dict[str, Any] = {}
    for item in fields(cast(Any, kind)):
        declared = item.default
        if isinstance(declared, Section):
            values[item.name] = _read(declared.kind, environ, problems)
        elif isinstance(declared, Family):
            start = len(declared.prefix)
            values[item.name] = {name[start:]: url for name, url in environ.items() if name.startswith(declared.prefix)}
        else:
            values[item.name] = _value(declared, environ, problems)
    return kind(**values)


def _value(declared: Variable, environ: Mapping[str, str], problems: list[str]) -> Any:
    raw = environ.get(declared.name)
    if raw is None:
        if declared.default is UNSET:
            problems.append(f"{declared.name}: is missing")
        return declared.default
    try:
        return declared.parse(raw)
    except ValueError as error:
        problems.append(f"{declared.name}: is {raw!r}; expected {error}")
        return None

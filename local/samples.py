"""Sample events, and their placeholders for names that only a running cloud knows.

`local/events/FUNCTION.json` is an event as AWS sends it, with placeholders; docs/local-cloud.md lists them. A text that
consists of one placeholder becomes its value; in other texts, the value replaces the placeholder.
"""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from chalicelib.predictions.trust import MANIFEST_SUFFIX
from local.cloud import Cloud, CloudError
from local.servers import ROOT

EVENTS = ROOT / "local" / "events"
PLACEHOLDER = re.compile(r"\$\{([^}]+)\}")


def sample_of(function: str) -> Path:
    """The file with a function's sample event."""
    return EVENTS / f"{function}.json"


def read_event(path: Path) -> Any:
    """The event in a file, with its placeholders; CloudError if there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        there = ", ".join(sorted(each.name for each in EVENTS.glob("*.json")))
        raise CloudError(f"there is no event file {path}; {EVENTS.relative_to(ROOT)} has {there}") from None
    except (OSError, ValueError) as error:
        raise CloudError(f"{path} is not an event: {error}; expected a JSON file") from None


def filled(event: Any, cloud: Cloud) -> Any:
    """The event with every placeholder replaced; CloudError for an unknown one, or one without a match yet."""
    if isinstance(event, dict):
        return {name: filled(value, cloud) for name, value in event.items()}
    if isinstance(event, list):
        return [filled(value, cloud) for value in event]
    if not isinstance(event, str):
        return event
    whole = PLACEHOLDER.fullmatch(event)
    if whole is not None:
        return _value(whole[1], cloud)
    return PLACEHOLDER.sub(lambda found: str(_value(found[1], cloud)), event)


def _value(name: str, cloud: Cloud) -> Any:
    kind, _, argument = name.partition(":")
    if kind in RESOLVERS:
        return RESOLVERS[kind](cloud, argument)
    found: Any = asdict(cloud)
    for part in name.split("."):
        if not isinstance(found, Mapping) or part not in found:
            known = ", ".join(sorted(RESOLVERS))
            raise CloudError(f"${{{name}}}: expected an entry of cloud.json, or one of {known}")
        found = found[part]
    return found


def _now(_cloud: Cloud, _argument: str) -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _today(_cloud: Cloud, _argument: str) -> str:
    return datetime.now(UTC).date().isoformat()


def _unique(_cloud: Cloud, _argument: str) -> str:
    return str(uuid.uuid4())


def _newest(cloud: Cloud, argument: str) -> str:
    """`newest:BUCKET:PATTERN`: the key of the bucket's newest object that matches the pattern."""
    bucket, _, pattern = argument.partition(":")
    pages = cloud.client("s3").get_paginator("list_objects_v2").paginate(Bucket=cloud.buckets[bucket])
    fitting = [
        (item["LastModified"], item["Key"])
        for page in pages
        for item in page.get("Contents", [])
        if fnmatchcase(item["Key"], pattern)
    ]
    if not fitting:
        raise CloudError(f"bucket {bucket} has no object {pattern} yet; docs/local-cloud.md says how to create one")
    return str(max(fitting)[1])


def _newest_name(cloud: Cloud, argument: str) -> str:
    """The same object's name alone, without folders and extension."""
    return PurePosixPath(_newest(cloud, argument)).name.partition(".")[0]


def _features(cloud: Cloud, _argument: str) -> list[str]:
    """The features in the newest model's manifest."""
    key = _newest(cloud, f"models:*{MANIFEST_SUFFIX}")
    envelope = json.load(cloud.client("s3").get_object(Bucket=cloud.buckets["models"], Key=key)["Body"])
    return [each if isinstance(each, str) else each["name"] for each in json.loads(envelope["payload"])["features"]]


def _job(cloud: Cloud, _argument: str) -> str:
    """The id of the newest prediction job."""
    jobs = _items(cloud, "prediction-jobs")
    made = [(item["created_at"]["S"], item["job_id"]["S"]) for item in jobs if "created_at" in item]
    if not made:
        raise CloudError("there is no prediction job yet; POST /predictions makes one")
    return str(max(made)[1])


def _part(cloud: Cloud, _argument: str) -> Any:
    """The first part of the newest job's plan."""
    key = f"jobs/{_job(cloud, '')}/parts.json"
    storage = cloud.client("s3")
    try:
        body = storage.get_object(Bucket=cloud.buckets["predictions-scratch"], Key=key)["Body"].read()
    except storage.exceptions.NoSuchKey:
        raise CloudError("the newest prediction job has no plan yet; predict_plan makes it") from None
    return json.loads(body)[0]


def _session(cloud: Cloud, _argument: str) -> str:
    """The id of the newest upload session."""
    return str(_upload_session(cloud, "sessionId")["sessionId"]["S"])


def _socket(cloud: Cloud, _argument: str) -> str:
    """The id of a desktop's open socket."""
    return str(_upload_session(cloud, "wsConnectionId")["wsConnectionId"]["S"])


def _socket_session(cloud: Cloud, _argument: str) -> str:
    """The upload session of that socket."""
    return str(_upload_session(cloud, "wsConnectionId")["sessionId"]["S"])


def _upload_session(cloud: Cloud, attribute: str) -> Mapping[str, Any]:
    sessions = [item for item in _items(cloud, "upload-sessions") if attribute in item]
    if not sessions:
        raise CloudError(f"there is no upload session with {attribute} yet; open {cloud.rest_url}/upload in a browser")
    return max(sessions, key=lambda item: (item["createdAt"].get("S", ""), item["createdAt"].get("N", "")))


def _subject(cloud: Cloud, user: str) -> str:
    """`subject:USER`: the id of a test user."""
    known = cloud.users[user]
    found = cloud.client("cognito-idp").admin_get_user(UserPoolId=known["user_pool_id"], Username=known["username"])
    return str(next(each["Value"] for each in found["UserAttributes"] if each["Name"] == "sub"))


def _items(cloud: Cloud, table: str) -> list[Mapping[str, Any]]:
    pages = cloud.client("dynamodb").get_paginator("scan").paginate(TableName=cloud.tables[table])
    return [item for page in pages for item in page["Items"]]


RESOLVERS: Mapping[str, Callable[[Cloud, str], Any]] = {
    "now": _now,
    "today": _today,
    "unique": _unique,
    "newest": _newest,
    "newest_name": _newest_name,
    "features": _features,
    "job": _job,
    "part": _part,
    "session": _session,
    "socket": _socket,
    "socket_session": _socket_session,
    "subject": _subject,
}
"""Placeholders that are not entries of cloud.json: name -> function that returns the value."""

"""Object keys: functions of a snapshot's own time, so a repeated event writes to the same place.

`processed/` has the Parquet files of snapshots that are not compacted yet, `history/` the files of whole hours; both
contain only Parquet, because Athena reads each as one table. A snapshot's other files are in `index/` and `reports/`,
under the same partitions as `processed/`.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from chalicelib.errors import InvalidInput

RAW, PROCESSED, INDEX, REPORTS, QUARANTINE = "raw/", "processed/", "index/", "reports/", "quarantine/"
HISTORY = "history/"
HOUR_S = 3600

DAY_S = 86_400

_TRACKING_ID = re.compile(r"states_\d{1,11}")
_STEM = re.compile(r"(?:^|/)states_(\d{1,11})\.[a-z.]+$")


def raw_key(snapshot_time: int) -> str:
    """The key of a snapshot's exact bytes, gzipped."""
    return _key(RAW, snapshot_time, "json.gz")


def processed_key(snapshot_time: int) -> str:
    """The key of its Parquet file."""
    return _key(PROCESSED, snapshot_time, "parquet")


def index_key(snapshot_time: int) -> str:
    """The key of its compact index for `GET /flights/latest`."""
    return _key(INDEX, snapshot_time, "msgpack.gz")


def report_key(snapshot_time: int) -> str:
    """The key of its quality report."""
    return _key(REPORTS, snapshot_time, "json")


def quarantine_key(snapshot_time: int) -> str:
    """The key of its Parquet file in quarantine, next to the report."""
    return _key(QUARANTINE, snapshot_time, "parquet")


def quarantine_report_key(snapshot_time: int) -> str:
    """The key of the report of a snapshot in quarantine."""
    return _key(QUARANTINE, snapshot_time, "json")


def malformed_key(received_at: datetime) -> str:
    """The key of an answer that is not a snapshot; it has no time of its own, so it gets ours."""
    return f"{QUARANTINE}malformed/{received_at:year=%Y/month=%m/day=%d}/answer_{received_at:%Y%m%dT%H%M%S.%fZ}.gz"


def history_key(hour: int) -> str:
    """The key of the compacted hour that begins at `hour`, s since 1970 UTC."""
    return f"{HISTORY}{datetime.fromtimestamp(hour, UTC):day=%Y-%m-%d/hour_%H}.parquet"


def hour_prefix(prefix: str, hour: datetime) -> str:
    """The partition of one hour."""
    return f"{prefix}{hour.astimezone(UTC):year=%Y/month=%m/day=%d/hour=%H/}"


def days_back(start: int, end: int) -> Iterator[str]:
    """The UTC days of a period, the last first."""
    for day in range((end - 1) // DAY_S, start // DAY_S - 1, -1):
        yield datetime.fromtimestamp(day * DAY_S, UTC).date().isoformat()


def tracking_id(snapshot_time: int) -> str:
    """The name of a snapshot's run."""
    return f"states_{snapshot_time}"


def is_tracking_id(text: str) -> bool:
    """Does it name a run, known or not?"""
    return _TRACKING_ID.fullmatch(text) is not None


def snapshot_time_of(key: str) -> int:
    """The snapshot's time, s since 1970 UTC, that a key was made from; InvalidInput for a key that was not."""
    found = _STEM.search(key)
    if found is None:
        raise InvalidInput.of("key", f"is {key!r}", ".../states_<seconds since 1970>.<extension>")
    return int(found[1])


def snapshot_time_of_id(name: str) -> int:
    """The snapshot's time that a run's name says."""
    return int(name.removeprefix("states_"))


def time_of_processed(key: str) -> int | None:
    """The time of the processed snapshot at `key`; None for other keys, such as the console's folders."""
    found = _STEM.search(key)
    return int(found[1]) if found and key == processed_key(int(found[1])) else None


def _key(prefix: str, snapshot_time: int, extension: str) -> str:
    hour = datetime.fromtimestamp(snapshot_time, UTC)
    return f"{hour_prefix(prefix, hour)}states_{snapshot_time}.{extension}"

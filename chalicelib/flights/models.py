"""Requests and responses of the flights routes and functions; app.py imports this, so it imports next to nothing."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from chalicelib.flights.boxes import Box
from chalicelib.flights.status import RunStatus

REPLAY = "ObjectCreated:Replay"
"""The event name of a record that requests to process a snapshot again, done or not."""
Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]
Phase = Literal["GROUND", "CLIMB", "DESCENT", "CRUISE", "LEVEL"]
Moment = Annotated[datetime, Meta(tz=True, examples=["2026-11-21T00:00:00Z"])]
TrackingId = Annotated[str, Meta(pattern=r"^states_[0-9]{1,11}(?![\s\S])", examples=["states_1763726400"])]
QueryId = Annotated[str, Meta(pattern=r"^[0-9a-f-]{36}(?![\s\S])")]
PERIOD = {"start": "from", "end": "to"}
"""Fields of a period under their names on the wire, of which one is a keyword."""


class Aircraft(Struct, frozen=True, kw_only=True):
    """One aircraft of a snapshot; degrees, feet, knots, feet a minute, seconds since 1970 UTC.

    `position_source` is 0 ADS-B, 1 ASTERIX, 2 MLAT, 3 FLARM; `category` the emitter category of OpenSky's API.
    """

    icao24: str
    callsign: str | None
    origin_country: str | None
    latitude: float
    longitude: float
    baro_altitude_ft: float | None
    velocity_kt: float | None
    true_track: float | None
    vertical_rate_fpm: float | None
    flight_phase: str | None
    last_contact: int | None
    geo_altitude_ft: float | None = None
    on_ground: bool | None = None
    squawk: str | None = None
    category: int | None = None
    position_source: int | None = None


class Selection(Struct, frozen=True, kw_only=True):
    """A filter for the aircraft of a snapshot; `ranges` are columns with the lowest and the highest value."""

    box: Box | None = None
    phase: str | None = None
    callsign: str | None = None
    ranges: tuple[tuple[str, float, float], ...] = ()


class LatestQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A filter and a limit: a box in degrees (all four sides or none), a phase, ranges, the start of a callsign.

    A box whose `lomin` is greater than its `lomax` crosses the date line. An aircraft without a value is in no range.
    """

    lamin: Latitude | None = None
    lomin: Longitude | None = None
    lamax: Latitude | None = None
    lomax: Longitude | None = None
    phase: Phase | None = None
    callsign: Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{1,8}(?![\s\S])")] | None = None
    altitude_min_ft: float | None = None
    altitude_max_ft: float | None = None
    speed_min_kt: float | None = None
    speed_max_kt: float | None = None
    limit: Annotated[int, Meta(ge=1, le=15000)] = 500


class SnapshotQuery(LatestQuery, frozen=True, kw_only=True, forbid_unknown_fields=True, rename=PERIOD):
    """A filter for a snapshot's aircraft; `query`, `from` and `to` come from the 202 to poll."""

    start: Moment | None = None
    end: Moment | None = None
    query: QueryId | None = None


class Latest(Struct, frozen=True, kw_only=True):
    """A valid snapshot: its time, the number of matching aircraft, and the first of them by address."""

    tracking_id: str
    time: int
    matching: int
    aircraft: list[Aircraft]


class RunView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One snapshot's run through the pipeline, without the release.

    Times are ISO 8601 UTC, sizes of its objects are in bytes, durations in ms, scores 0..1.
    """

    tracking_id: str
    status: RunStatus
    execution_date: str
    snapshot_time: int
    raw_key: str
    created_at: str
    updated_at: str | None = None
    bytes_raw: int | None = None
    processed_key: str | None = None
    bytes_parquet: int | None = None
    rows: int | None = None
    rejected: int | None = None
    rejected_samples: list[dict[str, int | str]] | None = None
    processing_ms: int | None = None
    report_key: str | None = None
    score: float | None = None
    grade: str | None = None
    failed_checks: list[str] | None = None
    check_scores: dict[str, float] | None = None
    validation_ms: int | None = None
    quarantine_key: str | None = None
    alert: str | None = None
    failure: str | None = None
    released_at: str | None = None


class RunsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename=PERIOD):
    """A status, a period of snapshot times (`from` inclusive, `to` exclusive), a page of it.

    Without `from`, the last 24 hours before `to`; without `to`, up to the newest.
    """

    status: RunStatus | None = None
    start: Moment | None = None
    end: Moment | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 100
    cursor: Annotated[int, Meta(ge=0, lt=10**11)] | None = None


class RunPage(Struct, frozen=True, kw_only=True):
    """Runs, the latest snapshot first; `cursor` requests the next page, and is null at the end."""

    runs: list[RunView]
    cursor: int | None


class Download(Struct, frozen=True, kw_only=True):
    """A link that fetches an object without credentials for a limited time."""

    url: str
    key: str


class RunDownloads(Struct, frozen=True, kw_only=True):
    """Links to a run's remaining objects, and their lifetime in seconds."""

    raw: Download | None
    parquet: Download | None
    report: Download | None
    expires_in: int


class ReleaseRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The release of a snapshot: the operator and the reason."""

    tracking_id: TrackingId
    released_by: Annotated[str, Meta(min_length=1, max_length=400)]
    reason: Annotated[str, Meta(min_length=1, max_length=1000)]


class ReleaseOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The reason for a release. The caller releases the snapshot; a machine may name the person it acts for."""

    reason: Annotated[str, Meta(min_length=1, max_length=1000)]
    released_by: Annotated[str, Meta(min_length=1, max_length=200)] | None = None

    def of(self, tracking_id: str, operator: str) -> ReleaseRequest:
        """The order for one run."""
        name = f"{self.released_by} ({operator})" if self.released_by else operator
        return ReleaseRequest(tracking_id=tracking_id, released_by=name, reason=self.reason)


class ReleaseRecord(Struct, frozen=True, kw_only=True):
    """Who released a snapshot from quarantine, when and why; null if nobody did."""

    tracking_id: str
    released_at: str | None
    released_by: str | None
    reason: str | None


class QualityQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The period (days of 24 hours back), and a page of its runs."""

    days: Annotated[int, Meta(ge=1, le=92)] = 1
    limit: Annotated[int, Meta(ge=1, le=500)] = 100
    cursor: Annotated[int, Meta(ge=0, lt=10**11)] | None = None


class JudgedRun(Struct, frozen=True, kw_only=True):
    """One run's verdict; scores are 0..1, and a check that found nothing to judge has none."""

    tracking_id: str
    snapshot_time: int
    status: RunStatus
    score: float | None
    grade: str | None
    failed_checks: list[str]
    check_scores: dict[str, float]


class WorstCheck(Struct, frozen=True, kw_only=True):
    """The number of runs that failed a check."""

    check: str
    failures: int


class CheckHistory(Struct, frozen=True, kw_only=True):
    """One check over the period: the numbers of judged and failed runs, and the mean score."""

    check: str
    judged: int
    failures: int
    mean_score: float | None


class QualityDay(Struct, frozen=True, kw_only=True):
    """One UTC day: runs with a verdict, how many are in quarantine, scores, runs by grade, failures by check."""

    day: str
    runs: int
    quarantined: int
    mean_score: float | None
    lowest_score: float | None
    grades: dict[str, int]
    failures: dict[str, int]


class QualityHistory(Struct, frozen=True, kw_only=True):
    """The verdicts of a period: all of them in the aggregates, a page of them, newest first, in `runs`.

    `total` counts the verdicts, `truncated` says that `runs` lacks some, and `cursor` requests the next page.
    """

    total: int
    truncated: bool
    cursor: int | None
    runs: list[JudgedRun]
    mean_score: float | None
    worst_checks: list[WorstCheck]
    days: list[QualityDay]
    checks: list[CheckHistory]


class BreakerView(Struct, frozen=True, kw_only=True):
    """The circuit breaker around OpenSky; `retry_at` is the time when an open breaker lets a call through."""

    state: str
    recent_failures: int
    opened_at: str | None
    retry_at: str | None
    successes: int
    failing_since: str | None


class GuardView(Struct, frozen=True, kw_only=True):
    """The limits on polling: the credits of the UTC day, the breaker, and OpenSky's own throttle."""

    day: str
    daily_credits: int
    credits_used: int
    credits_left: int
    poll_cost: int
    polls_left: int
    throttled_until: str | None
    breaker: BreakerView


class ReplayRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename=PERIOD):
    """A range of snapshot times, `from` inclusive, `to` exclusive, at most 24 hours."""

    start: Moment
    end: Annotated[datetime, Meta(tz=True, examples=["2026-11-21T01:00:00Z"])]


class Replay(Struct, frozen=True, kw_only=True):
    """The requested replay; the same range has the same `replay_id`."""

    replay_id: str
    snapshots: int
    tracking_ids: list[str]


class ReplayProgress(Struct, frozen=True, kw_only=True, rename=PERIOD):
    """The progress of a replay: its `snapshots`, and those `done` since the request, by status."""

    replay_id: str
    start: str
    end: str
    requested_at: str
    snapshots: int
    done: int
    validated: int
    quarantined: int
    failed: int
    finished: bool


class HistoryQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename=PERIOD):
    """A period of snapshot times (`from` inclusive, `to` exclusive); `query` is the id from a 202 to poll."""

    start: Moment | None = None
    end: Moment | None = None
    query: QueryId | None = None


class TrackQuery(HistoryQuery, frozen=True, kw_only=True, forbid_unknown_fields=True, rename=PERIOD):
    """A period of at most 7 days, by default the last 24 hours, and the answer's format."""

    format: Literal["json", "geojson"] = "json"


class SearchQuery(HistoryQuery, frozen=True, kw_only=True, forbid_unknown_fields=True, rename=PERIOD):
    """The start of an address or callsign, in a period of at most 7 days, by default the last 24 hours."""

    q: Annotated[str, Meta(min_length=2, max_length=20, examples=["3c6444", "DLH"])]


class TrafficQuery(HistoryQuery, frozen=True, kw_only=True, forbid_unknown_fields=True, rename=PERIOD):
    """A period of at most 92 days, by default the last 24 hours, and the grouping."""

    by: Literal["hour", "day", "country", "airline", "phase", "altitude_band"] = "hour"


class PendingQuery(Struct, frozen=True, kw_only=True, rename=PERIOD):
    """A history query that is still running: poll with `query`, `from` and `to` after `retry_after` seconds."""

    query: str
    start: str
    end: str
    status: Literal["QUEUED", "RUNNING"]
    retry_after: int


class HistoryAnswer(Struct, frozen=True):
    """An answer from the history, or PendingQuery, and whether the answer is final."""

    answer: Struct
    closed: bool


class TrackPoint(Struct, frozen=True, kw_only=True):
    """A position of an aircraft; its time is in seconds since 1970 UTC."""

    time: int
    latitude: float
    longitude: float
    baro_altitude_ft: float | None
    velocity_kt: float | None
    true_track: float | None
    vertical_rate_fpm: float | None
    on_ground: bool | None


class TrackedFlight(Struct, frozen=True, kw_only=True):
    """One flight: ten minutes of silence or a new callsign end it. The distance is along great circles."""

    callsign: str | None
    start: int
    end: int
    duration_s: int
    distance_nm: float
    highest_altitude_ft: float | None
    points: list[TrackPoint]


class Track(Struct, frozen=True, kw_only=True, rename=PERIOD):
    """An aircraft's flights in a period; `truncated` means that it has more positions than an answer holds."""

    icao24: str
    start: str
    end: str
    flights: list[TrackedFlight]
    truncated: bool
    bytes_scanned: int


class LineGeometry(Struct, frozen=True, kw_only=True):
    """GeoJSON lines, cut at the date line; a position is longitude, latitude and, if known, metres."""

    type: Literal["MultiLineString"] = "MultiLineString"
    coordinates: list[list[list[float]]]


class FlightFeature(Struct, frozen=True, kw_only=True):
    """A flight as a GeoJSON feature."""

    type: Literal["Feature"] = "Feature"
    geometry: LineGeometry
    properties: dict[str, str | int | float | None]


class TrackFeatures(Struct, frozen=True, kw_only=True):
    """An aircraft's flights as GeoJSON."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[FlightFeature]


class FoundAircraft(Struct, frozen=True, kw_only=True):
    """An aircraft that was seen in the period."""

    icao24: str
    callsigns: list[str]
    origin_country: str | None
    first_seen: int
    last_seen: int
    positions: int


class AircraftSearch(Struct, frozen=True, kw_only=True, rename=PERIOD):
    """Aircraft by address or callsign, the most often seen first."""

    q: str
    start: str
    end: str
    aircraft: list[FoundAircraft]
    truncated: bool
    bytes_scanned: int


class TrafficCount(Struct, frozen=True, kw_only=True):
    """Distinct aircraft and rows under one key; the key is null if the value is unknown."""

    key: str | None
    aircraft: int
    rows: int


class Traffic(Struct, frozen=True, kw_only=True, rename=PERIOD):
    """Traffic of a period by hour, day, country, airline, phase or altitude band."""

    by: str
    start: str
    end: str
    counts: list[TrafficCount]
    truncated: bool
    bytes_scanned: int


class CompactionOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename=PERIOD):
    """The hours to compact: those that begin in the period or, without one, all with new snapshots."""

    start: Moment | None = None
    end: Moment | None = None

    def hours(self) -> range:
        """The start times of the hours, in seconds since 1970 UTC; at most 31 days of them."""
        if self.start is None or self.end is None:
            return range(0)
        first, last = (int(moment.timestamp()) for moment in (self.start, self.end))
        return range(first - first % 3600, min(last, first + 31 * 86_400), 3600)


class CompactionReport(Struct, frozen=True, kw_only=True):
    """The written hours, the snapshots added and removed, the objects removed from the inbox, and unfinished work."""

    hours: list[str]
    snapshots: int
    dropped: int
    removed: int
    rows: int
    skipped: list[str]


class SnapshotsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename=PERIOD):
    """A period of snapshot times, `from` inclusive, `to` exclusive, and the maximum number of snapshots.

    `query` polls a query that answered 202.
    """

    start: Moment
    end: Moment
    limit: Annotated[int, Meta(ge=1, le=2000)] = 500
    query: QueryId | None = None


class SnapshotSummary(Struct, frozen=True, kw_only=True):
    """One valid snapshot."""

    tracking_id: str
    time: int
    rows: int | None


class SnapshotList(Struct, frozen=True, kw_only=True):
    """Valid snapshots, oldest first; `truncated` means that the period has more."""

    snapshots: list[SnapshotSummary]
    truncated: bool


class PastSnapshot(Latest, frozen=True, kw_only=True):
    """A snapshot from the history, whose index has expired."""

    bytes_scanned: int


class PastSnapshots(SnapshotList, frozen=True, kw_only=True):
    """Snapshots from the history, whose runs have expired."""

    bytes_scanned: int

"""What the flights routes and functions accept and answer; app.py imports it, so it imports next to nothing."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from chalicelib.flights.runs import RunStatus

REPLAY = "ObjectCreated:Replay"
"""The event name of a record that asks to process a snapshot again, done or not."""
Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]


class Aircraft(Struct, frozen=True, kw_only=True):
    """One aircraft of the latest snapshot; degrees, feet, knots, feet a minute, seconds since 1970 UTC."""

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


class LatestQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A box in degrees (all four sides or none), a flight phase, how many aircraft."""

    lamin: Latitude | None = None
    lomin: Longitude | None = None
    lamax: Latitude | None = None
    lomax: Longitude | None = None
    phase: Literal["GROUND", "CLIMB", "DESCENT", "CRUISE", "LEVEL"] | None = None
    limit: Annotated[int, Meta(ge=1, le=5000)] = 500


class Latest(Struct, frozen=True, kw_only=True):
    """The newest snapshot that passed: its time, how many aircraft match, and the first of them by address."""

    tracking_id: str
    time: int
    matching: int
    aircraft: list[Aircraft]


class QualityQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many days of 24 hours back, and how many runs at most."""

    days: Annotated[int, Meta(ge=1, le=31)] = 1
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class Judged(Struct, frozen=True, kw_only=True):
    """One run's verdict; score 0..1."""

    tracking_id: str
    snapshot_time: int
    status: RunStatus
    score: float | None
    grade: str | None
    failed_checks: list[str]


class WorstCheck(Struct, frozen=True, kw_only=True):
    """How many of the runs failed a check."""

    check: str
    failures: int


class QualityHistory(Struct, frozen=True, kw_only=True):
    """The latest verdicts, newest first, their mean score, and the checks that fail most."""

    runs: list[Judged]
    mean_score: float | None
    worst_checks: list[WorstCheck]


NAMES = {"start": "from", "end": "to"}


class ReplayRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename=NAMES):
    """A range of snapshot times, `from` inclusive, `to` exclusive, at most 24 hours."""

    start: Annotated[datetime, Meta(tz=True, examples=["2026-11-21T00:00:00Z"])]
    end: Annotated[datetime, Meta(tz=True, examples=["2026-11-21T01:00:00Z"])]


class Replay(Struct, frozen=True, kw_only=True):
    """What was asked for; `replay_id` is the same for the same range."""

    replay_id: str
    snapshots: int
    tracking_ids: list[str]


class ReleaseRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who releases which snapshot, and why."""

    tracking_id: Annotated[str, Meta(pattern=r"^states_\d{1,11}$")]
    released_by: Annotated[str, Meta(min_length=1, max_length=200)]
    reason: Annotated[str, Meta(min_length=1, max_length=1000)]

"""The whole history: tracks, aircraft and traffic, out of the engine that reads every snapshot that ever passed.

A snapshot is in `snapshots` (the inbox) or in `states` (compacted hours), or for a while in both; `ONCE` takes each
from the inbox first, so it is counted once at any moment. Every statement bounds `states` by its partitions.
"""

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from msgspec import Struct, convert

from chalicelib.errors import (
    NotFound,
    Unprocessable,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from chalicelib.flights import index, keys
from chalicelib.flights.keys import DAY_S, HOUR_S
from chalicelib.flights.models import (
    Aircraft,
    AircraftSearch,
    FoundAircraft,
    HistoryAnswer,
    HistoryQuery,
    PastSnapshot,
    PastSnapshots,
    PendingQuery,
    SearchQuery,
    SnapshotQuery,
    SnapshotsQuery,
    SnapshotSummary,
    Track,
    TrackFeatures,
    TrackPoint,
    TrackQuery,
    Traffic,
    TrafficCount,
    TrafficQuery,
)
from chalicelib.flights.ports import HistoryEngine
from chalicelib.flights.queries import period, selection
from chalicelib.flights.statements import Bound, Statement, statement
from chalicelib.flights.tracks import Sighting, flights, geojson

BUDGET_S = 20.0
"""The time before a slow answer becomes a 202 to poll; API Gateway gives up after 29 s."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 1.0
POLL_AFTER_S = 2
LONGEST_QUERY = timedelta(minutes=10)
SETTLED_AFTER_S = 2 * HOUR_S
"""The time after its end when a period no longer changes, except for late snapshots and releases."""
REUSE_S = 60 * 60
MOST_POSITIONS, MOST_AIRCRAFT, MOST_COUNTS, MOST_ROWS = 5_000, 100, 2_500, 30_000

ONCE = """
WITH found AS (
    SELECT {columns}, snapshot_s, 0 AS place FROM snapshots
    WHERE snapshot_s >= ? AND snapshot_s < ?{condition}
    UNION ALL
    SELECT {columns}, snapshot_s, 1 AS place FROM states
    WHERE day >= ? AND day <= ? AND snapshot_s >= ? AND snapshot_s < ?{condition}
), ranked AS (
    SELECT found.*, min(place) OVER (PARTITION BY snapshot_s) AS nearest FROM found
), once AS (
    SELECT * FROM ranked WHERE place = nearest
)
"""
TRACK = (
    ONCE
    + """
SELECT {columns} FROM once ORDER BY time_position LIMIT {limit}
"""  # nosec B608  # filled in with our own texts and numbers
)
SEARCH = (
    ONCE
    + """
SELECT icao24, callsign, max(origin_country), min(snapshot_s), max(snapshot_s), count(*) AS sightings
FROM once GROUP BY icao24, callsign ORDER BY sightings DESC, icao24, callsign LIMIT {limit}
"""  # nosec B608  # filled in with our own texts and numbers
)
TRAFFIC = (
    ONCE
    + """
SELECT {key} AS counted_by, count(DISTINCT icao24) AS aircraft, count(*) AS sightings
FROM once GROUP BY {key} ORDER BY {order} LIMIT {limit}
"""  # nosec B608  # filled in with our own texts and numbers
)
SNAPSHOT = (
    ONCE
    + """
SELECT {columns} FROM once ORDER BY icao24 LIMIT {limit}
"""  # nosec B608  # filled in with our own texts and numbers
)
SNAPSHOTS = (
    ONCE
    + """
SELECT snapshot_s, count(*) FROM once GROUP BY snapshot_s ORDER BY snapshot_s LIMIT {limit}
"""  # nosec B608  # filled in with our own texts and numbers
)
COUNTED = {
    "hour": (f"snapshot_s - snapshot_s % {HOUR_S}", "1"),
    "day": (f"snapshot_s - snapshot_s % {DAY_S}", "1"),
    "country": ("origin_country", "3 DESC, 1"),
    "airline": ("airline_code", "3 DESC, 1"),
    "phase": ("flight_phase", "3 DESC, 1"),
    "altitude_band": ("altitude_band", "3 DESC, 1"),
}
"""Grouping of traffic -> its SQL, and the order of the counts."""

Rows = list[list[str | None]]


class Period(NamedTuple):
    """Seconds since 1970 UTC, `end` exclusive, and whether nothing in it changes any more."""

    start: int
    end: int
    closed: bool

    def bounds(self, *values: Bound) -> tuple[Bound, ...]:
        """The values of `ONCE`, with those of its condition."""
        within = (self.start, self.end)
        days = (_date(self.start), _date(self.end - 1))
        return (*within, *values, *days, *within, *values)

    def shown(self) -> tuple[str, str]:
        return _moment(self.start), _moment(self.end)


class FlightHistory:
    """Queries the engine, waits as long as a request may, and returns how to continue if it takes longer."""

    def __init__(
        self,
        engine: HistoryEngine,
        *,
        clock: Callable[[], datetime],
        budget_s: float = BUDGET_S,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._budget_s = budget_s
        self._monotonic = monotonic
        self._sleep = sleep

    def track(self, icao24: str, query: TrackQuery) -> HistoryAnswer:
        """An aircraft's flights: a Track, or TrackFeatures as GeoJSON, or PendingQuery."""
        address = _address(icao24)
        within = self._period(query, timedelta(days=7))
        columns = (
            "time_position, latitude, longitude, baro_altitude_ft, velocity_kt, true_track, vertical_rate_fpm, "
            "on_ground, callsign"
        )
        condition = " AND icao24 = ? AND latitude IS NOT NULL AND longitude IS NOT NULL AND time_position IS NOT NULL"
        text = TRACK.format(columns=columns, condition=condition, limit=MOST_POSITIONS + 1)

        def answer(rows: Rows, scanned: int) -> Track | TrackFeatures:
            seen = flights(list(_sightings(rows[:MOST_POSITIONS])))
            if query.format == "geojson":
                return geojson(address, seen)
            start, end = within.shown()
            return Track(
                icao24=address,
                start=start,
                end=end,
                flights=seen,
                truncated=len(rows) > MOST_POSITIONS,
                bytes_scanned=scanned,
            )

        return self._answer(query, within, statement(text, *within.bounds(address)), MOST_POSITIONS + 1, answer)

    def search(self, query: SearchQuery) -> HistoryAnswer:
        """Aircraft whose address or callsign begins so: an AircraftSearch, or PendingQuery."""
        beginning = query.q.strip()
        if not re.fullmatch(r"[0-9A-Za-z]{2,8}", beginning):
            raise Unprocessable.of("q", f"is {query.q[:20]!r}", "2 to 8 letters and digits")
        within = self._period(query, timedelta(days=7))
        text = SEARCH.format(
            columns="icao24, callsign, origin_country",
            condition=" AND (icao24 LIKE ? OR callsign LIKE ?)",
            limit=10 * MOST_AIRCRAFT,
        )
        asked = statement(text, *within.bounds(f"{beginning.lower()}%", f"{beginning.upper()}%"))

        def answer(rows: Rows, scanned: int) -> AircraftSearch:
            found = _found(rows)
            start, end = within.shown()
            return AircraftSearch(
                q=beginning,
                start=start,
                end=end,
                aircraft=found[:MOST_AIRCRAFT],
                truncated=len(found) > MOST_AIRCRAFT or len(rows) >= 10 * MOST_AIRCRAFT,
                bytes_scanned=scanned,
            )

        return self._answer(query, within, asked, 10 * MOST_AIRCRAFT, answer)

    def aircraft(self, tracking_id: str, query: SnapshotQuery) -> HistoryAnswer:
        """The aircraft of a snapshot whose index has expired: a PastSnapshot, or PendingQuery."""
        wanted, at = selection(query), keys.snapshot_time_of_id(tracking_id)
        within = Period(at, at + 1, at + SETTLED_AFTER_S <= self._clock().timestamp())
        condition = " AND icao24 IS NOT NULL AND latitude IS NOT NULL AND longitude IS NOT NULL"
        text = SNAPSHOT.format(columns=", ".join(index.COLUMNS), condition=condition, limit=MOST_ROWS)

        def answer(rows: Rows, scanned: int) -> PastSnapshot:
            if not rows:
                raise NotFound("there is no such snapshot among those that passed validation")
            known = [convert(dict(zip(index.COLUMNS, row, strict=True)), Aircraft, strict=False) for row in rows]
            matching, first = index.select_from([index.block_of(known)], wanted, query.limit)
            return PastSnapshot(
                tracking_id=tracking_id, time=at, matching=matching, aircraft=first, bytes_scanned=scanned
            )

        polled = HistoryQuery(query=query.query)
        return self._answer(polled, within, statement(text, *within.bounds()), MOST_ROWS, answer)

    def snapshots(self, query: SnapshotsQuery) -> HistoryAnswer:
        """The snapshots of a period whose runs are forgotten: a PastSnapshots, or PendingQuery."""
        asked = HistoryQuery(start=query.start, end=query.end, query=query.query)
        within = self._period(asked, timedelta(days=31))
        text = SNAPSHOTS.format(columns="icao24", condition="", limit=query.limit + 1)

        def answer(rows: Rows, scanned: int) -> PastSnapshots:
            shown = [(_int(at), _int(number)) for at, number in rows[: query.limit]]
            return PastSnapshots(
                snapshots=[SnapshotSummary(tracking_id=keys.tracking_id(at), time=at, rows=n) for at, n in shown],
                truncated=len(rows) > query.limit,
                bytes_scanned=scanned,
            )

        return self._answer(asked, within, statement(text, *within.bounds()), query.limit + 1, answer)

    def traffic(self, query: TrafficQuery) -> HistoryAnswer:
        """Aircraft and rows of a period by hour, day, country and so on: a Traffic, or PendingQuery."""
        within = self._period(query, timedelta(days=92))
        key, order = COUNTED[query.by]
        columns = "icao24" if query.by in {"hour", "day"} else f"icao24, {key}"
        text = TRAFFIC.format(columns=columns, condition="", key=key, order=order, limit=MOST_COUNTS + 1)

        def answer(rows: Rows, scanned: int) -> Traffic:
            timed = query.by in {"hour", "day"}
            counts = [
                TrafficCount(
                    key=_moment(int(key)) if timed and key else key, aircraft=_int(aircraft), rows=_int(number)
                )
                for key, aircraft, number in rows[:MOST_COUNTS]
            ]
            start, end = within.shown()
            return Traffic(
                by=query.by,
                start=start,
                end=end,
                counts=counts,
                truncated=len(rows) > MOST_COUNTS,
                bytes_scanned=scanned,
            )

        return self._answer(query, within, statement(text, *within.bounds()), MOST_COUNTS + 1, answer)

    def _period(self, query: HistoryQuery, longest: timedelta) -> Period:
        now = self._clock()
        # A whole minute, so repeated polls for the last 24 hours send the same query.
        now = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
        end = query.end or (query.start + timedelta(days=1) if query.start else now)
        start, last = period(query.start or end - timedelta(days=1), end)
        if last - start > longest.total_seconds():
            raise Unprocessable.of(
                "to", f"is {timedelta(seconds=last - start)} after from", f"at most {longest.days} days"
            )
        if start >= (now + timedelta(days=1)).timestamp():
            raise Unprocessable.of("from", f"is {_moment(start)}", "a time that has been")
        return Period(start, last, last + SETTLED_AFTER_S <= now.timestamp())

    def _answer(
        self,
        query: HistoryQuery,
        within: Period,
        asked: Statement,
        limit: int,
        answer: Callable[[Rows, int], Struct],
    ) -> HistoryAnswer:
        ends = self._monotonic() + self._budget_s
        query_id = query.query or self._engine.start(asked, reuse_s=REUSE_S if within.closed else 0)
        pause = FIRST_PAUSE_S
        while True:
            state = self._engine.state(query_id)
            if query.query and not self._engine.answers(state, asked):
                raise NotFound("there is no such query")
            if state.status == "SUCCEEDED":
                return HistoryAnswer(
                    answer(self._engine.rows(query_id, limit), state.bytes_scanned), closed=within.closed
                )
            if state.status == "FAILED" or state.status == "CANCELLED":  # what mypy narrows by
                raise _failure(state.status, state.reason)
            if self._clock() - state.submitted > LONGEST_QUERY:
                self._engine.cancel(query_id)
                raise UpstreamTimeout("the history took too long, and was stopped; ask for a shorter period")
            if self._monotonic() + pause > ends:
                return HistoryAnswer(_pending(query_id, state.status, within), closed=False)
            self._sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)


def _pending(query_id: str, status: Literal["QUEUED", "RUNNING"], within: Period) -> PendingQuery:
    start, end = within.shown()
    return PendingQuery(query=query_id, status=status, start=start, end=end, retry_after=POLL_AFTER_S)


def _failure(status: str, reason: str) -> UpstreamRejected | UpstreamUnavailable:
    """The error for a failed query: too much to scan will not pass, a lack of resources may."""
    if "Bytes scanned limit" in reason:
        return UpstreamRejected("the history would have to scan too much for this; ask for a shorter period")
    if status == "CANCELLED":
        return UpstreamUnavailable("the query was cancelled; ask again", retry_after=POLL_AFTER_S)
    return UpstreamUnavailable("the history could not answer; try again later", retry_after=5)


def _address(text: str) -> str:
    address = text.strip().lower()
    if not re.fullmatch(r"[0-9a-f]{6}", address):
        raise Unprocessable.of("icao24", f"is {text[:20]!r}", "six hexadecimal digits, such as 3c6444")
    return address


def _sightings(rows: Rows) -> Iterator[Sighting]:
    seen: int | None = None
    for at, latitude, longitude, altitude, speed, track, rate, ground, callsign in rows:
        moment = _int(at)
        if moment == seen:
            continue  # two snapshots tell of one position
        seen = moment
        point = TrackPoint(
            time=moment,
            latitude=_float(latitude) or 0.0,
            longitude=_float(longitude) or 0.0,
            baro_altitude_ft=_float(altitude),
            velocity_kt=_float(speed),
            true_track=_float(track),
            vertical_rate_fpm=_float(rate),
            on_ground=None if ground is None else ground == "true",
        )
        yield Sighting(callsign, point)


def _found(rows: Rows) -> list[FoundAircraft]:
    aircraft: dict[str, FoundAircraft] = {}
    for icao24, callsign, country, first, last, sightings in rows:
        if icao24 is None:
            continue
        known = aircraft.get(icao24)
        aircraft[icao24] = FoundAircraft(
            icao24=icao24,
            callsigns=[*(known.callsigns if known else ()), *([callsign] if callsign else ())],
            origin_country=country,
            first_seen=min(_int(first), known.first_seen) if known else _int(first),
            last_seen=max(_int(last), known.last_seen) if known else _int(last),
            positions=_int(sightings) + (known.positions if known else 0),
        )
    return sorted(aircraft.values(), key=lambda each: (-each.positions, each.icao24))


def _int(text: str | None) -> int:
    return int(float(text)) if text else 0


def _float(text: str | None) -> float | None:
    return None if text is None else round(float(text), 5)


def _date(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).date().isoformat()


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")

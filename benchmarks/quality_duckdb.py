"""The 16 checks in DuckDB's SQL: one scan for all that a row tells, a second for what needs medians and quartiles."""

import duckdb

from benchmarks.quality_engines import (
    ADDRESS,
    AIRPORT,
    CALLSIGN,
    CEILING,
    CLIMB,
    DECIMALS,
    DEVIATION,
    FLOOR,
    LIMITS,
    STALL,
    TAXI,
    TOP_SPEED,
    VERTICAL,
    ZEROS,
    Counts,
    slope_of,
)
from chalicelib.flights.checks.agreement import FLARM, LAST_UNKNOWN_CATEGORY
from chalicelib.flights.checks.anomalies import FEATURES, GROUND, NORMAL_QUARTILE
from chalicelib.flights.checks.countries import COUNTRIES
from chalicelib.flights.checks.positions import DECIMAL_TOLERANCE

_ON_GLOBE = "(longitude between -180 and 180 and latitude between -90 and 90)"
_LOCATED = "(longitude is not null and latitude is not null)"
_HIGH = "(baro_altitude is null and not on_ground)"
_SCALE = "case position_source " + " ".join(f"when {code} then 1e{d}" for code, d in DECIMALS.items()) + " end"
_GLIDING = f"(position_source = {FLARM} and coalesce(category, 0) <= {LAST_UNKNOWN_CATEGORY})"
_FLYING = (
    f"(not on_ground and velocity is not null and coalesce(category not in {LIMITS.slow_categories}, true)"
    f" and not coalesce({_GLIDING}, false))"
)
_ROLLING = "(on_ground and velocity is not null)"
_TRIMMED = "trim(callsign, ' ')"
_OFF_ALTITUDE = f"(baro_altitude not between {FLOOR!r} and {CEILING!r})"
_OFF_SPEED = f"(velocity not between 0 and {TOP_SPEED!r})"
_OLDEST = f"(time - {LIMITS.oldest_s})"


def _finer(name: str) -> str:
    scaled = f"({name} * {_SCALE})"
    return f"abs({scaled} - round({scaled})) > {DECIMAL_TOLERANCE}"


def _where(*conditions: str) -> str:
    return " + ".join(f"count(*) filter ({condition})" for condition in conditions)


_CHECKS: dict[str, tuple[str, str]] = {
    "completeness": (
        "5 * count(*) + " + _where("not on_ground"),
        _where(*(f"{c} is null" for c in ("icao24", "longitude", "latitude", "velocity", "last_contact")), _HIGH),
    ),
    "validity": (
        "count(icao24) + count(longitude) + count(latitude) + count(baro_altitude) + count(velocity)"
        " + count(vertical_rate)",
        _where(
            f"not regexp_matches(icao24, '{ADDRESS}')",
            "longitude not between -180 and 180",
            "latitude not between -90 and 90",
            _OFF_ALTITUDE,
            _OFF_SPEED,
            f"abs(vertical_rate) > {VERTICAL!r}",
        ),
    ),
    "consistency": (
        "count(*)",
        _where(
            f"(on_ground and baro_altitude > {AIRPORT!r})"
            f" or (on_ground and abs(vertical_rate) > {CLIMB!r})"
            " or ((longitude is null) <> (latitude is null))"
        ),
    ),
    "uniqueness": ("count(icao24)", "count(icao24) - count(distinct icao24)"),
    "accuracy": ("count(*)", _where(f"not {_LOCATED} or velocity is null or coalesce({_HIGH}, false)")),
    "timeliness": (
        "count(last_contact)",
        _where(f"last_contact not between time - {LIMITS.fresh_s} and time + {LIMITS.fresh_s}"),
    ),
    "coordinate_validity": (
        _where(_LOCATED),
        _where(f"{_LOCATED} and (not {_ON_GLOBE} or (longitude = 0 and latitude = 0))"),
    ),
    "callsign_format": (
        "count(callsign)",
        _where(f"not regexp_matches({_TRIMMED}, '{CALLSIGN}') or regexp_matches({_TRIMMED}, '{ZEROS}')"),
    ),
    "country_code": ("count(*)", "count(*) - " + _where("origin_country in (select unnest($countries))")),
    "timestamp_consistency": (
        _where("time_position is not null or last_contact is not null"),
        _where(
            "time_position > last_contact or last_contact > time or time_position > time"
            f" or last_contact < {_OLDEST} or time_position < {_OLDEST}"
        ),
    ),
    "position_accuracy": (
        _where(f"{_ON_GLOBE} and position_source between 0 and 3"),
        _where(f"{_ON_GLOBE} and position_source between 0 and 3 and ({_finer('longitude')} or {_finer('latitude')})"),
    ),
    "speed_consistency": (
        _where(_FLYING, _ROLLING),
        _where(f"{_FLYING} and velocity < {STALL!r}", f"{_ROLLING} and velocity > {TAXI!r}"),
    ),
}

_FIRST = (
    "with states as materialized (select *, epoch(max(snapshot_time) over ()) as time from read_parquet($path)) select "
    + ", ".join(f"{pair[0]}, {pair[1]}" for pair in _CHECKS.values())
    + f", count(baro_altitude) filter (not {_OFF_ALTITUDE})"
    + f", count(velocity) filter (not {_OFF_SPEED} and not on_ground)"
    + " from states"
)

_PHASES = f"""
with known as (select flight_phase, {", ".join(FEATURES)} from read_parquet($path) where flight_phase is not null),
states as (select flight_phase, vertical_rate, case when flight_phase = '{GROUND}' and velocity < {LIMITS.moving_mps}
  and (select count(*) from known where flight_phase = '{GROUND}' and velocity >= {LIMITS.moving_mps}) >= $least
  then null else velocity end as velocity from known),
middles as (select flight_phase, {", ".join(f"median({f}) as mid_{f}, count({f}) as n_{f}" for f in FEATURES)}
  from states group by all),
deviations as (select flight_phase, {", ".join(f"abs({f} - mid_{f}) as dev_{f}, n_{f}" for f in FEATURES)}
  from states join middles using (flight_phase)),
spreads as (select flight_phase, {
    ", ".join(f"greatest(median(dev_{f}), {LIMITS.anomaly_spread_mps}) as mad_{f}" for f in FEATURES)
}
  from deviations group by all)
select
  count(*) filter ({" or ".join(f"(dev_{f} is not null and mad_{f} > 0 and n_{f} >= $least)" for f in FEATURES)}),
  count(*) filter ({
    " or ".join(
        f"(mad_{f} > 0 and n_{f} >= $least and {NORMAL_QUARTILE} * dev_{f} > {LIMITS.anomaly_z} * mad_{f})"
        for f in FEATURES
    )
})
from deviations join spreads using (flight_phase)
"""


def with_duckdb(path: str) -> Counts:
    """DuckDB, on all cores, from a file in memory (it reads no buffer)."""
    with duckdb.connect() as database:
        found = database.execute(_FIRST, {"path": path, "countries": sorted(COUNTRIES)}).fetchall()[0]
        counts = {name: (found[2 * i], found[2 * i + 1]) for i, name in enumerate(_CHECKS)}
        altitudes, speeds = found[2 * len(_CHECKS) :]
        (lower, upper), (slow, fast) = database.execute(
            f"select {_quartiles('baro_altitude', f'not {_OFF_ALTITUDE}', altitudes)},"
            f" {_quartiles('velocity', f'not {_OFF_SPEED} and not on_ground', speeds)} from read_parquet($path)",
            {"path": path},
        ).fetchall()[0]
        fences = {
            "above": upper + LIMITS.iqr_factor * (upper - lower),
            "below": lower - LIMITS.iqr_factor * (upper - lower),
            "fast": fast + LIMITS.iqr_factor * (fast - slow),
        }
        ranges = database.execute(
            "select count(baro_altitude),"
            f" count(*) filter ({_OFF_ALTITUDE} or baro_altitude > $above or baro_altitude < $below),"
            " count(velocity) filter (not on_ground),"
            f" count(*) filter (not on_ground and ({_OFF_SPEED} or velocity > $fast)),"
            " from read_parquet($path)",
            {"path": path, **fences},
        ).fetchall()[0]
        line = _line(database, path)
        anomalies = database.execute(_PHASES, {"path": path, "least": LIMITS.anomaly_min_values}).fetchall()[0]
    counts |= {"altitude_range": ranges[0:2], "speed_range": ranges[2:4], "altitude_consistency": line}
    return counts | {"anomaly_detection": anomalies}


def _line(database: duckdb.DuckDBPyConnection, path: str) -> tuple[int, int]:
    database.execute(
        "create table line as select baro_altitude as h, geo_altitude - baro_altitude as d from read_parquet($path)"
        " where geo_altitude is not null and baro_altitude is not null",
        {"path": path},
    )
    (rows,) = database.execute("select count(*) from line").fetchall()[0]
    ((lower, upper),) = database.execute(f"select {_quartiles('h', 'true', rows)} from line").fetchall()[0]
    top, bottom, highest, lowest = database.execute(
        "select median(d) filter (h >= $upper), median(d) filter (h <= $lower),"
        " median(h) filter (h >= $upper), median(h) filter (h <= $lower) from line",
        {"lower": lower, "upper": upper},
    ).fetchall()[0]
    slope = slope_of(top - bottom, highest - lowest, upper - lower, rows)
    (far,) = database.execute(
        "with left_over as (select h, d - $slope * h as r from line) select count(*) filter (abs(r - (select median(r)"
        f" from left_over)) > {DEVIATION!r} + {LIMITS.datum_deviation_share} * abs(h)) from left_over",
        {"slope": slope},
    ).fetchall()[0]
    return rows, far


def _quartiles(name: str, condition: str, present: int) -> str:
    """The values with ranks (n - 1) // 4 and 3 (n - 1) // 4, for `quantile_disc`, whose rank is ceil(qn)."""
    shares = [((present - 1) * quarters // 4 + 0.5) / present for quarters in (1, 3)]
    return f"quantile_disc({name}, {shares}) filter ({condition})"

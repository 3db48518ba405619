"""The 16 checks as a careful user of each library would write them: vectorised, each column read once.

Each function returns {check: (checked, failing)}; the formulas are those of `docs/quality-checks.md`.
"""

import io
from typing import Any, Final

import pandas as pd
import polars as pl

from chalicelib.flights.checks.agreement import FLARM, LAST_UNKNOWN_CATEGORY, LEAST_SPAN_M
from chalicelib.flights.checks.anomalies import FEATURES, GROUND, NORMAL_QUARTILE
from chalicelib.flights.checks.countries import COUNTRIES
from chalicelib.flights.checks.positions import DECIMAL_TOLERANCE
from chalicelib.flights.checks.thresholds import Thresholds
from chalicelib.flights.columns import FEET_PER_METRE, FPM_PER_MPS, KNOTS_PER_MPS

Counts = dict[str, tuple[int, int]]

COLUMNS: Final = [
    "icao24",
    "callsign",
    "origin_country",
    "time_position",
    "last_contact",
    "longitude",
    "latitude",
    "baro_altitude",
    "on_ground",
    "velocity",
    "vertical_rate",
    "geo_altitude",
    "position_source",
    "category",
    "flight_phase",
    "snapshot_time",
]
LIMITS: Final = Thresholds()
FLOOR: Final = LIMITS.altitude_floor_ft / FEET_PER_METRE
CEILING: Final = LIMITS.altitude_ceiling_ft / FEET_PER_METRE
TOP_SPEED: Final = LIMITS.speed_ceiling_kt / KNOTS_PER_MPS
AIRPORT: Final = LIMITS.highest_airport_ft / FEET_PER_METRE
CLIMB: Final = LIMITS.ground_climb_fpm / FPM_PER_MPS
TAXI: Final = LIMITS.ground_speed_ceiling_kt / KNOTS_PER_MPS
STALL: Final = LIMITS.airborne_speed_floor_kt / KNOTS_PER_MPS
DEVIATION: Final = LIMITS.datum_deviation_ft / FEET_PER_METRE
DECIMALS: Final = {
    0: LIMITS.decimals_ads_b,
    1: LIMITS.decimals_asterix,
    2: LIMITS.decimals_mlat,
    3: LIMITS.decimals_flarm,
}
VERTICAL: Final = LIMITS.climb_ceiling_fpm / FPM_PER_MPS
ZEROS: Final = "^0+$"
ADDRESS: Final = "^[0-9a-f]{6}$"
CALLSIGN: Final = "^[A-Z0-9]{1,8}$"


def with_pandas(parquet: bytes) -> Counts:
    """Vectorised pandas."""
    df = pd.read_parquet(io.BytesIO(parquet), columns=COLUMNS)
    rows = len(df)
    time = df["snapshot_time"].max().timestamp()
    grounded, airborne = df["on_ground"].eq(True), df["on_ground"].eq(False)
    longitude, latitude, altitude, speed = df["longitude"], df["latitude"], df["baro_altitude"], df["velocity"]
    contact, position = df["last_contact"], df["time_position"]
    missing = df[["icao24", "longitude", "latitude", "velocity", "last_contact"]].isna()
    high = altitude.isna() & airborne
    counts: Counts = {"completeness": (5 * rows + int(airborne.sum()), int(missing.sum().sum() + high.sum()))}

    on_globe = longitude.between(-180, 180) & latitude.between(-90, 90)
    located = longitude.notna() & latitude.notna()
    outside = {
        "longitude": longitude.notna() & ~longitude.between(-180, 180),
        "latitude": latitude.notna() & ~latitude.between(-90, 90),
        "altitude": altitude.notna() & ~altitude.between(FLOOR, CEILING),
        "speed": speed.notna() & ~speed.between(0, TOP_SPEED),
        "rate": df["vertical_rate"].abs() > VERTICAL,
        "address": df["icao24"].notna() & ~df["icao24"].str.match(ADDRESS, na=False),
    }
    present = df[["icao24", "longitude", "latitude", "baro_altitude", "velocity", "vertical_rate"]].notna().sum().sum()
    counts["validity"] = (int(present), int(sum(mask.sum() for mask in outside.values())))
    contradiction = (
        (grounded & (altitude > AIRPORT))
        | (grounded & (df["vertical_rate"].abs() > CLIMB))
        | (longitude.isna() != latitude.isna())
    )
    counts["consistency"] = (rows, int(contradiction.sum()))
    counts["uniqueness"] = _pair(df["icao24"].count(), df["icao24"].count() - df["icao24"].nunique())
    counts["accuracy"] = (rows, int((~located | speed.isna() | high).sum()))
    counts["timeliness"] = _pair(
        contact.count(), ((contact < time - LIMITS.fresh_s) | (contact > time + LIMITS.fresh_s)).sum()
    )
    counts["altitude_range"] = _ranged_pandas(altitude, outside["altitude"], both_ends=True)
    counts["speed_range"] = _ranged_pandas(speed[airborne], outside["speed"][airborne], both_ends=False)
    counts["coordinate_validity"] = _pair(
        located.sum(), (located & (~on_globe | ((longitude == 0) & (latitude == 0)))).sum()
    )
    named = df["callsign"].notna()
    trimmed = df["callsign"].astype("str").str.strip(" ")
    shapely = trimmed.str.match(CALLSIGN, na=False) & ~trimmed.str.match(ZEROS, na=False)
    counts["callsign_format"] = _pair(named.sum(), (named & ~shapely).sum())
    counts["country_code"] = (rows, int((~df["origin_country"].isin(COUNTRIES)).sum()))
    oldest = time - LIMITS.oldest_s
    disordered = (position > contact) | (contact > time) | (position > time) | (contact < oldest) | (position < oldest)
    counts["timestamp_consistency"] = _pair((position.notna() | contact.notna()).sum(), disordered.sum())
    judged = on_globe & df["position_source"].isin(DECIMALS)
    scale = 10.0 ** df["position_source"].map(DECIMALS)
    finer = _finer_pandas(longitude, scale) | _finer_pandas(latitude, scale)
    counts["position_accuracy"] = _pair(judged.sum(), (judged & finer).sum())
    counts["altitude_consistency"] = _line_pandas(altitude, df["geo_altitude"] - altitude)
    gliding = (df["position_source"] == FLARM) & ~(df["category"] > LAST_UNKNOWN_CATEGORY)
    flying = airborne & speed.notna() & ~df["category"].isin(LIMITS.slow_categories) & ~gliding
    rolling = grounded & speed.notna()
    counts["speed_consistency"] = _pair(
        flying.sum() + rolling.sum(), ((flying & (speed < STALL)) | (rolling & (speed > TAXI))).sum()
    )
    counts["anomaly_detection"] = _anomalies_pandas(df)
    return counts


def _line_pandas(altitude: "pd.Series[float]", difference: "pd.Series[float]") -> tuple[int, int]:
    """What is further from Tukey's resistant line than it may be."""
    difference = difference.dropna()
    altitude = altitude[difference.index]
    lower, upper = altitude.quantile([0.25, 0.75], interpolation="lower")
    low, high = altitude <= lower, altitude >= upper
    rise = difference[high].median() - difference[low].median()
    slope = slope_of(rise, altitude[high].median() - altitude[low].median(), upper - lower, len(difference))
    left = difference - slope * altitude
    far = (left - left.median()).abs() > DEVIATION + LIMITS.datum_deviation_share * altitude.abs()
    return _pair(len(difference), far.sum())


def slope_of(rise: float, run: float, span: float, rows: int) -> float:
    """The line's slope; 0 where too little is known of it."""
    if rows < LIMITS.iqr_min_values or span < LEAST_SPAN_M:
        return 0.0
    return float(min(max(rise / run, -LIMITS.datum_slope), LIMITS.datum_slope))


def _pair(checked: Any, failing: Any) -> tuple[int, int]:
    return int(checked), int(failing)


def _ranged_pandas(values: "pd.Series[float]", outside: "pd.Series[bool]", *, both_ends: bool) -> tuple[int, int]:
    possible = values[~outside].dropna()
    failing = int(outside.sum())
    if len(possible) >= LIMITS.iqr_min_values:
        lower, upper = possible.quantile([0.25, 0.75], interpolation="lower")
        reach = LIMITS.iqr_factor * (upper - lower)
        failing += int((possible > upper + reach).sum())
        failing += int((possible < lower - reach).sum()) if both_ends else 0
    return int(values.count()), failing


def _finer_pandas(values: "pd.Series[float]", scale: "pd.Series[float]") -> "pd.Series[bool]":
    scaled = values * scale
    return (scaled - scaled.round()).abs() > DECIMAL_TOLERANCE


def _anomalies_pandas(df: pd.DataFrame) -> tuple[int, int]:
    values = df[list(FEATURES)].copy()
    taxiing = (df["flight_phase"] == GROUND) & (values["velocity"] >= LIMITS.moving_mps)
    if taxiing.sum() >= LIMITS.anomaly_min_values:
        values.loc[(df["flight_phase"] == GROUND) & ~taxiing, "velocity"] = float("nan")
    by_phase = values.groupby(df["flight_phase"], observed=True)
    deviation = (values - by_phase.transform("median")).abs()
    spread = (
        deviation.groupby(df["flight_phase"], observed=True).transform("median").clip(lower=LIMITS.anomaly_spread_mps)
    )
    enough = by_phase.transform("count") >= LIMITS.anomaly_min_values
    judged = values.notna() & enough & df[["flight_phase"]].notna().to_numpy()
    failing = judged & (NORMAL_QUARTILE * deviation > LIMITS.anomaly_z * spread)
    return _pair(judged.any(axis=1).sum(), failing.any(axis=1).sum())


def with_polars(parquet: bytes) -> Counts:
    """Polars: two lazy queries over the columns read once, all checks of each in one select, on all cores."""
    df = pl.read_parquet(io.BytesIO(parquet), columns=COLUMNS)
    first = df.lazy().select(**_first_polars(df["snapshot_time"].dt.epoch("s").max())).collect().row(0, named=True)
    second = df.lazy().select(**_second_polars(first)).collect().row(0, named=True)
    found = {**first, **second}
    names = [name.removesuffix(":checked") for name in found if name.endswith(":checked")]
    counts = {name: (found[f"{name}:checked"], found[f"{name}:failing"]) for name in names}
    return counts | {"altitude_consistency": _line_polars(df), "anomaly_detection": _anomalies_polars(df)}


def _first_polars(time: Any) -> dict[str, pl.Expr]:
    c = pl.col
    longitude, latitude, altitude, speed = c("longitude"), c("latitude"), c("baro_altitude"), c("velocity")
    contact, position, airborne, grounded = c("last_contact"), c("time_position"), ~c("on_ground"), c("on_ground")
    high = altitude.is_null() & airborne
    off_longitude, off_latitude = ~longitude.is_between(-180, 180), ~latitude.is_between(-90, 90)
    off_altitude, off_speed = ~altitude.is_between(FLOOR, CEILING), ~speed.is_between(0, TOP_SPEED)
    address, rate = c("icao24"), c("vertical_rate")
    located = longitude.is_not_null() & latitude.is_not_null()
    five = ["icao24", "longitude", "latitude", "velocity", "last_contact"]
    contradiction = (
        (grounded & (altitude > AIRPORT)).fill_null(False)
        | (grounded & (c("vertical_rate").abs() > CLIMB)).fill_null(False)
        | (longitude.is_null() != latitude.is_null())
    )
    oldest = time - LIMITS.oldest_s
    disordered = pl.any_horizontal(
        position > contact, contact > time, position > time, contact < oldest, position < oldest
    )
    gliding = (c("position_source") == FLARM) & ~(c("category") > LAST_UNKNOWN_CATEGORY).fill_null(False)
    slow = c("category").is_in(LIMITS.slow_categories).fill_null(False) | gliding.fill_null(False)
    flying = airborne & speed.is_not_null() & ~slow
    callsign = c("callsign").cast(pl.String).str.strip_chars(" ")
    rolling = grounded & speed.is_not_null()
    possible, possible_flying = altitude.filter(~off_altitude), speed.filter(~off_speed & airborne)
    checks = {
        "completeness": (
            5 * pl.len() + airborne.sum(),
            pl.sum_horizontal(c(name).null_count() for name in five) + high.sum(),
        ),
        "validity": (
            pl.sum_horizontal(e.count() for e in (address, longitude, latitude, altitude, speed, rate)),
            pl.sum_horizontal(e.sum() for e in (off_longitude, off_latitude, off_altitude, off_speed))
            + (rate.abs() > VERTICAL).sum()
            + (~address.str.contains(ADDRESS)).sum(),
        ),
        "consistency": (pl.len(), contradiction.sum()),
        "uniqueness": (address.count(), address.count() - address.drop_nulls().n_unique()),
        "accuracy": (pl.len(), (~located | speed.is_null() | high).sum()),
        "timeliness": (
            contact.count(),
            (~contact.is_between(time - LIMITS.fresh_s, time + LIMITS.fresh_s)).sum(),
        ),
        "coordinate_validity": (
            located.sum(),
            (located & (off_longitude | off_latitude | ((longitude == 0) & (latitude == 0)))).sum(),
        ),
        "callsign_format": (
            c("callsign").count(),
            (~callsign.str.contains(CALLSIGN) | callsign.str.contains(ZEROS)).sum(),
        ),
        "country_code": (
            pl.len(),
            pl.len() - c("origin_country").cast(pl.String).is_in(list(COUNTRIES)).sum(),
        ),
        "timestamp_consistency": (
            (position.is_not_null() | contact.is_not_null()).sum(),
            disordered.sum(),
        ),
        "position_accuracy": _decimals_polars(located & ~off_longitude & ~off_latitude),
        "speed_consistency": (
            flying.sum() + rolling.sum(),
            ((flying & (speed < STALL)) | (rolling & (speed > TAXI))).sum(),
        ),
    }
    expressions = {}
    for name, (checked, failing) in checks.items():
        expressions[f"{name}:checked"], expressions[f"{name}:failing"] = checked, failing
    for name, values in (("altitude", possible), ("speed", possible_flying)):
        expressions[f"{name}_n"] = values.count()
        expressions[f"{name}_lower"] = values.quantile(0.25, "lower")
        expressions[f"{name}_upper"] = values.quantile(0.75, "lower")
    return expressions


def _decimals_polars(judged: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    source = pl.col("position_source")
    scale = pl.coalesce(pl.when(source == code).then(10.0**decimals) for code, decimals in DECIMALS.items())
    finer = pl.lit(False)
    for name in ("longitude", "latitude"):
        scaled = pl.col(name) * scale
        finer = finer | ((scaled - scaled.round()).abs() > DECIMAL_TOLERANCE)
    known = judged & source.is_in(list(DECIMALS))
    return known.sum(), (known & finer).sum()


def _second_polars(first: dict[str, Any]) -> dict[str, pl.Expr]:
    c = pl.col
    altitude, speed, airborne = c("baro_altitude"), c("velocity"), ~c("on_ground")
    far_up = altitude > _fence(first, "altitude", upper=True)
    far_down = altitude < _fence(first, "altitude", upper=False)
    far_fast = speed > _fence(first, "speed", upper=True)
    return {
        "altitude_range:checked": altitude.count(),
        "altitude_range:failing": (~altitude.is_between(FLOOR, CEILING) | far_up | far_down).sum(),
        "speed_range:checked": (airborne & speed.is_not_null()).sum(),
        "speed_range:failing": (airborne & (~speed.is_between(0, TOP_SPEED) | far_fast)).sum(),
    }


def _line_polars(df: pl.DataFrame) -> tuple[int, int]:
    altitude, difference = pl.col("baro_altitude"), pl.col("geo_altitude") - pl.col("baro_altitude")
    both = df.lazy().select(altitude, difference.alias("difference")).drop_nulls().collect()
    height, apart = pl.col("baro_altitude"), pl.col("difference")
    lower, upper = both.select(height.quantile(0.25, "lower"), height.quantile(0.75, "lower").alias("upper")).row(0)
    low, high = height <= lower, height >= upper
    medians = [values.filter(part).median().alias(name) for name, values, part in (
        ("a", apart, high), ("b", apart, low), ("c", height, high), ("d", height, low))]  # fmt: skip
    top, bottom, highest, lowest = both.select(medians).row(0)
    left = apart - slope_of(top - bottom, highest - lowest, upper - lower, both.height) * height
    far = (left - left.median()).abs() > DEVIATION + LIMITS.datum_deviation_share * height.abs()
    return both.height, both.select(far.sum()).item()


def _anomalies_polars(df: pl.DataFrame) -> tuple[int, int]:
    """By group: a window function (`over`) takes twice as long."""
    judged, failing = [], []
    for name in FEATURES:
        value = pl.col(name)
        if name == "velocity":
            still = value < LIMITS.moving_mps
            taxiing = (value >= LIMITS.moving_mps).sum() >= LIMITS.anomaly_min_values
            ground = pl.col("flight_phase").first().cast(pl.String) == GROUND
            value = pl.when(ground & taxiing & still).then(None).otherwise(value)
        deviation = (value - value.median()).abs()
        spread = pl.max_horizontal(deviation.median(), pl.lit(LIMITS.anomaly_spread_mps))
        known = value.is_not_null() & (value.count() >= LIMITS.anomaly_min_values)
        judged.append(known)
        failing.append(known & (NORMAL_QUARTILE * deviation > LIMITS.anomaly_z * spread))
    by_phase = df.lazy().filter(pl.col("flight_phase").is_not_null()).group_by("flight_phase")
    counts = by_phase.agg(checked=pl.any_horizontal(*judged).sum(), failing=pl.any_horizontal(*failing).sum()).collect()
    return int(counts["checked"].sum()), int(counts["failing"].sum())


def _fence(first: dict[str, Any], name: str, *, upper: bool) -> float:
    low, high = first[f"{name}_lower"], first[f"{name}_upper"]
    if first[f"{name}_n"] < LIMITS.iqr_min_values:
        return float("inf") if upper else float("-inf")
    reach = LIMITS.iqr_factor * (high - low)
    return float(high + reach if upper else low - reach)

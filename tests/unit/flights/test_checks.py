"""What each check finds, and what it must not: the traps that the facts name."""

import io
import json
from pathlib import Path

import pytest

from chalicelib.flights.checks.countries import COUNTRIES
from chalicelib.flights.checks.registry import ROW_CHECKS, SNAPSHOT_CHECKS
from chalicelib.flights.checks.thresholds import PASS_MARKS, Thresholds
from chalicelib.flights.convert import convert
from chalicelib.flights.quality import CheckResult, assess
from local.opensky.countries import BLOCKS
from local.opensky.recording import load_recording
from tests.unit.flights.quality_reference import CHECKS, Row, written
from tests.unit.flights.test_quality import T, aircraft, faultless


def found(name: str, rows: list[Row], **thresholds: object) -> CheckResult:
    limits = Thresholds.from_mapping(thresholds)
    return next(check for check in assess(written(rows), thresholds=limits).checks if check.name == name)


def failing(name: str, **changes: object) -> bool:
    """Whether one more row with those changes fails the check among 20 faultless ones."""
    plain, changed = found(name, faultless()), found(name, [*faultless(), aircraft(77, **changes)])
    assert plain.failing == 0
    return changed.failing > 0


def applies(name: str, **changes: object) -> bool:
    """Whether the check looks at one more row with those changes."""
    return found(name, [*faultless(), aircraft(77, **changes)]).checked > found(name, faultless()).checked


def test_there_are_the_sixteen_checks_of_the_facts_each_explained() -> None:
    checks = [*ROW_CHECKS, *SNAPSHOT_CHECKS]
    assert {check.name for check in checks} == set(PASS_MARKS) == set(CHECKS)
    assert len(checks) == 16
    for check in checks:
        text = check.judge.__doc__ or ""
        for part in ("Why: ", "Formula: ", f"Pass mark: {PASS_MARKS[check.name]:.2f}."):
            assert part in text, check.name


def test_the_page_explains_every_check() -> None:
    page = (Path(__file__).parents[3] / "docs" / "quality-checks.md").read_text()
    for name, mark in PASS_MARKS.items():
        assert f"| `{name}` |" in page
        assert any(line.startswith(f"| `{name}` |") and f" {mark:.2f} |" in line for line in page.splitlines())


@pytest.mark.parametrize("name", ["longitude", "latitude", "velocity", "last_contact", "icao24", "baro_altitude"])
def test_completeness_misses_each_field(name: str) -> None:
    assert failing("completeness", **{name: None})


def test_completeness_takes_zero_for_a_value_and_nan_for_none() -> None:
    assert not failing("completeness", velocity=0.0, longitude=0.0, baro_altitude=0.0, last_contact=0)
    assert failing("completeness", velocity=float("nan"))


@pytest.mark.parametrize("on_ground", [True, None])
def test_completeness_expects_no_altitude_of_what_does_not_fly(on_ground: bool | None) -> None:
    assert not failing("completeness", on_ground=on_ground, baro_altitude=None)


def test_completeness_is_the_mean_of_its_fields_not_of_their_values() -> None:
    rows = [aircraft(number, on_ground=number > 0, baro_altitude=None) for number in range(10)]
    check = found("completeness", rows)
    assert check.score == pytest.approx(5 / 6)
    assert (check.checked, check.failing) == (51, 1)


def test_a_score_of_exactly_the_pass_mark_passes() -> None:
    gaps = dict.fromkeys(("icao24", "longitude", "latitude", "baro_altitude", "velocity", "last_contact"))
    rows = [aircraft(number, **(gaps if number < 2 else {})) for number in range(10)]
    completeness = found("completeness", rows)
    assert (completeness.score, completeness.verdict) == (0.8, "passed")
    rows = [aircraft(number, callsign="?" if number < 7 else "OK") for number in range(100)]
    callsigns = found("callsign_format", rows, pass_marks={"callsign_format": 0.93})
    assert (callsigns.score, callsigns.verdict) == (0.93, "passed")


@pytest.mark.parametrize(
    "change",
    [
        {"longitude": -180.1},
        {"longitude": 181.0},
        {"latitude": 90.1},
        {"baro_altitude": -305.0},
        {"baro_altitude": 18_289.0},
        {"velocity": -0.1},
        {"velocity": 618.0},
        {"velocity": float("inf")},
        {"icao24": "3C6444"},
        {"icao24": "3c644"},
        {"icao24": "g00000"},
        {"icao24": ""},
    ],
    ids=str,
)
def test_validity_finds_impossible_values(change: Row) -> None:
    assert failing("validity", **change)


def test_validity_measures_altitude_in_feet_and_speed_in_knots_though_the_columns_are_metric() -> None:
    assert not failing("validity", baro_altitude=18_000.0, velocity=600.0)
    assert not failing("validity", baro_altitude=-300.0, velocity=0.0)
    assert not failing("validity", longitude=-180.0, latitude=90.0)


@pytest.mark.parametrize("velocity", [10.0, 46.0, 120.0, None])
def test_consistency_doubts_a_ground_that_is_higher_than_every_airport(velocity: float | None) -> None:
    assert failing("consistency", on_ground=True, baro_altitude=5_000.0, velocity=velocity)
    assert not failing("consistency", on_ground=True, baro_altitude=4_000.0, velocity=velocity)
    assert not failing("consistency", on_ground=None, baro_altitude=5_000.0, velocity=velocity)


def test_consistency_compares_vertical_rates_in_one_unit() -> None:
    """1000 ft/min is 5.08 m/s; whoever compares m/s with ft/min never finds anything."""
    assert failing("consistency", on_ground=True, baro_altitude=None, vertical_rate=-5.2)
    assert not failing("consistency", on_ground=True, baro_altitude=None, vertical_rate=5.0)
    assert not failing("consistency", on_ground=False, vertical_rate=30.0)


def test_consistency_finds_half_a_position() -> None:
    assert failing("consistency", latitude=None)
    assert not failing("consistency", latitude=None, longitude=None)


def test_uniqueness_counts_repetitions_and_shows_the_later_row() -> None:
    check = found("uniqueness", [*faultless(), aircraft(3, callsign="LATER")])
    assert (check.checked, check.failing) == (21, 1)
    assert check.samples == [{"icao24": "000003", "callsign": "LATER"}]


def test_uniqueness_tells_malformed_addresses_apart_and_leaves_nulls_alone() -> None:
    rows = [aircraft(0, icao24=text) for text in ("zz", "zz", "ZZ", "", "", None, None, "00000a", "00000A")]
    check = found("uniqueness", rows)
    assert (check.checked, check.failing) == (7, 2)


@pytest.mark.parametrize("rows", [49_999, 50_001])
def test_uniqueness_of_more_rows_than_are_sorted(rows: int) -> None:
    many = [{"icao24": f"{number:06x}"} for number in range(rows)]
    many[rows - 1] = many[7]
    check = found("uniqueness", many)
    assert (check.checked, check.failing) == (rows, 1)
    assert check.samples == [{"icao24": "000007", "callsign": None}]


def test_accuracy_counts_by_source_and_tolerates_the_unlisted() -> None:
    rows = [aircraft(1, position_source=source) for source in (0, 2, 2, 8, -1, None)]
    rows += [aircraft(2, position_source=2, velocity=None)]
    check = found("accuracy", rows)
    assert {name: (part.checked, part.failing) for name, part in check.parts.items()} == {
        "ads_b": (1, 0),
        "mlat": (3, 1),
        "8": (1, 0),
        "-1": (1, 0),
        "unknown": (1, 0),
    }
    assert check.score == pytest.approx(6 / 7)


def test_timeliness_looks_both_ways() -> None:
    assert not failing("timeliness", last_contact=T - 300)
    assert failing("timeliness", last_contact=T - 301)
    assert failing("timeliness", last_contact=T + 301)
    assert failing("timeliness", last_contact=0)
    assert not applies("timeliness", last_contact=None)


@pytest.mark.parametrize("name", ["altitude_range", "speed_range"])
def test_ranges_look_for_outliers_among_at_least_forty(name: str) -> None:
    """One outlier among 20 would fail a check whose pass mark is 0.95."""
    wild = aircraft(99, baro_altitude=15_000.0, velocity=400.0)
    assert found(name, [*faultless(38), wild]).failing == 0
    check = found(name, [*faultless(39), wild])
    assert (check.failing, check.verdict) == (1, "passed")


def test_altitude_range_finds_what_is_far_below_and_spares_what_is_not() -> None:
    """Ranks 10 and 30 of these 42 are 1010 and 1030 m, so that the lower fence is at 950."""
    rows = [aircraft(number, baro_altitude=1000.0 + number) for number in range(41)]
    assert found("altitude_range", [*rows, aircraft(99, baro_altitude=950.0)]).failing == 0
    assert found("altitude_range", [*rows, aircraft(99, baro_altitude=945.0)]).failing == 1


def test_altitude_range_fences_are_not_moved_by_impossible_values() -> None:
    rows = [aircraft(number, baro_altitude=1000.0 + number) for number in range(40)]
    rows += [aircraft(99, baro_altitude=1e300) for _ in range(80)]
    check = found("altitude_range", [*rows, aircraft(98, baro_altitude=9000.0)])
    assert check.failing == 81
    assert (check.parts["limits"].failing, check.parts["outliers"].failing) == (80, 1)


def test_speed_range_looks_at_what_flies_and_only_upwards() -> None:
    for velocity, outliers in ((400.0, 1), (1.0, 0)):
        assert found("speed_range", [*faultless(50), aircraft(99, velocity=velocity)]).failing == outliers
    assert not applies("speed_range", on_ground=True, velocity=400.0)
    assert not applies("speed_range", on_ground=None, velocity=400.0)


def test_coordinate_validity_knows_null_island_from_the_equator() -> None:
    assert failing("coordinate_validity", longitude=0.0, latitude=0.0)
    assert failing("coordinate_validity", longitude=-0.0, latitude=0.0)
    assert not failing("coordinate_validity", longitude=0.0, latitude=51.4779)
    assert not failing("coordinate_validity", longitude=32.45, latitude=0.0)
    assert not applies("coordinate_validity", longitude=None, latitude=200.0)


@pytest.mark.parametrize("callsign", ["A", "0A", "100", "DLH4AB", "N123AB  ", "  OE123", "12345678", "12345678   "])
def test_callsign_format_accepts(callsign: str) -> None:
    assert not failing("callsign_format", callsign=callsign)


@pytest.mark.parametrize(
    "callsign",
    ["", " ", "        ", "00000000", "0", " 00 ", "dlh1", "A B", "123456789", "ÄÖ", "AB-1", "A\t", "A\n", "A\x00"],
)
def test_callsign_format_refuses(callsign: str) -> None:
    assert failing("callsign_format", callsign=callsign)


def test_callsign_format_does_not_judge_what_is_not_there() -> None:
    assert not applies("callsign_format", callsign=None)


@pytest.mark.parametrize("country", ["", None, "Atlantis", "germany", "Germany "])
def test_country_code_refuses(country: str | None) -> None:
    assert failing("country_code", origin_country=country)


def test_country_code_knows_every_country_of_the_recording_and_the_awkward_names() -> None:
    assert {country for _, _, country in BLOCKS} <= COUNTRIES
    assert {
        "United States",
        "Kingdom of the Netherlands",
        "Republic of Korea",
        "Viet Nam",
        "Czech Republic",
        "Czechia",
        "Türkiye",
        "Turkey",
        "Iran, Islamic Republic of",
        "Côte d'Ivoire",
        "Lao People's Democratic Republic",
        "Russian Federation",
        "Bolivia (Plurinational State of)",
        "Taiwan",
    } <= COUNTRIES
    assert all(name == name.strip() and "\n" not in name and "  " not in name for name in COUNTRIES)
    assert len(COUNTRIES) > 193


def test_timestamp_consistency_knows_the_only_order() -> None:
    assert not failing("timestamp_consistency", time_position=T, last_contact=T)
    assert not failing("timestamp_consistency", time_position=None, last_contact=T - 5)
    assert failing("timestamp_consistency", time_position=T - 1, last_contact=T - 2)
    assert failing("timestamp_consistency", last_contact=T + 1)
    assert failing("timestamp_consistency", time_position=T + 1, last_contact=None)
    assert failing("timestamp_consistency", time_position=T - 86_401)
    assert failing("timestamp_consistency", last_contact=0, time_position=None)
    assert not applies("timestamp_consistency", last_contact=None, time_position=None)


@pytest.mark.parametrize(("source", "decimals"), [(0, 5), (1, 6), (2, 4), (3, 5)])
def test_position_accuracy_allows_what_the_source_gives(source: int, decimals: int) -> None:
    fits, claims = round(50.123456789, decimals), round(50.123456789, decimals + 1)
    assert not failing("position_accuracy", position_source=source, latitude=fits)
    assert failing("position_accuracy", position_source=source, latitude=claims)
    assert failing("position_accuracy", position_source=source, longitude=claims)


@pytest.mark.parametrize("change", [{"position_source": 8}, {"position_source": None}, {"latitude": 95.123456789}])
def test_position_accuracy_judges_no_unlisted_source_and_nothing_off_the_globe(change: Row) -> None:
    assert not applies("position_accuracy", longitude=8.123456789, **change)


def test_altitude_consistency_is_judged_from_the_snapshots_own_difference() -> None:
    """3000 m apart everywhere is weather (or a unit), not one aircraft's fault; one that is not 3000 m apart is."""
    rows = [aircraft(number, geo_altitude=14_000.0) for number in range(20)]
    assert found("altitude_consistency", rows).failing == 0
    assert found("altitude_consistency", [*rows, aircraft(99, geo_altitude=10_972.8)]).failing == 1
    assert not applies("altitude_consistency", geo_altitude=float("inf"))


def test_altitude_consistency_allows_for_the_season() -> None:
    """In a winter atmosphere the difference grows to 3,600 ft at cruise and is nothing near the ground."""
    rows = [
        aircraft(n, baro_altitude=height, geo_altitude=height * 0.9 + n % 7)
        for n, height in enumerate([300.0 + 50 * n for n in range(60)] + [10_000.0 + 20 * n for n in range(100)])
    ]
    assert found("altitude_consistency", rows).failing == 0
    assert found("altitude_consistency", [*rows, aircraft(999, baro_altitude=500.0, geo_altitude=1_400.0)]).failing == 1
    feet = [row | {"geo_altitude": row["geo_altitude"] / 0.3048} for row in rows]
    check = found("altitude_consistency", feet)
    assert check.verdict == "failed", "a unit is no season"


def test_speed_consistency_spares_what_may_hover() -> None:
    assert failing("speed_consistency", on_ground=True, velocity=31.0)
    assert not failing("speed_consistency", on_ground=True, velocity=30.0)
    assert failing("speed_consistency", velocity=20.0)
    assert failing("speed_consistency", velocity=20.0, category=None)
    assert not failing("speed_consistency", velocity=21.0)
    for slow in (8, 9, 10, 11, 12, 14, 18, 19, 20):
        assert not applies("speed_consistency", velocity=0.0, category=slow)
        assert failing("speed_consistency", velocity=50.0, category=slow, on_ground=True)


@pytest.mark.parametrize("category", [None, 0, 1])
def test_speed_consistency_spares_what_flarm_reports_without_a_category(category: int | None) -> None:
    assert not applies("speed_consistency", velocity=8.0, category=category, position_source=3)
    assert failing("speed_consistency", velocity=8.0, category=category, position_source=0)
    assert failing("speed_consistency", velocity=8.0, category=4, position_source=3)


def test_speed_consistency_does_without_a_category_column() -> None:
    rows = [aircraft(number, velocity=5.0, category=8) for number in range(4)]
    checks = assess(written(rows, drop=["category"])).checks
    assert next(check for check in checks if check.name == "speed_consistency").failing == 4


def test_anomaly_detection_judges_each_phase_by_itself() -> None:
    taxiing = [aircraft(100 + n, on_ground=True, velocity=5.0 + n % 4, flight_phase="GROUND") for n in range(20)]
    rows = [*faultless(), *taxiing]
    assert found("anomaly_detection", rows).failing == 0
    fast = aircraft(99, on_ground=True, velocity=230.0, flight_phase="GROUND")
    check = found("anomaly_detection", [*rows, fast])
    assert (check.failing, check.samples[0]["icao24"]) == (1, "000063")
    assert {name: part.failing for name, part in check.parts.items()} == {"ground": 1, "cruise": 0}


def ground(number: int, velocity: float) -> Row:
    return aircraft(
        number, on_ground=True, baro_altitude=None, velocity=velocity, vertical_rate=None, flight_phase="GROUND"
    )


def test_anomaly_detection_finds_the_absurd_one_among_the_parked() -> None:
    rows = [ground(n, 0.0) for n in range(60)] + [ground(100 + n, 4.0 + n % 9) for n in range(20)]
    check = found("anomaly_detection", [*rows, ground(99, 250.0)])
    assert (check.checked, check.failing, check.samples[0]["icao24"]) == (21, 1, "000063")
    parked = [ground(n, 0.0) for n in range(30)]
    assert found("anomaly_detection", [*parked, ground(99, 250.0)]).failing == 1, "too few move to compare it with"


def test_anomaly_detection_lets_an_ordinary_apron_be() -> None:
    speeds = [0.0] * 45 + [0.6] * 10 + [8.0 + n % 5 for n in range(45)]
    assert found("anomaly_detection", [ground(n, speed) for n, speed in enumerate(speeds)]).failing == 0


def test_anomaly_detection_leaves_infinite_values_and_features_with_few_values_out() -> None:
    rows = [aircraft(number, velocity=200.0 + number, vertical_rate=None) for number in range(12)]
    wild = [aircraft(50 + number, velocity=float("inf"), vertical_rate=None) for number in range(11)]
    check = found("anomaly_detection", [*rows, *wild])
    assert (check.checked, check.failing) == (12, 0)
    rates = [99.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, None, None]
    few = [aircraft(number, velocity=None, vertical_rate=rate) for number, rate in enumerate(rates)]
    assert found("anomaly_detection", few).verdict == "unknown"


def test_anomaly_detection_leaves_small_phases_alone_and_equal_values_are_no_standard() -> None:
    nine = [aircraft(number, flight_phase="LEVEL") for number in range(8)] + [
        aircraft(9, flight_phase="LEVEL", velocity=999.0)
    ]
    assert found("anomaly_detection", nine).verdict == "unknown"
    equal = [aircraft(number, velocity=200.0, vertical_rate=0.0) for number in range(20)]
    assert found("anomaly_detection", [*equal, aircraft(99, velocity=210.0)]).failing == 0
    assert found("anomaly_detection", [*equal, aircraft(99, velocity=900.0)]).failing == 1
    assert found("anomaly_detection", [aircraft(n, flight_phase="SOARING") for n in range(20)]).verdict == "unknown"


@pytest.mark.parametrize(
    ("name", "thresholds", "change"),
    [
        ("timeliness", {"fresh_s": 5}, {"last_contact": T - 6}),
        ("timestamp_consistency", {"oldest_s": 5}, {"time_position": T - 6}),
        ("validity", {"altitude_ceiling_ft": 40_000}, {"baro_altitude": 12_500.0}),
        ("validity", {"altitude_floor_ft": 0}, {"baro_altitude": -10.0}),
        ("validity", {"climb_ceiling_fpm": 100}, {"vertical_rate": 1.0}),
        ("validity", {"speed_ceiling_kt": 500}, {"velocity": 260.0}),
        ("altitude_range", {"altitude_ceiling_ft": 36_200}, {"baro_altitude": 11_040.0}),
        ("altitude_range", {"iqr_factor": 0.1}, {"baro_altitude": 11_040.0}),
        ("altitude_range", {"iqr_min_values": 21}, {"baro_altitude": 15_000.0}),
        ("speed_range", {"iqr_factor": 0.5}, {"velocity": 240.0}),
        ("consistency", {"highest_airport_ft": 100}, {"on_ground": True, "baro_altitude": 300.0, "velocity": 30.0}),
        ("consistency", {"ground_climb_fpm": 100}, {"on_ground": True, "baro_altitude": None, "vertical_rate": 1.0}),
        ("altitude_consistency", {"datum_deviation_ft": 10, "datum_deviation_share": 0}, {"geo_altitude": 11_340.0}),
        ("speed_consistency", {"ground_speed_ceiling_kt": 20}, {"on_ground": True, "velocity": 11.0}),
        ("speed_consistency", {"airborne_speed_floor_kt": 100}, {"velocity": 50.0}),
        ("position_accuracy", {"decimals_ads_b": 4}, {"latitude": 50.12345}),
        ("anomaly_detection", {"anomaly_z": 1.9, "anomaly_spread_mps": 0}, {"velocity": 240.0}),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else value,
)
def test_each_limit_can_be_moved(name: str, thresholds: dict[str, float], change: Row) -> None:
    rows = [*faultless(), aircraft(77, **change)]
    assert found(name, rows, iqr_min_values=22).failing == 0
    assert found(name, rows, **{"iqr_min_values": 11, **thresholds}).failing >= 1


@pytest.mark.slow
def test_real_traffic_passes_by_its_own_times() -> None:
    """The recording, through our own writer: real gaps, flags that err, no geometric altitude, and it passes."""
    recording = load_recording()
    for position in range(1800, recording.length, 1800):
        answer = recording.at(position)
        output = io.BytesIO()
        convert(io.BytesIO(json.dumps({"time": answer.time, "states": answer.vectors}).encode()), output)
        report = assess(output.getvalue())
        assert (report.verdict, report.snapshot_time) == ("passed", answer.time), report.reasons
        assert report.unknown >= 1

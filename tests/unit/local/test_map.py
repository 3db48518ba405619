"""The demo's map: what it shows, what it leaves out, and that it is a picture of it."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imread
from matplotlib.path import Path as MapPath

from local.demo.map import CROWD, DOTS_PER_INCH, PHASES, SIZE, Drawn, draw_map, label_of, view_of
from local.demo.outlines import OUTLINES, WORLD, Bounds, arcs_of, clip_line, clip_ring, level, on_the_map, unwrapped

pytestmark = pytest.mark.slow

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def craft(**changes: Any) -> dict[str, Any]:
    return {
        "icao24": "39cea2",
        "callsign": "AFR15AH",
        "latitude": 48.5,
        "longitude": 2.5,
        "baro_altitude_ft": 21_000.0,
        "velocity_kt": 400.0,
        "true_track": 90.0,
        "vertical_rate_fpm": 0.0,
        "flight_phase": "CRUISE",
    } | changes


def draw(tmp_path: Path, *aircraft: dict[str, Any]) -> Drawn:
    return draw_map(aircraft, tmp_path / "maps" / "map.png", time=NOON, source="a test")


def pixels_of(drawn: Drawn, phase: str | None) -> int:
    """How many pixels have exactly the phase's colour."""
    picture = (imread(drawn.path)[:, :, :3] * 255).round().astype(int)
    colour = PHASES[phase][0]
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return int(np.all(picture == wanted, axis=2).sum())


def test_the_picture_has_its_size_and_the_colours_of_the_phases_in_it(tmp_path: Path) -> None:
    drawn = draw(tmp_path, craft(), craft(flight_phase="GROUND", latitude=48.0, true_track=None, velocity_kt=0.0))

    height, width, _ = imread(drawn.path).shape
    assert (width, height) == (SIZE[0] * DOTS_PER_INCH, SIZE[1] * DOTS_PER_INCH)
    assert drawn[1:] == (2, 0, 1)
    assert pixels_of(drawn, "CRUISE") > 100
    assert pixels_of(drawn, "GROUND") > 100
    assert pixels_of(drawn, "DESCENT") == 0


def test_the_heading_turns_the_aircraft(tmp_path: Path) -> None:
    pictures = [imread(draw(tmp_path, craft(true_track=track, velocity_kt=None)).path) for track in (0.0, 45.0)]

    assert not np.array_equal(*pictures)


def test_aircraft_without_a_position_are_left_out_and_far_ones_are_counted(tmp_path: Path) -> None:
    near = [craft(latitude=48 + n / 10, longitude=2 + n / 10) for n in range(6)]

    drawn = draw(tmp_path, *near, craft(latitude=None, longitude=None), craft(latitude=2.0, longitude=48.0))

    assert (drawn.aircraft, drawn.outside) == (6, 1)


def test_labels_keep_clear_of_each_other(tmp_path: Path) -> None:
    stacked = [craft(callsign=f"AFR{n}") for n in range(30)]

    assert 1 <= draw(tmp_path, *stacked).labelled <= 4


def test_a_crowd_is_drawn_without_labels(tmp_path: Path) -> None:
    crowd = [craft(latitude=40 + n / 20, longitude=n / 10) for n in range(CROWD)]

    assert draw(tmp_path, *crowd[1:]).labelled > 0
    assert draw(tmp_path, *crowd).labelled == 0


def test_an_empty_sky_is_a_map_of_the_world(tmp_path: Path) -> None:
    drawn = draw(tmp_path)

    assert drawn.aircraft == 0
    assert view_of([]).east - view_of([]).west == 360


def test_what_is_unknown_does_not_stop_the_map(tmp_path: Path) -> None:
    unknown = ("callsign", "baro_altitude_ft", "velocity_kt", "true_track", "flight_phase")

    drawn = draw(tmp_path, *(craft(**{name: None}) for name in unknown))

    assert drawn.aircraft == len(unknown)
    assert pixels_of(drawn, None) > 20


def test_a_label_reads_as_on_a_controllers_screen() -> None:
    assert label_of(craft()) == "AFR15AH\nFL210 400 kt"
    assert label_of(craft(baro_altitude_ft=-275.0, velocity_kt=None)) == "AFR15AH\nFL000"
    assert label_of(craft(baro_altitude_ft=None, velocity_kt=None)) == "AFR15AH"


@given(
    st.lists(st.tuples(st.floats(min_value=-180, max_value=180), st.floats(min_value=-90, max_value=90)), min_size=1)
)
def test_any_traffic_has_a_view_on_the_globe_with_most_of_either_coordinate_inside(
    points: list[tuple[float, float]],
) -> None:
    view = view_of(points)

    assert WORLD.hold((view.west, view.south))
    assert WORLD.hold((view.east, view.north))
    assert view.west < view.east
    assert view.south < view.north
    assert 2 * sum(view.west <= longitude <= view.east for longitude, _ in points) >= len(points)
    assert 2 * sum(view.south <= latitude <= view.north for _, latitude in points) >= len(points)


SQUARE = Bounds(0, 0, 10, 10)


def test_a_ring_is_cut_at_the_edges() -> None:
    assert clip_ring([(5, 5), (15, 5), (15, 8), (5, 8)], SQUARE) == [(5, 5), (10, 5), (10, 8), (5, 8)]
    assert clip_ring([(20, 20), (30, 20), (30, 30)], SQUARE) == []
    assert clip_ring([(1, 1), (2, 1), (2, 2)], SQUARE) == [(1, 1), (2, 1), (2, 2)]


def test_a_line_comes_in_the_pieces_that_lie_inside() -> None:
    line = [(-5.0, 1.0), (1.0, 1.0), (12.0, 1.0), (12.0, 5.0), (5.0, 5.0), (4.0, 5.0)]

    assert list(clip_line(line, SQUARE)) == [
        [(-5.0, 1.0), (1.0, 1.0), (12.0, 1.0)],
        [(12.0, 5.0), (5.0, 5.0), (4.0, 5.0)],
    ]
    assert list(clip_line([(20.0, 20.0), (30.0, 20.0)], SQUARE)) == []


def test_a_ring_over_the_antimeridian_becomes_a_part_on_either_side() -> None:
    ring = [(170.0, 0.0), (-170.0, 0.0), (-170.0, 10.0), (170.0, 10.0), (170.0, 0.0)]

    east, west = sorted(on_the_map(ring, WORLD), reverse=True)

    assert {x for x, _ in east} == {170, 180}
    assert {x for x, _ in west} == {-180, -170}


def test_a_ring_around_a_pole_is_closed_through_it() -> None:
    ring = [(-180.0, -80.0), (-60.0, -70.0), (60.0, -70.0), (170.0, -80.0), (-180.0, -80.0)]

    assert unwrapped(ring)[4:] == [(180.0, -80.0), (180.0, -90.0), (-180.0, -90.0), (-180.0, -80.0)]


def topology() -> dict[str, Any]:
    """Two square states side by side: arc 0 is their border, arcs 1 and 2 the coasts to the east and west."""
    return {
        "transform": {"scale": [1, 1], "translate": [0, 0]},
        "arcs": [[[4, 2], [0, 4]], [[4, 6], [4, 0], [0, -4], [-4, 0]], [[4, 6], [-2, 0], [0, -4], [2, 0]]],
        "objects": {
            "land": {"geometries": [{"type": "Polygon", "arcs": [[1, ~2]]}]},
            "countries": {
                "geometries": [
                    {"type": "Polygon", "arcs": [[0, 1]]},
                    {"type": "MultiPolygon", "arcs": [[[0, 2]]]},
                ]
            },
        },
    }


def test_a_topology_gives_land_and_only_shared_arcs_as_borders() -> None:
    assert arcs_of(topology())[0] == [(4, 2), (4, 6)]

    outlines = level(topology(), SQUARE)

    assert outlines["borders"] == [[(4, 2), (4, 6)]]
    assert outlines["land"] == [[(4, 6), (8, 6), (8, 2), (4, 2), (2, 2), (2, 6), (4, 6)]]


@pytest.mark.parametrize("detail", [0, 1])
def test_the_committed_outlines_know_land_from_sea_and_are_small(detail: int) -> None:
    packed = OUTLINES.read_bytes()
    land = MapPath.make_compound_path(*map(MapPath, json.loads(gzip.decompress(packed))[detail]["land"]))

    assert len(packed) < 300_000
    assert land.contains_points([(2.35, 48.86), (4.35, 50.85), (-3.7, 40.4 + 1)]).all()
    assert not land.contains_points([(0.0, 50.1), (-7.0, 46.0), (3.0, 55.0)]).any()

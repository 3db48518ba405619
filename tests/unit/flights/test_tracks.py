"""Flights out of positions: where they end, and their lines."""

import pytest

from chalicelib.flights.models import TrackPoint
from chalicelib.flights.tracks import Sighting, distance_nm, flights, geojson


def at(time: int, longitude: float = 8.0, latitude: float = 47.0, callsign: str | None = "SWR1") -> Sighting:
    point = TrackPoint(
        time=time,
        latitude=latitude,
        longitude=longitude,
        baro_altitude_ft=1000.0,
        velocity_kt=None,
        true_track=None,
        vertical_rate_fpm=None,
        on_ground=False,
    )
    return Sighting(callsign, point)


def test_ten_minutes_of_silence_end_a_flight() -> None:
    assert [len(flight.points) for flight in flights([at(0), at(599), at(1199), at(1300)])] == [2, 2]


def test_a_new_callsign_ends_a_flight_and_an_unknown_one_does_not() -> None:
    names = [None, "SWR1", None, "SWR1", "SWR2", None]
    found = flights([at(60 * n, callsign=name) for n, name in enumerate(names)])
    assert [(flight.callsign, len(flight.points)) for flight in found] == [("SWR1", 4), ("SWR2", 2)]
    assert flights([]) == []


def test_distances_are_great_circles() -> None:
    jfk, lhr = at(0, -73.7789, 40.6397).point, at(0, -0.4614, 51.4775).point
    assert distance_nm(jfk, lhr) == pytest.approx(2991, abs=8)
    assert distance_nm(jfk, jfk) == 0
    assert distance_nm(at(0, 0.0, 0.0).point, at(0, 180.0, 0.0).point) == pytest.approx(10_807, abs=2)


def test_a_line_is_cut_at_the_date_line() -> None:
    (feature,) = geojson("c0ffee", flights([at(0, 179.0, 10.0), at(60, -179.0, 12.0), at(120, -178.0, 12.0)])).features
    assert feature.geometry.coordinates == [
        [[179.0, 10.0, 305], [180.0, 11.0]],
        [[-180.0, 11.0], [-179.0, 12.0, 305], [-178.0, 12.0, 305]],
    ]
    (point,) = geojson("c0ffee", flights([at(0)])).features
    assert len(point.geometry.coordinates[0]) == 2

"""Split an aircraft's positions into flights, with distance and a line for the map."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import asin, cos, hypot, radians, sin, sqrt
from typing import Final, NamedTuple

from chalicelib.flights.models import FlightFeature, LineGeometry, TrackedFlight, TrackFeatures, TrackPoint

SILENCE_S: Final = 600
"""An aircraft that is silent for as long has landed, or flown out of reach: what follows is another flight."""
EARTH_NM: Final = 3440.065
METRES_PER_FOOT: Final = 0.3048


class Sighting(NamedTuple):
    """A point of a track and the callsign that the aircraft had there."""

    callsign: str | None
    point: TrackPoint


def flights(sightings: Sequence[Sighting]) -> list[TrackedFlight]:
    """The flights of sightings in the order of their times; a callsign that is not known ends no flight."""
    return [_flight(part) for part in _parts(sightings)]


def geojson(icao24: str, found: Sequence[TrackedFlight]) -> TrackFeatures:
    """Flights as a feature collection."""
    return TrackFeatures(features=[_feature(icao24, flight) for flight in found])


def distance_nm(one: TrackPoint, other: TrackPoint) -> float:
    """The great-circle distance between two points, in nautical miles."""
    here, there = radians(one.latitude), radians(other.latitude)
    half = sin((there - here) / 2) ** 2
    half += cos(here) * cos(there) * sin(radians(other.longitude - one.longitude) / 2) ** 2
    return 2 * EARTH_NM * asin(min(1.0, sqrt(half)))


def _parts(sightings: Sequence[Sighting]) -> Iterator[list[Sighting]]:
    part: list[Sighting] = []
    callsign: str | None = None
    for sighting in sightings:
        if part:
            silent = sighting.point.time - part[-1].point.time >= SILENCE_S
            renamed = callsign is not None and sighting.callsign not in (None, callsign)
            if silent or renamed:
                yield part
                part, callsign = [], None
        part.append(sighting)
        callsign = callsign or sighting.callsign
    if part:
        yield part


def _flight(part: Sequence[Sighting]) -> TrackedFlight:
    points = [sighting.point for sighting in part]
    altitudes = [point.baro_altitude_ft for point in points if point.baro_altitude_ft is not None]
    return TrackedFlight(
        callsign=next((sighting.callsign for sighting in part if sighting.callsign), None),
        start=points[0].time,
        end=points[-1].time,
        duration_s=points[-1].time - points[0].time,
        distance_nm=round(sum(distance_nm(one, other) for one, other in pairwise(points)), 1),
        highest_altitude_ft=max(altitudes, default=None),
        points=points,
    )


def _feature(icao24: str, flight: TrackedFlight) -> FlightFeature:
    return FlightFeature(
        geometry=LineGeometry(coordinates=list(_lines(flight.points))),
        properties={
            "icao24": icao24,
            "callsign": flight.callsign,
            "start": flight.start,
            "end": flight.end,
            "duration_s": flight.duration_s,
            "distance_nm": flight.distance_nm,
            "highest_altitude_ft": flight.highest_altitude_ft,
        },
    )


def _lines(points: Sequence[TrackPoint]) -> Iterator[list[list[float]]]:
    """The points as lines; one that crosses the date line is cut there, as RFC 7946 asks, at its own latitude."""
    line = [_position(points[0])]
    for one, other in pairwise(points):
        if abs(other.longitude - one.longitude) > 180:
            edge = 180.0 if one.longitude > 0 else -180.0
            before, after = abs(edge - one.longitude), abs(-edge - other.longitude)
            share = before / (before + after) if hypot(before, after) else 0.0
            latitude = round(one.latitude + share * (other.latitude - one.latitude), 5)
            yield [*line, [edge, latitude]]
            line = [[-edge, latitude]]
        line.append(_position(other))
    yield line if len(line) > 1 else line * 2


def _position(point: TrackPoint) -> list[float]:
    place = [point.longitude, point.latitude]
    return place if point.baro_altitude_ft is None else [*place, round(point.baro_altitude_ft * METRES_PER_FOOT)]

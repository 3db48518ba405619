"""Snapshots as the world sends them, and the same spoiled: what the checks must pass, and what they must not.

`honest()` gives 200 snapshots: 70 of the recording, 130 generated (the world, regions, small ones, oceans, the Alps,
the winter, glider sites, an airport). `spoiled()` gives one of 6,000 aircraft for each fault and base. Both are the
same in every run.
"""

import math
import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from local.opensky.recording import load_recording

Vector = list[Any]
Vectors = list[Vector]
TIME = 1_763_726_400
FT, KT, FPM = 0.3048, 1852 / 3600, 0.00508
(
    ICAO24, CALLSIGN, COUNTRY, TIME_POSITION, LAST_CONTACT, LONGITUDE, LATITUDE, ALTITUDE, ON_GROUND, VELOCITY, TRACK,
    RATE, SENSORS, GEO_ALTITUDE, SQUAWK, SPI, SOURCE, CATEGORY,
) = range(18)  # fmt: skip


class Region(NamedTuple):
    countries: tuple[str, ...]
    south: float
    north: float
    west: float
    east: float


USA = Region(("United States",) * 9 + ("Canada", "Mexico"), 26, 49, -123, -70)
EUROPE = Region(
    ("Germany", "United Kingdom", "France", "Ireland", "Spain", "Italy", "Switzerland", "Turkey", "Qatar"),
    36, 60, -9, 28,
)  # fmt: skip
ASIA = Region(("China", "China", "Japan", "Republic of Korea", "Viet Nam", "Thailand"), 18, 42, 98, 142)
INDIA = Region(("India", "India", "United Arab Emirates"), 9, 30, 70, 88)
AUSTRALIA = Region(("Australia", "New Zealand"), -40, -20, 115, 155)
BRAZIL = Region(("Brazil", "Brazil", "Chile"), -32, -5, -60, -36)
ATLANTIC = Region(("United States", "United Kingdom", "Ireland", "Germany", "Canada"), 42, 60, -55, -12)
WORLD = ((USA, 0.44), (EUROPE, 0.28), (ASIA, 0.14), (INDIA, 0.04), (AUSTRALIA, 0.04), (BRAZIL, 0.03), (ATLANTIC, 0.03))
ALPS = Region(("Switzerland", "Austria", "Germany", "France", "Italy"), 45.5, 47.6, 6, 13)

ROLES = ("cruise", "climb", "light", "rotor", "parked", "taxi", "rolling", "glider", "paraglider")
MIX = (0.55, 0.24, 0.08, 0.02, 0.06, 0.035, 0.003, 0.01, 0.002)


def traffic(
    rows: int,
    seed: int,
    regions: tuple[tuple[Region, float], ...] = WORLD,
    mix: tuple[float, ...] = MIX,
    warmth: float = 0.0,
    time: int = TIME,
) -> Vectors:
    """So many aircraft; `warmth` is how far geometric altitude exceeds barometric, as a share of it."""
    draw = random.Random(seed)
    addresses = draw.sample(range(1 << 24), rows)
    places = draw.choices([place for place, _ in regions], [share for _, share in regions], k=rows)
    roles = draw.choices(ROLES, mix, k=rows)
    pressure = {place: draw.gauss(0, 60) for place, _ in regions}
    return [
        _vector(draw, address, place, role, warmth, pressure[place], time)
        for address, place, role in zip(addresses, places, roles, strict=True)
    ]


def _vector(
    draw: random.Random, address: int, region: Region, role: str, warmth: float, pressure: float, time: int
) -> Vector:
    altitude, speed, rate, category, source = _flight(draw, role)
    chance = [draw.random() for _ in range(7)]
    ground = role in {"parked", "taxi", "rolling"}
    contact = time - int(draw.expovariate(0.25))
    metres = None if ground or chance[0] < 0.01 else round(altitude * FT / 7.62) * 7.62
    geometric = None
    if metres is not None and chance[1] > 0.05:
        geometric = round((metres * (1 + warmth) + pressure + draw.gauss(0, 30)) / 7.62) * 7.62
    located = chance[2] > 0.03
    return [
        f"{address:06x}",
        None if chance[3] < 0.04 else f"{['DLH', 'UAL', 'BAW', 'CCA', 'QTR'][address % 5]}{address % 9000 + 1:<5d}",
        draw.choice(region.countries),
        contact - int(draw.expovariate(1)) if located else None,
        contact,
        round(draw.uniform(region.west, region.east), 4) if located else None,
        round(draw.uniform(region.south, region.north), 4) if located else None,
        metres,
        ground,
        None if chance[4] < 0.01 else round(max(0.0, speed) * KT, 2),
        None if chance[4] < 0.01 else round(draw.uniform(0, 360), 2),
        None if ground or chance[5] < 0.01 else round(round(rate / 64) * 64 * FPM, 2),
        None,
        geometric,
        f"{draw.randrange(4096):04o}" if chance[6] < 0.8 else None,
        False,
        source,
        category,
    ]


def _flight(draw: random.Random, role: str) -> tuple[float, float, float, int, int]:
    """Altitude in ft, speed in kt, rate in ft/min, category, source."""
    source = draw.choice([0, 0, 0, 0, 0, 0, 0, 0, 2, 1])
    category = draw.choice([0, 0, 1, 3, 4, 4, 6])
    height = draw.random()
    if role == "cruise":
        return 1000 * draw.randrange(31, 42), draw.gauss(455, 45), draw.choice([0, 0, 64, -64]), category, source
    if role == "climb":
        way = draw.choice([-1, 1])
        return 2000 + 32_000 * height, 170 + 270 * height**0.7 + draw.gauss(0, 20), way * draw.gauss(1500, 600), \
            category, source  # fmt: skip
    if role == "light":
        return 1000 + 8000 * height, draw.gauss(115, 22), draw.gauss(0, 200), (draw.choice([0, 2, 2])), source
    if role == "rotor":
        return 300 + 2000 * height, draw.uniform(0, 140), draw.gauss(0, 200), 8, source
    if role == "glider":
        return 3000 + 7000 * height, draw.gauss(52, 14), draw.gauss(0, 400), (draw.choice([0, 9, 9])), 3
    if role == "paraglider":
        return 2000 + 6000 * height, draw.gauss(19, 6), draw.gauss(0, 300), (draw.choice([0, 0, 12])), 3
    speeds = {"parked": 0.0, "taxi": draw.uniform(3, 28), "rolling": draw.uniform(60, 150)}
    return 0, speeds[role], 0, (draw.choice([0, 3, 4])), source


def honest() -> Iterator[tuple[str, int, Vectors]]:
    """Kind, time and vectors of each of 200 snapshots."""
    recording = load_recording()
    for number in range(70):
        answer = recording.at(300 + number * (recording.length - 600) / 70)
        yield "recorded", answer.time, answer.vectors
    draw = random.Random(7)
    for seed in range(130):
        rows = draw.randrange(1500, 6001)
        kind, arguments = _KINDS[seed % len(_KINDS)]
        if kind == "small":
            rows = draw.randrange(1, 130)
        elif kind in {"alpine", "gliders", "airport", "oceanic"}:
            rows = draw.randrange(40, 900)
        yield kind, TIME, traffic(rows, 1000 + seed, **arguments)


_KINDS: list[tuple[str, dict[str, Any]]] = [
    ("world", {}),
    ("winter", {"warmth": -0.1, "regions": ((EUROPE, 0.7), (ASIA, 0.3))}),
    ("small", {}),
    ("oceanic", {"regions": ((ATLANTIC, 1.0),), "mix": (1, 0.01, 0, 0, 0, 0, 0, 0, 0)}),
    ("alpine", {"regions": ((ALPS, 1.0),), "mix": (0.3, 0.12, 0.15, 0.06, 0.06, 0.03, 0.002, 0.2, 0.08)}),
    ("gliders", {"regions": ((ALPS, 1.0),), "mix": (0.02, 0.02, 0.16, 0.02, 0, 0, 0, 0.6, 0.18)}),
    ("airport", {"regions": ((EUROPE, 1.0),), "mix": (0.05, 0.3, 0.02, 0.02, 0.4, 0.19, 0.02, 0, 0)}),
    ("summer", {"warmth": 0.06}),
    ("region", {"regions": ((USA, 1.0),)}),
    ("mixed winter", {"warmth": -0.07}),
]

Spoil = Callable[[Vectors, random.Random], Vectors]


def changed(*fields: int, by: Callable[[Any], Any], share: float = 1.0) -> Spoil:
    """Fields that have a value, changed in a share of the rows."""

    def spoil(vectors: Vectors, draw: random.Random) -> Vectors:
        for vector in vectors:
            if share == 1 or draw.random() < share:
                for field in fields:
                    if vector[field] is not None:
                        vector[field] = by(vector[field])
        return vectors

    return spoil


def swapped(one: int, other: int, share: float = 1.0) -> Spoil:
    def spoil(vectors: Vectors, draw: random.Random) -> Vectors:
        for vector in vectors:
            if share == 1 or draw.random() < share:
                vector[one], vector[other] = vector[other], vector[one]
        return vectors

    return spoil


def every(**values: Any) -> Spoil:
    """The same values in every row, by the field's name in capitals."""
    return lambda vectors, draw: [
        _set(vector, {globals()[name]: values[name] for name in values}) for vector in vectors
    ]


def _set(vector: Vector, values: dict[int, Any]) -> Vector:
    for place, value in values.items():
        vector[place] = value
    return vector


def _renamed(vectors: Vectors, draw: random.Random) -> Vectors:
    """Each aircraft twice, under another address."""
    return [*vectors, *([f"{int(vector[0], 16) ^ 0x800001:06x}", *vector[1:]] for vector in vectors)]


def _flown_off(vectors: Vectors, draw: random.Random) -> Vectors:
    """Columns moved by one place from longitude on, as a writer does that left one out."""
    return [[*v[:LONGITUDE], v[LATITUDE], v[ALTITUDE], v[VELOCITY], v[ON_GROUND], v[TRACK], v[RATE], None, *v[12:]]
            for v in vectors]  # fmt: skip


def _without(south: float, north: float, west: float, east: float) -> Spoil:
    def spoil(vectors: Vectors, draw: random.Random) -> Vectors:
        return [v for v in vectors if v[LATITUDE] is None
                or not (south <= v[LATITUDE] <= north and west <= v[LONGITUDE] <= east)]  # fmt: skip

    return spoil


FAULTS: dict[str, Spoil] = {
    "every position 0, 0": every(LONGITUDE=0.0, LATITUDE=0.0),
    "half the positions 0, 0": lambda v, d: [
        _set(r, {LONGITUDE: 0.0, LATITUDE: 0.0}) if d.random() < 0.5 else r for r in v
    ],
    "times two hours old": changed(TIME_POSITION, LAST_CONTACT, by=lambda t: t - 7200),
    "half the times two hours old": changed(TIME_POSITION, LAST_CONTACT, by=lambda t: t - 7200, share=0.5),
    "a feed frozen ten minutes ago": changed(TIME_POSITION, LAST_CONTACT, by=lambda t: t - 600),
    "times in a zone an hour ahead": changed(TIME_POSITION, LAST_CONTACT, by=lambda t: t + 3600),
    "times in milliseconds": changed(TIME_POSITION, LAST_CONTACT, by=lambda t: t * 1000),
    "time_position and last_contact swapped and apart": lambda v, d: swapped(TIME_POSITION, LAST_CONTACT)(
        changed(TIME_POSITION, by=lambda t: t - 20)(v, d), d
    ),
    "each row twice": lambda v, d: [*v, *v],
    "half the rows twice": lambda v, d: [*v, *v[: len(v) // 2]],
    "each aircraft under two addresses": _renamed,
    "one aircraft over and over": lambda v, d: [[v[0][0], *r[1:]] for r in v],
    "altitudes in feet": changed(ALTITUDE, by=lambda x: x / FT),
    "all altitudes in feet": changed(ALTITUDE, GEO_ALTITUDE, by=lambda x: x / FT),
    "half the altitudes in feet": changed(ALTITUDE, GEO_ALTITUDE, by=lambda x: x / FT, share=0.5),
    "altitudes in flight levels": changed(ALTITUDE, GEO_ALTITUDE, by=lambda x: x / FT / 100),
    "altitudes in kilometres": changed(ALTITUDE, GEO_ALTITUDE, by=lambda x: x / 1000),
    "geometric altitudes in feet": changed(GEO_ALTITUDE, by=lambda x: x / FT),
    "one altitude everywhere": every(ALTITUDE=11_277.6, GEO_ALTITUDE=11_277.6),
    "latitude and longitude swapped": swapped(LATITUDE, LONGITUDE),
    "half of them swapped": swapped(LATITUDE, LONGITUDE, 0.5),
    "latitudes mirrored": changed(LATITUDE, by=lambda x: -x),
    "longitudes mirrored": changed(LONGITUDE, by=lambda x: -x),
    "longitudes from 0 to 360": changed(LONGITUDE, by=lambda x: x % 360),
    "positions in radians": changed(LATITUDE, LONGITUDE, by=lambda x: round(math.radians(x), 6)),
    "positions in whole degrees": changed(LATITUDE, LONGITUDE, by=lambda x: float(round(x))),
    "all aircraft at one point": every(LONGITUDE=8.5622, LATITUDE=50.0379),
    "half without a position": lambda v, d: [
        _set(r, {LONGITUDE: None, LATITUDE: None}) if d.random() < 0.55 else r for r in v
    ],
    "speeds in knots": changed(VELOCITY, by=lambda x: x / KT),
    "half the speeds in knots": changed(VELOCITY, by=lambda x: x / KT, share=0.5),
    "speeds in km/h": changed(VELOCITY, by=lambda x: x * 3.6),
    "speeds taken for knots": changed(VELOCITY, by=lambda x: x * KT),
    "one speed everywhere": every(VELOCITY=230.0),
    "vertical rates in ft/min": changed(RATE, by=lambda x: x / FPM),
    "vertical rates in ft/s": changed(RATE, by=lambda x: x / FT),
    "speed and track swapped": swapped(VELOCITY, TRACK),
    "speed and vertical rate swapped": swapped(VELOCITY, RATE),
    "speed and altitude swapped": swapped(VELOCITY, ALTITUDE),
    "one track everywhere": every(TRACK=0.0),
    "on_ground inverted": changed(ON_GROUND, by=lambda x: not x),
    "half of on_ground inverted": changed(ON_GROUND, by=lambda x: not x, share=0.5),
    "everything on the ground": every(ON_GROUND=True),
    "columns moved by one": _flown_off,
    "addresses in upper case with a prefix": changed(ICAO24, by=lambda x: f"0x{x.upper()}"),
    "addresses and callsigns swapped": swapped(ICAO24, CALLSIGN),
    "no callsign but zeros": every(CALLSIGN="00000000"),
    "no countries": every(COUNTRY=""),
    "countries in capitals": changed(COUNTRY, by=str.upper),
    "North America missing": _without(14, 72, -170, -52),
    "Europe missing": _without(27, 72, -32, 45),
}
BASES: dict[str, dict[str, Any]] = {
    "world": {},
    "winter": {"warmth": -0.08, "regions": ((EUROPE, 0.6), (USA, 0.4))},
}


def spoiled(faults: dict[str, Spoil] = FAULTS) -> Iterator[tuple[str, str, int, Vectors]]:
    """Fault, base, the usual number of rows, and the vectors of each spoiled snapshot of 6,000 aircraft."""
    for number, (base, arguments) in enumerate(BASES.items()):
        kept = traffic(6000, 31 + number, **arguments)
        for fault, spoil in faults.items():
            draw = random.Random(3)
            yield fault, base, len(kept), spoil([list(vector) for vector in kept], draw)

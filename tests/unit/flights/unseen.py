"""A second set of snapshots, written before its author had read the checks; `traffic.py` holds the first.

The checks were tuned with the first set, so only this one shows how they handle unforeseen faults.
`SPOILED` and `honest()` contain other kinds of faults and of ordinary days.
"""

import math
import random
from collections.abc import Iterator
from typing import Any

from tests.unit.flights import traffic as world
from tests.unit.flights.traffic import (
    ALTITUDE,
    ASIA,
    ATLANTIC,
    AUSTRALIA,
    CALLSIGN,
    COUNTRY,
    EUROPE,
    FT,
    GEO_ALTITUDE,
    ICAO24,
    KT,
    LAST_CONTACT,
    LATITUDE,
    LONGITUDE,
    ON_GROUND,
    RATE,
    SOURCE,
    SQUAWK,
    TIME,
    TIME_POSITION,
    TRACK,
    USA,
    VELOCITY,
    WORLD,
    Region,
    Spoil,
    Vectors,
    changed,
    every,
    traffic,
)


def _moved(*fields: int) -> Spoil:
    """Columns that lag the others by one row."""

    def spoil(vectors: Vectors, draw: random.Random) -> Vectors:
        for field in fields:
            column = [vector[field] for vector in vectors]
            for vector, value in zip(vectors, [column[-1], *column[:-1]], strict=True):
                vector[field] = value
        return vectors

    return spoil


def _shuffled(field: int) -> Spoil:
    def spoil(vectors: Vectors, draw: random.Random) -> Vectors:
        column = [vector[field] for vector in vectors]
        draw.shuffle(column)
        for vector, value in zip(vectors, column, strict=True):
            vector[field] = value
        return vectors

    return spoil


def _exchanged(one: int, other: int) -> Spoil:
    def spoil(vectors: Vectors, draw: random.Random) -> Vectors:
        for vector in vectors:
            vector[one], vector[other] = vector[other], vector[one]
        return vectors

    return spoil


def _doubled(vectors: Vectors, draw: random.Random) -> Vectors:
    """Each aircraft again under another callsign."""
    return [*vectors, *([v[0], f"XYZ{draw.randrange(1, 9999)}", *v[2:]] for v in vectors)]


def _merged(vectors: Vectors, draw: random.Random) -> Vectors:
    """Each aircraft again under another address, some metres away, as two networks see it that hide addresses."""
    twins = [list(vector) for vector in vectors]
    for twin in twins:
        twin[ICAO24] = f"{int(twin[ICAO24], 16) ^ 0x400002:06x}"
        for field in (LATITUDE, LONGITUDE):
            if twin[field] is not None:
                twin[field] = round(twin[field] + draw.uniform(-0.0005, 0.0005), 4)
    return [*vectors, *twins]


def _two_polls(vectors: Vectors, draw: random.Random) -> Vectors:
    """The snapshot before in the same answer."""
    before = [list(vector) for vector in vectors]
    for vector in before:
        for field in (TIME_POSITION, LAST_CONTACT):
            if vector[field] is not None:
                vector[field] -= 290
        if vector[LATITUDE] is not None:
            vector[LATITUDE] = round(vector[LATITUDE] - 0.3, 4)
    return [*vectors, *before]


def _garbage(vectors: Vectors, draw: random.Random) -> Vectors:
    """A fifth of the rows with numbers at random."""
    for vector in vectors:
        if draw.random() < 0.2:
            vector[LONGITUDE], vector[LATITUDE] = round(draw.uniform(-180, 180), 4), round(draw.uniform(-90, 90), 4)
            vector[ALTITUDE], vector[VELOCITY] = draw.uniform(-2000, 30_000), draw.uniform(0, 900)
            vector[RATE] = draw.uniform(-200, 200)
    return vectors


def _late(low: int, high: int) -> Spoil:
    """A feed that stood still some time ago, give or take the receivers' jitter."""

    def spoil(vectors: Vectors, draw: random.Random) -> Vectors:
        for vector in vectors:
            age = draw.randint(low, high)
            vector[LAST_CONTACT] -= age
            if vector[TIME_POSITION] is not None:
                vector[TIME_POSITION] -= age
        return vectors

    return spoil


def _still(vectors: Vectors, draw: random.Random) -> Vectors:
    for vector in vectors:
        vector[VELOCITY] = round(draw.uniform(0, 0.6), 2)
    return vectors


def _rotated(vectors: Vectors, draw: random.Random) -> Vectors:
    for v in vectors:
        v[LONGITUDE], v[LATITUDE], v[ALTITUDE] = v[ALTITUDE], v[LONGITUDE], v[LATITUDE]
    return vectors


def _zeros_for_nulls(vectors: Vectors, draw: random.Random) -> Vectors:
    return [[0.0 if value is None and field in _NUMBERS else value for field, value in enumerate(v)] for v in vectors]


def _nulls_for_zeros(vectors: Vectors, draw: random.Random) -> Vectors:
    return [[None if value == 0 and field in _NUMBERS else value for field, value in enumerate(v)] for v in vectors]


_NUMBERS = {LONGITUDE, LATITUDE, ALTITUDE, VELOCITY, TRACK, RATE, GEO_ALTITUDE}


def _at_the_receiver(vectors: Vectors, draw: random.Random) -> Vectors:
    for vector in vectors:
        if draw.random() < 0.3:
            vector[LONGITUDE], vector[LATITUDE] = 8.5706, 50.0333
    return vectors


def _minutes(degrees: float) -> float:
    """Degrees and minutes read as if they were decimal degrees."""
    whole = math.trunc(degrees)
    return round(whole + (degrees - whole) * 0.6, 4)


SPOILED: dict[str, Spoil] = {
    "half the latitudes mirrored": changed(LATITUDE, by=lambda x: -x, share=0.5),
    "longitudes one row late": _moved(LONGITUDE),
    "altitudes one row late": _moved(ALTITUDE, GEO_ALTITUDE),
    "speeds one row late": _moved(VELOCITY),
    "on_ground one row late": _moved(ON_GROUND),
    "a feed that stood still four minutes ago": _late(235, 245),
    "aircraft that stand still in the air": _still,
    "each aircraft again with another callsign": _doubled,
    "each aircraft under two addresses some metres apart": _merged,
    "two polls in one answer": _two_polls,
    "the north missing": lambda v, d: [r for r in v if r[LATITUDE] is None or r[LATITUDE] < 40],
    "half the times three hours ahead": changed(TIME_POSITION, LAST_CONTACT, by=lambda t: t + 10_800, share=0.5),
    "times a day old": changed(TIME_POSITION, LAST_CONTACT, by=lambda t: t - 86_400),
    "half the geometric altitudes in feet": changed(GEO_ALTITUDE, by=lambda x: x / FT, share=0.5),
    "a third of the altitudes in feet": changed(ALTITUDE, GEO_ALTITUDE, by=lambda x: x / FT, share=0.33),
    "tracks in radians": changed(TRACK, by=lambda x: round(math.radians(x), 4)),
    "numbers cut to integers": changed(
        LONGITUDE, LATITUDE, ALTITUDE, VELOCITY, TRACK, RATE, by=lambda x: float(int(x))),
    "positions ten minutes old, contacts fresh": changed(TIME_POSITION, by=lambda t: t - 600),
    "ADS-B lost": lambda v, d: [r for r in v if r[SOURCE] != 0],
    "countries shuffled": _shuffled(COUNTRY),
    "squawks as integers": changed(SQUAWK, by=int),
    "speeds in miles an hour": changed(VELOCITY, by=lambda x: x * 2.236936),
    "vertical rates without a sign": changed(RATE, by=abs),
    "barometric altitudes 3,000 m too low": changed(ALTITUDE, by=lambda x: max(0.0, x - 3000)),
    "degrees and minutes as decimals": changed(LONGITUDE, LATITUDE, by=_minutes),
    "longitudes 90 degrees too far east": changed(LONGITUDE, by=lambda x: round((x + 270) % 360 - 180, 4)),
    "zeros for nulls": _zeros_for_nulls,
    "nulls for zeros": _nulls_for_zeros,
    "one callsign everywhere": every(CALLSIGN="TEST1234"),
    "positions on a grid of half a degree": changed(LONGITUDE, LATITUDE, by=lambda x: round(x * 2) / 2),
    "a fifth of the rows at random": _garbage,
    "three in ten at the receiver": _at_the_receiver,
    "longitude, latitude and altitude rotated": _rotated,
    "nothing on the ground": every(ON_GROUND=False),
    "callsigns in lower case": changed(CALLSIGN, by=str.lower),
    "addresses without their first digit": changed(ICAO24, by=lambda x: x[1:]),
    "addresses as decimal numbers": changed(ICAO24, by=lambda x: str(int(x, 16))),
    "on_ground as 0 and 1": changed(ON_GROUND, by=int),
    "altitudes cut off at 10,000 m": changed(ALTITUDE, GEO_ALTITUDE, by=lambda x: min(x, 10_000.0)),
    "speeds that overflow at 200 m/s": changed(VELOCITY, by=lambda x: round(x % 200, 2)),
    "no time of any position": every(TIME_POSITION=None),
}  # fmt: skip


LATER: dict[str, Spoil] = {
    "half the times in milliseconds": changed(TIME_POSITION, LAST_CONTACT, by=lambda t: t * 1000, share=0.5),
    "latitudes one row late": _moved(LATITUDE),
    "tracks one row late": _moved(TRACK),
    "altitudes in hundreds of metres": changed(ALTITUDE, GEO_ALTITUDE, by=lambda x: x / 100),
    "geometric and barometric altitude swapped, one in feet": lambda v, d: [
        [*r[:ALTITUDE], r[GEO_ALTITUDE], *r[8:GEO_ALTITUDE], None if r[ALTITUDE] is None else r[ALTITUDE] / FT, *r[14:]]
        for r in v
    ],
    "a third of the speeds in km/h": changed(VELOCITY, by=lambda x: x * 3.6, share=0.33),
    "positions in gradians": changed(LONGITUDE, LATITUDE, by=lambda x: round(x / 0.9, 4)),
    "longitudes modulo 90": changed(LONGITUDE, by=lambda x: round(x % 90, 4)),
    "positions rounded to a tenth": changed(LONGITUDE, LATITUDE, by=lambda x: round(x, 1)),
    "tracks halved to a byte": changed(TRACK, by=lambda x: float(int(x / 360 * 4) * 90)),
    "the Eastern hemisphere missing": lambda v, d: [r for r in v if r[LONGITUDE] is None or r[LONGITUDE] < 0],
    "callsigns cut to three letters": changed(CALLSIGN, by=lambda x: x[:3]),
    "callsigns and squawks swapped": _exchanged(CALLSIGN, SQUAWK),
    "vertical rates one row late": _moved(RATE),
    "cruise levels off by 10,000 ft": changed(ALTITUDE, GEO_ALTITUDE, by=lambda x: x + 3048 if x > 8000 else x),
    "half the rows from an hour ago": changed(TIME_POSITION, LAST_CONTACT, by=lambda t: t - 3600, share=0.5),
    "latitudes from the pole": changed(LATITUDE, by=lambda x: round(90 - x, 4)),
    "addresses rotated by two digits": changed(ICAO24, by=lambda x: x[2:] + x[:2]),
    "on_ground null everywhere": every(ON_GROUND=None),
    "speeds null in flight": lambda v, d: [[*r[:VELOCITY], None if not r[8] else r[9], *r[10:]] for r in v],
}
"""Written after the checks were mended by `SPOILED`, and before they were run on these."""
HIDDEN = {
    "latitudes from the pole",
    "positions in gradians",
    "tracks one row late",
    "addresses rotated by two digits",
}
"""What nothing in a single snapshot of this traffic shows, only the comparison with the one before."""


def _with(vectors: Vectors, **fields: Any) -> Vectors:
    """The vectors with fields set, each a value or a function of the vector."""
    for vector in vectors:
        for name, value in fields.items():
            vector[getattr(world, name)] = value(vector) if callable(value) else value
    return vectors


_CRUISE = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def _only(**roles: float) -> tuple[float, ...]:
    names = ("cruise", "climb", "light", "rotor", "parked", "taxi", "rolling", "glider", "paraglider")
    return tuple(roles.get(name, 0.0) for name in names)


def honest(rounds: int = 3) -> Iterator[tuple[str, int, int | None, Vectors]]:
    """Kind, time, the usual number of rows if known, and vectors."""
    for number in range(rounds):
        draw = random.Random(500 + number)
        for kind, (time, usual, vectors) in _days(draw).items():
            yield kind, time, usual, vectors


def _days(draw: random.Random) -> dict[str, tuple[int, int | None, Vectors]]:
    def some(low: int, high: int, time: int = TIME, **arguments: Any) -> Vectors:
        return traffic(draw.randint(low, high), draw.randrange(1 << 30), time=time, **arguments)

    def box(south: float, north: float, west: float, east: float, *countries: str) -> Any:
        return ((Region(countries, south, north, west, east), 1.0),)

    def near(value: float, spread: float) -> Any:
        return lambda vector: round(draw.gauss(value, spread), 2)

    europe_closed = [
        *some(4000, 4300, regions=tuple(each for each in WORLD if each[0] is not EUROPE)),
        *some(300, 400, regions=((EUROPE, 1.0),), mix=_only(light=0.2, rotor=0.2, parked=0.5, taxi=0.05, climb=0.05)),
    ]
    midnight, new_year, leap = 1_763_769_600, 1_767_225_595, 1_709_164_799
    atlantic = ("United States", "United Kingdom", "Ireland")
    jet = some(200, 900, regions=((ASIA, 1.0),), mix=_CRUISE)
    festival = some(30, 200, regions=box(35.0, 35.3, -106.8, -106.5, "United States"), mix=_only(light=1))
    drones = some(30, 120, regions=box(51.9, 52.1, 4.3, 4.6, "Kingdom of the Netherlands"), mix=_only(rotor=1))
    fighters = [
        *some(200, 400, regions=((USA, 1.0),)),
        *_with(some(15, 25, regions=((USA, 1.0),), mix=_CRUISE), CATEGORY=7, VELOCITY=near(300, 40), RATE=near(40, 20)),
    ]
    hurricane = some(1500, 3000, regions=((USA, 1.0),))
    for vector in hurricane:
        if vector[GEO_ALTITUDE] is not None and vector[LONGITUDE] is not None and vector[LONGITUDE] > -85:
            vector[GEO_ALTITUDE] = round(vector[GEO_ALTITUDE] - 450, 2)
    dateline = some(40, 200, regions=box(-20, 55, 170, 190, "United States", "Japan", "New Zealand"), mix=_CRUISE)
    for vector in dateline:
        if vector[LONGITUDE] is not None:
            vector[LONGITUDE] = round((vector[LONGITUDE] + 180) % 360 - 180, 4)
    stack = _with(
        some(20, 60, regions=box(51.3, 51.5, 0.1, 0.5, "United Kingdom", "Ireland"), mix=_CRUISE),
        ALTITUDE=lambda vector: round(draw.choice((7000, 8000, 9000, 10_000, 11_000)) * FT, 2),
        GEO_ALTITUDE=lambda vector: None if vector[ALTITUDE] is None else round(vector[ALTITUDE] + 60, 2),
        VELOCITY=near(220 * KT, 8),
    )
    return {
        "a volcano closes Europe": (TIME, 5900, europe_closed),
        "the world of April 2020": (TIME, None, some(1800, 2400, mix=_only(
            cruise=0.3, climb=0.12, light=0.12, rotor=0.05, parked=0.35, taxi=0.05, glider=0.01))),
        "polar night": (TIME, None, some(8, 60, warmth=-0.13, mix=_CRUISE, regions=box(
            66, 86, -179, 179, "Finland", "Russian Federation", "United Arab Emirates", "Canada"))),
        "a tiny box over the Atlantic": (TIME, None, some(2, 25, mix=_CRUISE, regions=box(
            49, 52, -32, -28, *atlantic))),
        "gliders only": (TIME, None, some(30, 300, mix=_only(glider=1), regions=box(
            47, 49, 8, 12, "Germany", "Switzerland"))),
        "helicopters only": (TIME, None, some(15, 150, mix=_only(rotor=1), regions=box(
            27, 30, -96, -88, "United States"))),
        "midnight": (midnight, None, some(3000, 6000, midnight)),
        "New Year": (new_year, None, some(2000, 4000, new_year)),
        "the last second before 29 February": (leap, None, some(2000, 4000, leap)),
        "an apron at night": (TIME, None, some(20, 150, mix=_only(parked=0.96, taxi=0.04), regions=box(
            50.02, 50.05, 8.52, 8.6, "Germany"))),
        "service vehicles": (TIME, None, _with(some(20, 80, mix=_only(taxi=0.5, parked=0.5), regions=box(
            50.02, 50.05, 8.52, 8.6, "Germany")), CATEGORY=lambda vector: draw.choice((16, 17)))),
        "the date line": (TIME, None, dateline),
        "Australia in summer": (TIME, None, some(300, 900, warmth=0.08, regions=((AUSTRALIA, 1.0),))),
        "the Gulf of Guinea": (TIME, None, some(10, 60, mix=_CRUISE, regions=box(-3, 3, -3, 3, "Nigeria", "Ghana"))),
        "a holding stack": (TIME, None, stack),
        "the jet stream over Japan": (TIME, None, _with(jet, VELOCITY=near(560 * KT, 15), TRACK=near(85, 8))),
        "tracks westbound": (TIME, None, _with(
            some(150, 600, regions=((ATLANTIC, 1.0),), mix=_CRUISE), TRACK=near(275, 8), VELOCITY=near(420 * KT, 10))),
        "without categories": (TIME, None, [vector[:17] for vector in some(2000, 4000)]),
        "longer rows and new codes": (TIME, None, [
            [*vector[:SOURCE], draw.choice((0, 0, 4, 8)), draw.choice((-1, 0, 21, 3)), "new", [1]]
            for vector in some(1000, 3000)]),
        "balloons": (TIME, None, _with(
            festival, CATEGORY=10, VELOCITY=near(4, 1), ALTITUDE=near(2100, 150), GEO_ALTITUDE=None, RATE=near(0, 1))),
        "a Gulf hub": (TIME, None, some(200, 700, warmth=0.09, regions=box(
            23, 27, 50, 56, "United Arab Emirates", "Qatar", "India", "Ireland"))),
        "America at night": (TIME, None, some(1500, 2500, regions=((USA, 1.0),), mix=_only(
            cruise=0.35, climb=0.1, light=0.03, rotor=0.02, parked=0.42, taxi=0.08))),
        "a ground stop": (TIME, None, some(100, 400, regions=box(40.5, 41, -74.3, -73.6, "United States"), mix=_only(
            parked=0.6, taxi=0.25, climb=0.1, rotor=0.05))),
        "with sensors": (TIME, None, _with(some(500, 1500), SENSORS=lambda vector: [draw.randrange(9), 7])),
        "fighters among liners": (TIME, None, fighters),
        "multilateration only": (TIME, None, _with(
            some(100, 500, regions=((EUROPE, 1.0),), mix=_only(cruise=0.5, climb=0.3, light=0.2)),
            SOURCE=2, GEO_ALTITUDE=None)),
        "drones": (TIME, None, _with(
            drones, CATEGORY=14, VELOCITY=near(11, 3), ALTITUDE=near(80, 20), GEO_ALTITUDE=None)),
        "a paragliding competition": (TIME, None, some(40, 160, mix=_only(paraglider=1), regions=box(
            47.25, 47.3, 11.3, 11.4, "Austria", "Germany"))),
        "no geometric altitudes": (TIME, None, _with(some(2000, 5000), GEO_ALTITUDE=None)),
        "a hurricane": (TIME, None, hurricane),
    }  # fmt: skip

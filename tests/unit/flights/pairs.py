"""Snapshots that follow another one, honest and spoiled: some faults show only against the snapshot before.

`after` flies traffic on for five minutes. The comparison was made by the faults of `DEVELOPMENT`. `HELD_OUT` was
written before it and run once when it was done, `FRESH` when the findings of that were mended. Each fault spoils all,
half or three in ten of the aircraft.
"""

import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from local.opensky.recording import Recording, load_recording
from tests.unit.flights import unseen
from tests.unit.flights.traffic import (
    ALTITUDE,
    BASES,
    CALLSIGN,
    COUNTRY,
    FPM,
    FT,
    GEO_ALTITUDE,
    ICAO24,
    KT,
    LAST_CONTACT,
    LATITUDE,
    LONGITUDE,
    ON_GROUND,
    RATE,
    SQUAWK,
    TIME,
    TIME_POSITION,
    TRACK,
    VELOCITY,
    Spoil,
    Vector,
    Vectors,
    honest,
    traffic,
)

STEP = 300
SHARES = (1.0, 0.5, 0.3)
METRES_A_DEGREE = 111_195.0

RowBefore = Mapping[str, Vector]
Fault = Callable[[Vectors, RowBefore, random.Random], Vectors]
"""Changes some aircraft of a snapshot; the rows of the snapshot before are known by address."""


class Pair(NamedTuple):
    kind: str
    time: int
    usual: int | None
    before: Vectors
    now: Vectors


def after(vectors: Vectors, draw: random.Random, seconds: int = STEP) -> Vectors:
    """The traffic later: most fly on, some turn, some climb or level off, one in thirty leaves, as many come."""
    later = [_flown(list(vector), draw, seconds) for vector in vectors if draw.random() > 1 / 30]
    for vector in draw.sample(vectors, len(vectors) // 30):
        come = _flown(list(vector), draw, seconds)
        come[ICAO24] = f"{int(vector[ICAO24], 16) ^ 0x2A5A5A:06x}"
        later.append(come)
    return later


def _flown(vector: Vector, draw: random.Random, seconds: int) -> Vector:
    speed, track, rate = (vector[field] or 0.0 for field in (VELOCITY, TRACK, RATE))
    on_ground = vector[ON_GROUND]
    turns = draw.random() < (0.05 if speed > 150 else 0.3)
    flown = draw.uniform(0.3, 0.9) if turns else 1.0
    mean = track + (draw.uniform(-90, 90) if turns else draw.gauss(0, 2))
    if on_ground:
        flown = 0.1 * draw.random()
    climbed = rate * seconds * (draw.uniform(0.4, 1) if abs(rate) > 2 else draw.random() * 0.1)
    shift = seconds - draw.randint(0, 2)
    vector[LAST_CONTACT] += shift
    if vector[TIME_POSITION] is not None:
        vector[TIME_POSITION] += shift
    if vector[LATITUDE] is not None:
        degrees = speed * flown * shift / METRES_A_DEGREE
        north = math.cos(math.radians(vector[LATITUDE]))
        vector[LATITUDE] = round(min(89.9, vector[LATITUDE] + degrees * math.cos(math.radians(mean))), 4)
        east = vector[LONGITUDE] + degrees * math.sin(math.radians(mean)) / max(north, 0.02)
        vector[LONGITUDE] = round((east + 180) % 360 - 180, 4)
    if vector[ALTITUDE] is not None:
        higher = min(max(vector[ALTITUDE] + climbed, 150.0), 13_500.0) - vector[ALTITUDE]
        growth = 1.0
        if vector[GEO_ALTITUDE] is not None and vector[ALTITUDE] > 500:
            growth = vector[GEO_ALTITUDE] / vector[ALTITUDE]
        vector[ALTITUDE] = round(round((vector[ALTITUDE] + higher) / 7.62) * 7.62, 2)
        if vector[GEO_ALTITUDE] is not None:
            vector[GEO_ALTITUDE] = round(round((vector[GEO_ALTITUDE] + higher * growth) / 7.62) * 7.62, 2)
    if vector[VELOCITY] is not None and not on_ground:
        vector[VELOCITY] = round(max(0.0, speed + draw.gauss(0, 2)), 2)
    if vector[TRACK] is not None and not on_ground:
        vector[TRACK] = round((track + 2 * (mean - track)) % 360, 2)
    if vector[RATE] is not None and abs(rate) > 2:
        steps = round(rate / FPM / 64 * draw.uniform(0.7, 1.2)) if draw.random() < 0.8 else 0
        vector[RATE] = round(steps * 64 * FPM, 2)
    return vector


def by_row(change: Callable[[Vector, Vector | None, random.Random], None]) -> Fault:
    """A fault that changes rows one by one, knowing the same aircraft's row before."""

    def spoil(vectors: Vectors, before: RowBefore, draw: random.Random) -> Vectors:
        for vector in vectors:
            change(vector, before.get(vector[ICAO24]), draw)
        return vectors

    return spoil


def of(*fields: int, by: Callable[[Any], Any]) -> Fault:
    """Values changed where there are some."""

    def change(vector: Vector, before: Vector | None, draw: random.Random) -> None:
        for field in fields:
            if vector[field] is not None:
                vector[field] = by(vector[field])

    return by_row(change)


def put(**values: Any) -> Fault:
    """The same values in every row."""

    def change(vector: Vector, before: Vector | None, draw: random.Random) -> None:
        for name, value in values.items():
            vector[globals()[name]] = value

    return by_row(change)


def noisy(*fields: int, spread: float) -> Fault:
    def change(vector: Vector, before: Vector | None, draw: random.Random) -> None:
        for field in fields:
            if vector[field] is not None:
                vector[field] = round(vector[field] + draw.gauss(0, spread), 4)

    return by_row(change)


def frozen(*fields: int) -> Fault:
    """Values as they were before."""

    def change(vector: Vector, before: Vector | None, draw: random.Random) -> None:
        if before is not None:
            for field in fields:
                vector[field] = before[field]

    return by_row(change)


def exchanged(one: int, other: int) -> Fault:
    def change(vector: Vector, before: Vector | None, draw: random.Random) -> None:
        vector[one], vector[other] = vector[other], vector[one]

    return by_row(change)


def shuffled(*fields: int) -> Fault:
    """Values of other aircraft."""

    def spoil(vectors: Vectors, before: RowBefore, draw: random.Random) -> Vectors:
        taken = [[vector[field] for field in fields] for vector in vectors]
        draw.shuffle(taken)
        for vector, values in zip(vectors, taken, strict=True):
            for field, value in zip(fields, values, strict=True):
                vector[field] = value
        return vectors

    return spoil


def late(*fields: int) -> Fault:
    """Values of the row before."""

    def spoil(vectors: Vectors, before: RowBefore, draw: random.Random) -> Vectors:
        taken = [[vector[field] for field in fields] for vector in vectors]
        for vector, values in zip(vectors, [taken[-1], *taken[:-1]], strict=True):
            for field, value in zip(fields, values, strict=True):
                vector[field] = value
        return vectors

    return spoil


def missing(lost: Callable[[Vector], bool]) -> Fault:
    return lambda vectors, before, draw: [vector for vector in vectors if not lost(vector)]


def doubled(change: Callable[[Vector, random.Random], None]) -> Fault:
    """Each row again, changed a little."""

    def spoil(vectors: Vectors, before: RowBefore, draw: random.Random) -> Vectors:
        twins = [list(vector) for vector in vectors]
        for twin in twins:
            change(twin, draw)
        return [*vectors, *twins]

    return spoil


def _twin_beside(vector: Vector, draw: random.Random) -> None:
    vector[ICAO24] = f"{int(vector[ICAO24], 16) ^ 1:06x}"
    for field, spread in ((LATITUDE, 0.005), (LONGITUDE, 0.005), (VELOCITY, 1), (TRACK, 1)):
        if vector[field] is not None:
            vector[field] = round(abs(vector[field] + draw.gauss(0, spread)) % 360 if field == TRACK
                                  else vector[field] + draw.gauss(0, spread), 4)  # fmt: skip


def _twin_ahead(vector: Vector, draw: random.Random) -> None:
    """Twenty seconds further, under the next address and another callsign."""
    _moved(20)(vector, None, draw)
    vector[ICAO24] = f"{(int(vector[ICAO24], 16) + 1) % (1 << 24):06x}"
    vector[CALLSIGN] = f"SIM{draw.randrange(9999):<5d}"


def _moved(seconds: float) -> Callable[[Vector, Vector | None, random.Random], None]:
    """The position that the aircraft has so many seconds later, with the times of now."""

    def change(vector: Vector, before: Vector | None, draw: random.Random) -> None:
        if vector[LATITUDE] is not None and vector[VELOCITY] is not None and vector[TRACK] is not None:
            degrees, track = vector[VELOCITY] * seconds / METRES_A_DEGREE, math.radians(vector[TRACK])
            north = max(0.02, math.cos(math.radians(vector[LATITUDE])))
            vector[LATITUDE] = round(vector[LATITUDE] + degrees * math.cos(track), 4)
            vector[LONGITUDE] = round(vector[LONGITUDE] + degrees * math.sin(track) / north, 4)

    return change


def simulated(circling: bool) -> Fault:
    """As many made-up aircraft beside the real ones, under addresses that nobody has seen."""

    def spoil(vectors: Vectors, before: RowBefore, draw: random.Random) -> Vectors:
        made = [list(vector) for vector in vectors]
        for number, vector in enumerate(made):
            angle = draw.uniform(0, math.tau)
            vector[ICAO24] = f"{0xABC000 + number:06x}" if circling else f"{draw.randrange(1 << 24):06x}"
            vector[TIME_POSITION] = vector[LAST_CONTACT]
            vector[ON_GROUND], vector[CALLSIGN] = False, f"SIM{number:<5d}"
            if circling:
                vector[LATITUDE] = round(50 + math.sin(angle) * 0.3, 4)
                vector[LONGITUDE] = round(8.5 + math.cos(angle) * 0.5, 4)
            else:
                vector[LATITUDE] = round(draw.uniform(-60, 70), 4)
                vector[LONGITUDE] = round(draw.uniform(-180, 180), 4)
            vector[ALTITUDE], vector[GEO_ALTITUDE] = 9144.0, 9144.0
            vector[VELOCITY], vector[RATE] = round(draw.uniform(200, 250), 2), 0
        return [*vectors, *made]

    return spoil


def _numbers(by: Callable[[float], float]) -> Fault:
    return of(LONGITUDE, LATITUDE, ALTITUDE, GEO_ALTITUDE, VELOCITY, TRACK, RATE, by=by)


MOTION = (VELOCITY, TRACK, RATE)
HEIGHTS = (ALTITUDE, GEO_ALTITUDE)
PLACE = (LONGITUDE, LATITUDE)

DEVELOPMENT: dict[str, Fault] = {
    "speeds in knots": of(VELOCITY, by=lambda x: x / KT),
    "vertical rates in ft/min": of(RATE, by=lambda x: x / FPM),
    "vertical rates in ft/s": of(RATE, by=lambda x: x / FT),
    "altitudes in feet": of(ALTITUDE, by=lambda x: x / FT),
    "geometric altitudes in feet": of(GEO_ALTITUDE, by=lambda x: x / FT),
    "tracks mirrored": of(TRACK, by=lambda x: round((360 - x) % 360, 2)),
    "tracks in radians": of(TRACK, by=lambda x: round(math.radians(x), 4)),
    "tracks from -180 to 180": of(TRACK, by=lambda x: round((x + 180) % 360 - 180, 2)),
    "one track": put(TRACK=90.0),
    "tracks in steps of 45 degrees": of(TRACK, by=lambda x: 45.0 * round(x / 45)),
    "latitudes one row late": late(LATITUDE),
    "tracks one row late": late(TRACK),
    "vertical rates one row late": late(RATE),
    "latitude and longitude swapped": exchanged(LATITUDE, LONGITUDE),
    "latitudes mirrored": of(LATITUDE, by=lambda x: -x),
    "callsigns and squawks swapped": exchanged(CALLSIGN, SQUAWK),
    "altitudes swapped": exchanged(ALTITUDE, GEO_ALTITUDE),
    "a frozen feed with new times": frozen(*PLACE, *HEIGHTS, *MOTION),
    "positions frozen": frozen(*PLACE),
    "altitudes frozen": frozen(*HEIGHTS),
    "speeds frozen": frozen(VELOCITY),
    "tracks frozen": frozen(TRACK),
    "callsigns shuffled": shuffled(CALLSIGN),
    "countries shuffled": shuffled(COUNTRY),
    "squawks shuffled": shuffled(SQUAWK),
    "on_ground flipped": of(ON_GROUND, by=lambda x: not x),
    "all on the ground": put(ON_GROUND=True),
    "vertical rates with the other sign": of(RATE, by=lambda x: -x),
    "positions of 20 minutes ago": by_row(_moved(-1200)),
    "positions two minutes old": of(TIME_POSITION, by=lambda x: x - 120),
    "contacts 200 s old": of(TIME_POSITION, LAST_CONTACT, by=lambda x: x - 200),
    "positions in steps of a quarter degree": of(*PLACE, by=lambda x: round(x * 4) / 4),
    "positions with noise": noisy(*PLACE, spread=0.5),
    "longitudes off by a degree": of(LONGITUDE, by=lambda x: round(x + 1, 4)),
    "simulated traffic beside the real": simulated(circling=False),
    "each aircraft again beside itself": doubled(_twin_beside),
    "bytes of the addresses swapped": of(ICAO24, by=lambda x: x[4:] + x[2:4] + x[:2]),
    "nothing above 30,000 ft": missing(lambda v: (v[ALTITUDE] or 0) > 30_000 * FT),
    "whole numbers": _numbers(lambda x: float(round(x))),
}
HELD_OUT: dict[str, Fault] = {
    "speeds in mph": of(VELOCITY, by=lambda x: x * 2.236936),
    "speeds in ft/s": of(VELOCITY, by=lambda x: x / FT),
    "speeds in km/h": of(VELOCITY, by=lambda x: x * 3.6),
    "speeds taken for knots": of(VELOCITY, by=lambda x: x * KT),
    "altitudes in flight levels": of(*HEIGHTS, by=lambda x: x / FT / 100),
    "both altitudes in feet": of(*HEIGHTS, by=lambda x: x / FT),
    "vertical rates in m/min": of(RATE, by=lambda x: x * 60),
    "longitudes one row late": late(LONGITUDE),
    "speeds one row late": late(VELOCITY),
    "callsigns one row late": late(CALLSIGN),
    "addresses one row late": late(ICAO24),
    "tracks and vertical rates swapped": exchanged(TRACK, RATE),
    "altitudes shuffled": shuffled(*HEIGHTS),
    "positions shuffled": shuffled(*PLACE),
    "the whole motion shuffled": shuffled(*MOTION),
    "positions and their times frozen": frozen(*PLACE, TIME_POSITION),
    "speed, track and rate frozen": frozen(*MOTION),
    "vertical rates frozen": frozen(RATE),
    "everything but the contact frozen": frozen(CALLSIGN, TIME_POSITION, *PLACE, *HEIGHTS, ON_GROUND, *MOTION, SQUAWK),
    "tracks backwards": of(TRACK, by=lambda x: round((x + 180) % 360, 2)),
    "tracks a quarter off": of(TRACK, by=lambda x: round((x + 90) % 360, 2)),
    "tracks counted from the east": of(TRACK, by=lambda x: round((90 - x) % 360, 2)),
    "tracks in gradians": of(TRACK, by=lambda x: round(x / 0.9, 2)),
    "longitudes mirrored": of(LONGITUDE, by=lambda x: -x),
    "longitudes half a turn off": of(LONGITUDE, by=lambda x: round(x % 360 - 180, 4)),
    "latitudes from the pole": of(LATITUDE, by=lambda x: round(90 - x, 4)),
    "positions in gradians": of(*PLACE, by=lambda x: round(x / 0.9, 4)),
    "positions of ten minutes later": by_row(_moved(600)),
    "positions rounded to a fifth": of(*PLACE, by=lambda x: round(x * 5) / 5),
    "on_ground unknown": put(ON_GROUND=None),
    "everything parked": put(ON_GROUND=True, VELOCITY=0.0),
    "altitudes with noise": noisy(*HEIGHTS, spread=2500),
    "speeds with noise": noisy(VELOCITY, spread=100),
    "tracks with noise": noisy(TRACK, spread=60),
    "vertical rates with noise": noisy(RATE, spread=10),
    "vertical rates of 0": put(RATE=0.0),
    "times ten minutes ahead": of(TIME_POSITION, LAST_CONTACT, by=lambda x: x + 600),
    "positions an hour old": of(TIME_POSITION, by=lambda x: x - 3600),
    "each aircraft again a little ahead": doubled(_twin_ahead),
    "simulated traffic around an airport": simulated(circling=True),
    "each second aircraft missing": missing(lambda v: int(v[ICAO24], 16) % 2 == 0),
    "nothing south of 42 degrees": missing(lambda v: (v[LATITUDE] or 90) < 42),
    "squawks without leading zeros": of(SQUAWK, by=lambda x: x.lstrip("0")),
    "addresses without the first half": of(ICAO24, by=lambda x: "000" + x[3:]),
    "altitudes rounded to 5,000 ft": of(*HEIGHTS, by=lambda x: round(x / 1524) * 1524.0),
    "speeds cut off at 200 m/s": of(VELOCITY, by=lambda x: min(x, 200.0)),
    "speeds without the point": of(VELOCITY, by=lambda x: x * 100),
    "half of the degrees": of(*PLACE, by=lambda x: round(x / 2, 4)),
}


def _half_way(vector: Vector, before: Vector | None, draw: random.Random) -> None:
    for field in PLACE:
        if before is not None and None not in (vector[field], before[field]):
            vector[field] = round((vector[field] + before[field]) / 2, 4)


def _projected(vector: Vector, before: Vector | None, draw: random.Random) -> None:
    if vector[LATITUDE] is not None:
        vector[LONGITUDE] = round(vector[LONGITUDE] * math.cos(math.radians(vector[LATITUDE])), 4)


def _grounded_below(vector: Vector, before: Vector | None, draw: random.Random) -> None:
    vector[ON_GROUND] = vector[ON_GROUND] or (vector[ALTITUDE] or 0) < 10_000 * FT


def _speed_from_altitude(vector: Vector, before: Vector | None, draw: random.Random) -> None:
    if vector[ALTITUDE] is not None:
        vector[VELOCITY] = round(vector[ALTITUDE] / 60, 2)


def ordered(field: int) -> Fault:
    """A column that was sorted without the others."""

    def spoil(vectors: Vectors, before: RowBefore, draw: random.Random) -> Vectors:
        taken = sorted((vector[field] for vector in vectors), key=lambda value: (value is None, value or 0))
        for vector, value in zip(vectors, taken, strict=True):
            vector[field] = value
        return vectors

    return spoil


def _replaced(vectors: Vectors, before: RowBefore, draw: random.Random) -> Vectors:
    """Aircraft replaced by copies of others, under addresses of their own."""
    return [[vector[ICAO24], *draw.choice(vectors)[1:]] for vector in vectors]


FRESH: dict[str, Fault] = {
    "positions half way from before": by_row(_half_way),
    "speeds doubled": of(VELOCITY, by=lambda x: x * 2),
    "speeds of 250 m/s and more lost": of(VELOCITY, by=lambda x: x if x < 230 else 0.0),
    "speeds made of altitudes": by_row(_speed_from_altitude),
    "speeds sorted": ordered(VELOCITY),
    "tracks rounded down to 30 degrees": of(TRACK, by=lambda x: x // 30 * 30),
    "tracks sorted": ordered(TRACK),
    "latitudes sorted": ordered(LATITUDE),
    "altitudes sorted": ordered(ALTITUDE),
    "addresses sorted": ordered(ICAO24),
    "latitudes half a degree off": of(LATITUDE, by=lambda x: round(x + 0.5, 4)),
    "longitudes projected": by_row(_projected),
    "geometric altitudes frozen": frozen(GEO_ALTITUDE),
    "barometric altitudes frozen": frozen(ALTITUDE),
    "barometric altitudes 1,000 m too high": of(ALTITUDE, by=lambda x: x + 1000),
    "both altitudes 3,000 m too high": of(*HEIGHTS, by=lambda x: x + 3000),
    "one country": put(COUNTRY="Germany"),
    "callsigns without their first letter": of(CALLSIGN, by=lambda x: x[1:]),
    "addresses backwards": of(ICAO24, by=lambda x: x[::-1]),
    "positions an hour ahead": of(TIME_POSITION, by=lambda x: x + 3600),
    "vertical rates doubled": of(RATE, by=lambda x: x * 2),
    "on the ground below 10,000 ft": by_row(_grounded_below),
    "aircraft replaced by copies of others": _replaced,
    "a frozen feed under new addresses": lambda vectors, before, draw: frozen(*PLACE, *HEIGHTS, *MOTION)(
        of(ICAO24, by=lambda x: f"{int(x, 16) ^ 0xFFFFFF:06x}")(vectors, before, draw), before, draw
    ),
}
"""Written after the checks were mended by the other two sets, and before they were run on these."""
MISSED = {"altitudes swapped", "squawks without leading zeros"}
"""Faults that pass even if they spoil a whole snapshot of the world, where the two altitudes differ by some metres."""
NO_SHARES = {"nothing above 30,000 ft", "each second aircraft missing", "nothing south of 42 degrees"}
"""Faults that lose aircraft; of a part of them, they are an ordinary day."""


def alone(spoil: Spoil) -> Fault:
    """A fault that needs no snapshot before."""
    return lambda vectors, before, draw: spoil(vectors, draw)


def spoiled(
    faults: Mapping[str, Fault], shares: tuple[float, ...] = SHARES, bases: Iterable[str] = BASES
) -> Iterator[tuple[str, float, Pair]]:
    """Each fault and the share of the aircraft that it spoils, and two snapshots, of which the later is spoiled."""
    for base in bases:
        before, now = _flight(base)
        known = {vector[ICAO24]: vector for vector in before}
        for name, fault in faults.items():
            for share in (1.0,) if name in NO_SHARES else shares:
                draw = random.Random(9)
                rows = [list(vector) for vector in now]
                chosen = [draw.random() < share for _ in rows]
                hit = fault([row for row, one in zip(rows, chosen, strict=True) if one], known, draw)
                kept = [row for row, one in zip(rows, chosen, strict=True) if not one]
                yield name, share, Pair(base, TIME + STEP, len(before), before, [*kept, *hit])


@cache
def _flight(base: str) -> tuple[Vectors, Vectors]:
    """A base's traffic and what becomes of it."""
    number = list(BASES).index(base)
    before = traffic(6000, 71 + number, **BASES[base])
    return before, after(before, random.Random(5 + number))


def honest_pairs(rounds: int = 3, *, first: bool = True) -> Iterator[Pair]:
    """The honest days of the second set, and of the first, five minutes later; and the recording, many times over."""
    days = [(kind, time, vectors) for kind, time, vectors in (honest() if first else ()) if kind != "recorded"]
    days += [(kind, time, vectors) for kind, time, _, vectors in unseen.honest(rounds)]
    for number, (kind, time, vectors) in enumerate(days):
        yield Pair(kind, time + STEP, len(vectors), vectors, after(vectors, random.Random(number)))
    recording = load_recording()
    for start in range(0, 600, 60):
        one, two = (_copied(recording, start, offset) for offset in (0, STEP))
        yield Pair("recorded, copied", TIME + STEP, None, one, two)


def _copied(recording: Recording, start: int, offset: int) -> Vectors:
    """The recorded traffic of many moments, each under other addresses and at another place."""
    vectors: Vectors = []
    for copy in range(25):
        moment = recording.at(600 + start + offset + 373 * copy)
        for vector in moment.moved_to(TIME + offset).vectors:
            moved = list(vector)
            moved[ICAO24] = f"{(int(vector[ICAO24], 16) + 79_193 * copy) % (1 << 24):06x}"
            if moved[LONGITUDE] is not None:
                moved[LONGITUDE] = round(moved[LONGITUDE] + copy % 37 - 18, 4)
            vectors.append(moved)
    return list({vector[ICAO24]: vector for vector in vectors}.values())

"""Small snapshots for tests, as OpenSky sends them."""

import gzip
import json
from typing import Any

TIME = 1_763_726_400


def state(number: int, **changes: Any) -> list[Any]:
    """A good airborne state vector of aircraft `number`; `changes` by field name."""
    fields: dict[str, Any] = {
        "icao24": f"{0x4B1800 + number:06x}",
        "callsign": f"SWR{number:<5d}",
        "origin_country": "Switzerland",
        "time_position": TIME - 2,
        "last_contact": TIME - 1,
        "longitude": round(8.5 + number * 0.011, 4),
        "latitude": round(47.4 + number * 0.007, 4),
        "baro_altitude": 10000.0 + number,
        "on_ground": False,
        "velocity": 220.0 + number % 7,
        "true_track": 90.0,
        "vertical_rate": 0.0,
        "sensors": None,
        "geo_altitude": 10100.0 + number,
        "squawk": "0012",
        "spi": False,
        "position_source": 0,
        "category": 4,
    }
    return list({**fields, **changes}.values())


def snapshot(states: list[Any] | None, time: int = TIME) -> bytes:
    """The gzipped answer with these states."""
    return gzip.compress(json.dumps({"time": time, "states": states}).encode())


def good(rows: int = 20) -> bytes:
    """A snapshot that passes all checks."""
    return snapshot([state(number) for number in range(rows)])


def bad(rows: int = 20) -> bytes:
    """A snapshot that fails: stale, without altitudes, one aircraft over and over, nowhere on Earth."""
    return snapshot(
        [
            state(1, last_contact=TIME - 4000, time_position=TIME - 90000, baro_altitude=None, velocity=None,
                  longitude=None, latitude=None, callsign="??", origin_country="Atlantis")
            for _ in range(rows)
        ]
    )  # fmt: skip

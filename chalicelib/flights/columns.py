"""The columns of a processed snapshot: names, Arrow types, units, and the numbers that derive one from another.

`SCHEMA` is the one statement of what a Parquet file under `processed/` holds; each field carries its `unit` and
`meaning` as metadata, and the derived ones say what they come `from`. Values are SI, as OpenSky sends them. Any
column may be null: the conversion checks types, the quality checks judge values. 0 is a value, never a null.

**`callsign` is a plain string, not a dictionary**: nearly every row has its own, so a dictionary costs 50 ms a
million rows to parse, 55 more to write, and makes the file larger. **`snapshot_time` is in
milliseconds**, since Parquet has no coarser timestamps. Reading a file back gives exactly the types below.
"""

from typing import Final

import pyarrow as pa

MIN_FIELDS: Final = 17
"""A state vector has 17 fields, 18 with `extended=1`; rows may be longer, never shorter."""

FEET_PER_METRE: Final = 3.28084
KNOTS_PER_MPS: Final = 1.94384
FPM_PER_MPS: Final = FEET_PER_METRE * 60
"""Feet a minute in a metre a second."""

ALTITUDE_BANDS: Final = ("LOW", "MEDIUM", "HIGH", "VERY_HIGH")
ALTITUDE_BAND_FLOORS_FT: Final = (1_000.0, 18_000.0, 35_000.0)
"""Barometric altitude, ft, at which each band after the first begins."""

SPEED_BANDS: Final = ("VERY_SLOW", "SLOW", "MEDIUM", "FAST", "VERY_FAST")
SPEED_BAND_FLOORS_KT: Final = (50.0, 200.0, 400.0, 600.0)
"""Ground speed, kt, at which each band after the first begins."""

FLIGHT_PHASES: Final = ("GROUND", "CLIMB", "DESCENT", "CRUISE", "LEVEL")
LEVEL_DEAD_BAND_FPM: Final = 300.0
"""Vertical rate, ft/min, up to and including which (either sign) an aircraft flies level."""
CRUISE_FLOOR_FT: Final = 18_000.0
"""Barometric altitude, ft, from which level flight is CRUISE; lower, it is LEVEL (a circuit, a hold, an approach)."""

AIRLINE_CALLSIGN: Final = r"^[A-Z]{3}[0-9]"
"""The start of an airline's callsign: its ICAO designator of three letters, then a digit."""

_TEXT: Final = pa.dictionary(pa.int32(), pa.string())


def _field(name: str, type_: pa.DataType, unit: str, meaning: str, source: str = "") -> pa.Field:
    metadata = {"unit": unit, "meaning": meaning} | ({"from": source} if source else {})
    return pa.field(name, type_, metadata=metadata)


STATE_SCHEMA: Final = pa.schema(
    [
        _field("icao24", pa.string(), "", "transponder address, 6 lower-case hex digits"),
        _field("callsign", pa.string(), "", "callsign without its padding; null where it was empty"),
        _field("origin_country", _TEXT, "", "country inferred from the transponder address"),
        _field("time_position", pa.int64(), "s since 1970 UTC", "last position; null without one in 15 s"),
        _field("last_contact", pa.int64(), "s since 1970 UTC", "last message of any kind"),
        _field("longitude", pa.float64(), "degree", "WGS-84, east positive"),
        _field("latitude", pa.float64(), "degree", "WGS-84, north positive"),
        _field("baro_altitude", pa.float64(), "m", "barometric altitude"),
        _field("on_ground", pa.bool_(), "", "the position came from a surface report"),
        _field("velocity", pa.float64(), "m/s", "speed over ground"),
        _field("true_track", pa.float64(), "degree", "track over ground, north 0, clockwise"),
        _field("vertical_rate", pa.float64(), "m/s", "positive climbs"),
        _field("sensors", pa.list_(pa.int32()), "", "receivers that heard it; null unless asked for by sensor"),
        _field("geo_altitude", pa.float64(), "m", "geometric altitude above the WGS-84 ellipsoid"),
        _field("squawk", pa.string(), "", "transponder code, 4 octal digits, leading zeros kept"),
        _field("spi", pa.bool_(), "", "special purpose indicator"),
        _field("position_source", pa.int16(), "", "0 ADS-B, 1 ASTERIX, 2 MLAT, 3 FLARM; unlisted values kept"),
        _field("category", pa.int16(), "", "emitter category; null where the row has 17 fields; unlisted values kept"),
    ]
)
"""OpenSky's fields in their order (`STATE_SCHEMA.names[i]` is field i of a state vector)."""

DERIVED_SCHEMA: Final = pa.schema(
    [
        _field("baro_altitude_ft", pa.float64(), "ft", "x 3.28084", "baro_altitude"),
        _field("geo_altitude_ft", pa.float64(), "ft", "x 3.28084", "geo_altitude"),
        _field("velocity_kt", pa.float64(), "kt", "x 1.94384", "velocity"),
        _field("vertical_rate_fpm", pa.float64(), "ft/min", "x 3.28084 x 60", "vertical_rate"),
        _field(
            "altitude_band", _TEXT, "", "LOW < 1000 ft <= MEDIUM < 18000 <= HIGH < 35000 <= VERY_HIGH", "baro_altitude"
        ),
        _field(
            "speed_band",
            _TEXT,
            "",
            "VERY_SLOW < 50 kt <= SLOW < 200 <= MEDIUM < 400 <= FAST < 600 <= VERY_FAST",
            "velocity",
        ),
        _field(
            "flight_phase",
            _TEXT,
            "",
            "GROUND where on_ground; CLIMB and DESCENT beyond 300 ft/min; level: CRUISE from 18000 ft, LEVEL below; "
            "null where the fields that decide are",
            "on_ground, vertical_rate, baro_altitude",
        ),
        _field(
            "airline_code",
            _TEXT,
            "",
            "ICAO airline designator; null unless the callsign has an airline's shape",
            "callsign",
        ),
        _field("snapshot_time", pa.timestamp("ms", tz="UTC"), "ms since 1970 UTC", "the snapshot's own time"),
        _field("snapshot_s", pa.int64(), "s since 1970 UTC", "the same as a number, alike in every SQL engine"),
    ]
)
"""The columns that the conversion adds."""

SCHEMA: Final = pa.schema([*STATE_SCHEMA, *DERIVED_SCHEMA])
"""The processed Parquet's schema."""

BOUNDED: Final = ["icao24", *(each.name for each in SCHEMA if pa.types.is_primitive(each.type))]
"""Columns with row-group statistics. By a text other than the address, no query can pass over a group."""

"""The columns that a check must see whole (for a median, a quartile, a repetition), gathered batch by batch."""

from typing import Final

import numpy as np
import pyarrow as pa

from chalicelib.flights.checks import text
from chalicelib.flights.checks.findings import Floats, Mask
from chalicelib.flights.checks.homes import REGION_OF
from chalicelib.flights.checks.reading import Batch, StatesSource, plain
from chalicelib.flights.columns import FLIGHT_PHASES
from chalicelib.flights.reports import Cell

NUMBERS: Final = frozenset({"baro_altitude", "velocity", "vertical_rate", "geo_altitude"})
SAMPLED: Final = frozenset({"longitude", "latitude", "true_track", "last_contact", "time_position"})
"""Number columns of which a sample is enough."""
GATHERED: Final = NUMBERS | {"icao24", "on_ground", "flight_phase"}
"""Columns that are gathered whole, for sample rows."""
NEEDED: Final = GATHERED | SAMPLED | {"origin_country", "callsign"}
"""The columns that a batch must have."""
SAMPLE_ROWS: Final = 20_000


class Snapshot:
    """A snapshot's gathered columns, 39 bytes a row, and a sample of others; NaN, `text.NULL` or no mark is missing."""

    def __init__(self, source: StatesSource) -> None:
        self.rows = source.rows
        self.time = source.time
        self.columns = source.columns
        self._numbers = {name: np.empty(self.rows) for name in sorted(NUMBERS & source.columns)}
        self.airborne: Mask = np.zeros(self.rows, np.bool_)
        self._grounded: Mask = np.zeros(self.rows, np.bool_)
        self.phases = np.full(self.rows, len(FLIGHT_PHASES), np.uint8)
        self.addresses = np.full(self.rows, text.NULL, np.int32)
        self.malformed: dict[int, str] = {}
        """The text of the addresses that are no number, by row."""
        self.source = source
        self._stride = max(1, self.rows // SAMPLE_ROWS)
        sampled = len(range(0, self.rows, self._stride))
        self._samples = {name: np.full(sampled, np.nan) for name in SAMPLED}
        self.countries = np.full(sampled, len(REGION_OF), np.uint8)
        """Of the sampled rows: the place of origin_country among `REGION_OF`, or their number."""
        self._callsigns = pa.nulls(0)
        """Of the first batch, for sample rows."""
        self.callsigns = (0, 0, 0)
        """Of the first rows: the numbers of callsigns, of different ones, and of those of these that have a letter."""

    def add(self, batch: Batch) -> None:
        """Gather the batch's columns; batches may come in any order, from several threads."""
        rows = slice(batch.start, batch.start + batch.rows)
        for name, values in self._numbers.items():
            values[rows] = batch.numbers(name).values
        first = -batch.start % self._stride
        places = slice((batch.start + first) // self._stride, None)
        for name in SAMPLED & self.columns:
            taken = batch.numbers(name).values[first :: self._stride]
            self._samples[name][places][: len(taken)] = taken
        if "origin_country" in self.columns:
            known = text.ordinals(batch.array("origin_country"), tuple(REGION_OF))[first :: self._stride]
            self.countries[places][: len(known)] = known
        if "callsign" in self.columns and batch.start == 0:
            self._callsigns = batch.array("callsign")
            callsigns = batch.array("callsign")[:SAMPLE_ROWS].drop_null()
            different = callsigns.unique()
            self.callsigns = len(callsigns), len(different), text.lettered(different)
        if "on_ground" in self.columns:
            self.airborne[rows] = batch.airborne
            self._grounded[rows] = batch.grounded
        if "flight_phase" in self.columns:
            self.phases[rows] = text.ordinals(batch.array("flight_phase"), FLIGHT_PHASES)
        if "icao24" in self.columns:
            self.addresses[rows] = batch.addresses
            odd = np.flatnonzero(batch.addresses == text.MALFORMED)
            if len(odd):
                words = text.readable_at(batch.array("icao24"), odd)
                self.malformed.update(zip((batch.start + odd).tolist(), words, strict=True))

    def values(self, name: str) -> Floats:
        """A gathered number column, NaN where a value is missing."""
        return self._numbers[name]

    def sampled(self, name: str) -> Floats:
        """The sampled rows of a number column, NaN where a value is missing, all of them where the column is."""
        if name in self._samples:
            return self._samples[name]
        found = self._numbers.get(name)
        return np.full(len(self.countries), np.nan) if found is None else found[:: self._stride]

    @property
    def sampled_airborne(self) -> Mask:
        """The sampled rows that report flying."""
        return self.airborne[:: self._stride]

    @property
    def sampled_grounded(self) -> Mask:
        """The sampled rows that report being on the ground."""
        return self._grounded[:: self._stride]

    def shown(self, row: int, names: tuple[str, ...]) -> dict[str, Cell]:
        """The row's values under those names, for a person to read."""
        return {name: self._value(row, name) for name in names}

    def _value(self, row: int, name: str) -> Cell:
        if name in self._numbers:
            return plain(self._numbers[name][row], name)
        if name == "icao24":
            code = int(self.addresses[row])
            return f"{code:06x}" if code >= 0 else self.malformed.get(row)
        if name == "callsign":
            if row < len(self._callsigns):
                return text.readable(self._callsigns, row)
            return self.source.text_at("callsign", row)
        if name == "on_ground":
            return bool(self._grounded[row]) if self._grounded[row] or self.airborne[row] else None
        phase = int(self.phases[row])
        return FLIGHT_PHASES[phase] if phase < len(FLIGHT_PHASES) else None

"""Times: timeliness and timestamp_consistency, relative to the snapshot's own time, never the wall clock."""

from chalicelib.flights.checks.findings import Mask, Tally, either, marked
from chalicelib.flights.checks.reading import Batch
from chalicelib.flights.checks.thresholds import Thresholds


def timeliness(batch: Batch, limits: Thresholds) -> Tally:
    """Whether the aircraft was heard about when the snapshot was taken.

    Why: OpenSky drops an aircraft 300 s after its last message, so older ones mean that it lags.
    Replaying a snapshot does not change its freshness.
    Formula: |snapshot_time - last_contact| <= 300 s, of the rows with last_contact.
    Pass mark: 0.80. Source: OpenSky's REST API documentation, `last_contact`.
    """
    if batch.time is None:
        return Tally(0, 0)
    contact = batch.numbers("last_contact")
    return Tally.of(contact.present, contact.outside(batch.time - limits.fresh_s, batch.time + limits.fresh_s))


def timestamp_consistency(batch: Batch, limits: Thresholds) -> Tally:
    """Whether a row's times come in the only order possible.

    Why: a position is part of a message, and no message comes from after the snapshot; a clock or a unit is wrong.
    Formula: time_position <= last_contact <= snapshot_time, and neither is older than 24 h, of the rows with
    either time; a missing time contradicts nothing.
    Pass mark: 0.90. Source: OpenSky's REST API documentation, "vectors describe [time - 1, time]".
    """
    if batch.time is None:
        return Tally(0, 0)
    position, contact = batch.numbers("time_position"), batch.numbers("last_contact")
    oldest = batch.time - limits.oldest_s
    disordered: Mask | None = None
    if position.high > contact.low:
        disordered = position.values > contact.values
    failing = either(position.outside(oldest, batch.time), contact.outside(oldest, batch.time), disordered)
    missing, absent = position.missing, contact.missing
    neither = 0 if missing is None or absent is None else marked(missing & absent)
    return Tally.of(batch.rows - neither, failing)

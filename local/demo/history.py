"""The history part of the flights demo: a release, compacted hours, one aircraft's flight, traffic by hour."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import matplotlib as mpl
from rich.console import Console
from rich.table import Table

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from local.demo.map import draw_graticule, draw_ground, draw_places, view_of

INK, GRID, ACCENT, QUIET = "#1f2933", "#d9dee4", "#c2410c", "#6b7785"
AIRLINE: Final = "AFR"
CANDIDATES: Final = 8
"""An airline's most frequent aircraft, whose tracks are queried; the longest flight is drawn."""
DEADLINE: Final = 120.0

Get = Callable[[str], Any]


def show_history(
    get: Get, invoke: Callable[[str], Any], rest_url: str, token: str, runs: Sequence[Mapping[str, Any]], out: Path,
    console: Console,
) -> list[Path]:  # fmt: skip
    """Release the quarantined snapshot, compact, query the history, and return the drawn pictures."""
    for run in runs:
        if run["status"] == "QUARANTINED":
            released = release(rest_url, token, run["tracking_id"])
            console.print(f"Released after review by {released['released_by']}: {run['tracking_id']}")
            break
    compacted = invoke("compact_flights")
    counts = f"{compacted['snapshots']} snapshots, {compacted['rows']:,} rows, into {len(compacted['hours'])} hours"
    console.print(f"Compacted: {counts}")
    start, end = runs[0]["snapshot_time"], runs[-1]["snapshot_time"] + 1
    period = {"from": _moment(start), "to": _moment(end)}
    traffic = ask(get, "/flights/traffic", {**period, "by": "hour"})
    console.print(traffic_table(traffic))
    seen = ask(get, "/flights/aircraft", {**period, "q": AIRLINE})["aircraft"][:CANDIDATES]
    tracks = [ask(get, f"/flights/aircraft/{each['icao24']}/track", period) for each in seen]
    drawn = [draw_traffic(traffic, out / "flights-traffic.png")]
    flown = [(flight["distance_nm"], track, flight) for track in tracks for flight in track["flights"]]
    if flown:
        _, track, flight = max(flown, key=lambda each: float(each[0]))
        drawn.append(draw_flight(track, flight, out / "flights-track.png"))
    return drawn


def release(rest_url: str, token: str, tracking_id: str) -> dict[str, Any]:
    """Release a snapshot from quarantine, as an operator's script does."""
    body = json.dumps({"reason": "spoiled on purpose", "released_by": "the demo"}).encode()
    headers = {"Content-Type": "application/json", "X-Operator-Token": token}
    request = Request(f"{rest_url}/flights/runs/{tracking_id}/release", data=body, headers=headers)
    with urlopen(request, timeout=30) as answer:
        return dict(json.load(answer))


def ask(get: Get, path: str, query: Mapping[str, str]) -> dict[str, Any]:
    """The result of a history query, polled until it is ready."""
    asked, deadline = dict(query), time.monotonic() + DEADLINE
    while True:
        answer: dict[str, Any] = get(f"{path}?{urlencode(asked)}")
        if "retry_after" not in answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"{path}: no answer within {DEADLINE:.0f} s")
        asked |= {"query": answer["query"], "from": answer["from"], "to": answer["to"]}
        time.sleep(answer["retry_after"])


def traffic_table(traffic: Mapping[str, Any]) -> Table:
    """Aircraft and rows by hour, and what the query scanned."""
    table = Table(title=f"Traffic by hour, from Athena: {scanned(traffic)}", title_justify="left", title_style="bold")
    table.add_column("hour (UTC)")
    table.add_column("aircraft", justify="right")
    table.add_column("rows", justify="right")
    for count in traffic["counts"]:
        table.add_row(count["key"], f"{count['aircraft']:,}", f"{count['rows']:,}")
    return table


def draw_traffic(traffic: Mapping[str, Any], path: Path) -> Path:
    """Draw aircraft by hour as bars into a PNG file."""
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    hours = [count["key"][11:16] for count in traffic["counts"]]
    aircraft = [count["aircraft"] for count in traffic["counts"]]
    axes.bar(hours, aircraft, color=ACCENT, width=0.6)
    for place, number in enumerate(aircraft):
        axes.annotate(f"{number:,}", (place, number), ha="center", va="bottom", color=INK)
    axes.set_title("Distinct aircraft by hour (UTC)", loc="left", color=INK)
    axes.set_xlabel(f"{traffic['from']} to {traffic['to']}; {scanned(traffic)}", color=QUIET)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130)
    plt.close(figure)
    return path


def draw_flight(track: Mapping[str, Any], flight: Mapping[str, Any], path: Path) -> Path:
    """Draw a flight's line on a map and its altitude over time into a PNG file."""
    points = flight["points"]
    figure, (ground, profile) = plt.subplots(1, 2, figsize=(11, 4.6), width_ratios=(3, 2), layout="constrained")
    places = [(point["longitude"], point["latitude"]) for point in points]
    view = view_of(places)
    draw_ground(ground, view)
    draw_graticule(ground)
    draw_places(ground, view, [])
    ground.plot(*zip(*places, strict=True), color=ACCENT, marker=".", lw=1.4, zorder=4)
    for name, place, beside in (("first seen", places[0], places[1:2]), ("last seen", places[-1], places[-2:-1])):
        offset = (7, 5 if beside and beside[0][1] < place[1] else -11)  # away from the line
        ground.annotate(name, place, textcoords="offset points", xytext=offset, color=ACCENT, fontsize=9, zorder=5)
    high = [p for p in points if p["baro_altitude_ft"] is not None]
    minutes = [(p["time"] - points[0]["time"]) / 60 for p in high]
    profile.plot(minutes, [p["baro_altitude_ft"] for p in high], color=ACCENT, marker=".", lw=1.4)
    profile.set_xlabel("minutes since first seen", color=QUIET)
    profile.set_ylabel("barometric altitude, ft", color=QUIET)
    profile.set_ylim(bottom=0)
    profile.xaxis.set_major_locator(MaxNLocator(integer=True))
    profile.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    profile.grid(color=GRID, lw=0.6)
    profile.spines[["top", "right"]].set_visible(False)
    name, took, top = flight["callsign"] or track["icao24"], flight["duration_s"] / 60, flight["highest_altitude_ft"]
    told = f"{name}: {flight['distance_nm']:,.0f} nm in {took:,.0f} minutes, up to {top or 0:,.0f} ft"
    figure.suptitle(f"{told}; {scanned(track)}", ha="left", x=0.012, color=INK)
    figure.savefig(path, dpi=130)
    plt.close(figure)
    return path


def scanned(answer: Mapping[str, Any]) -> str:
    """The bytes that a query scanned, and who counted them."""
    return f"{answer['bytes_scanned']:,} bytes scanned, as the local engine counts"


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")

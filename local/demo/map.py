"""A map of the aircraft in one snapshot and their flight phases, over coastlines and borders."""

import gzip
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path as FilePath
from statistics import median, quantiles
from typing import Any, Final, NamedTuple

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, Bbox

from local.demo.outlines import OUTLINES, WORLD, Bounds, Line, Point

Aircraft = Mapping[str, Any]
"""As `GET /flights/latest` gives it: degrees, feet, knots, feet a minute."""

SIZE: Final = (12.0, 9.0)
DOTS_PER_INCH: Final = 160
LEFT, BOTTOM, WIDTH, HEIGHT = 0.045, 0.075, 0.91, 0.835
"""The map's place in the picture, as shares of it."""
MARGIN: Final = 1.3
"""Size of the view relative to the traffic; coasts and borders around it help with orientation."""

CROWD: Final = 200
"""From this number on, aircraft are drawn small, without labels and without the line ahead."""
LOCATOR_SIDE: Final = 0.21
LOCATOR_REACH: Final = 1.6
"""The locator's side as a share of the map's, and the number of views that it shows on each side of this one."""
CORNERS: Final = {"lower right": (1, 0), "lower left": (0, 0), "upper right": (1, 1), "upper left": (0, 1)}

SEA, LAND, COAST, BORDER = "#dce8ef", "#f7f5f0", "#8fa3ae", "#b9aea0"
INK, FAINT, MARK = "#22303a", "#7d8b95", "#c2410c"
PHASES: Final = {
    "CLIMB": ("#14866d", "climbing"),
    "CRUISE": ("#2f5fd0", "cruising"),
    "LEVEL": ("#8446b5", "level, below 18,000 ft"),
    "DESCENT": ("#d9600a", "descending"),
    "GROUND": ("#59656f", "on the ground"),
    None: ("#111111", "phase unknown"),
}

_HALF: Final = [
    (0, 10),
    (1.1, 8.6),
    (1.5, 3.6),
    (9.6, -2.2),
    (9.6, -4.4),
    (1.5, -1.4),
    (1.2, -6),
    (3.8, -8.2),
    (3.8, -9.8),
]
LABEL_GAP = 3
"""Pixels between two labels."""
SHAPE: Final = Path([*_HALF, (0, -8.8), *((-x, y) for x, y in reversed(_HALF))], closed=True)
"""An aircraft from above, nose to the north."""

CITIES: Final = {
    "Paris": (48.857, 2.352),
    "Rouen": (49.443, 1.100),
    "Orléans": (47.902, 1.904),
    "Reims": (49.258, 4.032),
    "Amiens": (49.894, 2.296),
    "Chartres": (48.447, 1.488),
    "Troyes": (48.297, 4.074),
    "Auxerre": (47.798, 3.567),
    "Évreux": (49.024, 1.151),
    "Le Havre": (49.494, 0.108),
    "Lille": (50.629, 3.057),
    "Le Mans": (48.006, 0.200),
    "Brussels": (50.847, 4.352),
    "London": (51.507, -0.128),
    "Lyon": (45.764, 4.836),
    "Geneva": (46.204, 6.143),
    "Zurich": (47.377, 8.542),
    "Frankfurt": (50.110, 8.682),
    "Amsterdam": (52.370, 4.895),
}
AIRPORTS: Final = {
    "CDG": (49.010, 2.548),
    "ORY": (48.723, 2.379),
    "LBG": (48.969, 2.441),
    "BVA": (49.454, 2.113),
}


class Drawn(NamedTuple):
    """Content of the picture."""

    path: FilePath
    aircraft: int
    outside: int
    labelled: int


def draw_map(aircraft: Sequence[Aircraft], path: FilePath, *, time: datetime, source: str) -> Drawn:
    """Write a PNG of the aircraft as of `time` (aware); `source` is printed below it.

    Aircraft without a position are left out. The view follows the bulk of the traffic; a single distant position
    does not widen it, but is counted as outside. Without traffic, the map shows the world.
    """
    located = [craft for craft in aircraft if craft["latitude"] is not None and craft["longitude"] is not None]
    view = view_of([(craft["longitude"], craft["latitude"]) for craft in located])
    shown = [craft for craft in located if view.hold((craft["longitude"], craft["latitude"]))]
    figure = Figure(figsize=SIZE, dpi=DOTS_PER_INCH, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((LEFT, BOTTOM, WIDTH, HEIGHT))
    draw_ground(axes, view)
    draw_graticule(axes)
    legend_corner, locator_corner = _emptiest_corners(axes, shown)[:2]
    reserved = [_corner_box(axes, legend_corner), _corner_box(axes, locator_corner)]
    reserved += draw_places(axes, view, reserved)
    crowded = len(shown) >= CROWD
    taken = [box for craft in shown for box in _draw_aircraft(axes, craft, crowded)]
    labelled = 0 if crowded else _label(axes, shown, reserved + taken)
    _draw_locator(axes, view, locator_corner)
    _draw_legend(axes, shown, legend_corner, crowded)
    left_out = {"outside this view": len(located) - len(shown), "without a position": len(aircraft) - len(located)}
    _write_around(figure, shown, left_out, time, source)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    return Drawn(path, len(shown), len(located) - len(shown), labelled)


def view_of(points: Sequence[tuple[float, float]]) -> Bounds:
    """The bounds that show the points with a margin, in the picture's proportions; the world without points."""
    if not points:
        return Bounds(-180, -75, 180, 85)
    (west, east), (south, north) = (_bulk(values) for values in zip(*points, strict=True))
    middle = (south + north) / 2
    across = math.cos(math.radians(middle))
    height = max(north - south, 0.5) * MARGIN
    width = max((east - west) * MARGIN, 0.5)
    ratio = SIZE[0] * WIDTH / (SIZE[1] * HEIGHT)
    if width * across < height * ratio:
        width = height * ratio / across
    else:
        height = width * across / ratio
    centre = (west + east) / 2
    return Bounds(
        max(-180, centre - width / 2),
        max(-90, middle - height / 2),
        min(180, centre + width / 2),
        min(90, middle + height / 2),
    )


def _bulk(values: Sequence[float]) -> tuple[float, float]:
    """The least and greatest value that lie no further than ten quartile ranges from the median."""
    low, _, high = quantiles(values, n=4) if len(values) > 1 else (values[0],) * 3
    centre, reach = median(values), 10 * max(high - low, 0.1)
    near = [value for value in values if abs(value - centre) <= reach]
    return min(near), max(near)


@cache
def _levels() -> list[dict[str, Any]]:
    levels: list[dict[str, Any]] = json.loads(gzip.decompress(OUTLINES.read_bytes()))
    return levels


def _outlines(view: Bounds) -> dict[str, Any]:
    """The most detailed outlines that cover the view."""
    corners = ((view.west, view.south), (view.east, view.north))
    return next((level for level in _levels() if all(Bounds(*level["bounds"]).hold(c) for c in corners)), _levels()[-1])


def draw_ground(axes: Axes, view: Bounds, width: float = 1.0) -> None:
    """Land, coasts and borders, `width` the strength of their lines; fits the axes to the view."""
    outlines = _outlines(view)
    land = _compound(outlines["land"])
    axes.set_facecolor(SEA)
    # `add_patch` would compute the extent of every coast
    axes.add_artist(PathPatch(land, facecolor=LAND, edgecolor=COAST, linewidth=0.9 * width, zorder=1))
    for border in outlines["borders"]:
        axes.plot(*zip(*border, strict=True), color=BORDER, linewidth=width, dashes=(5, 2.5), zorder=2)
    axes.set_xlim(view.west, view.east)
    axes.set_ylim(view.south, view.north)
    axes.set_aspect(1 / math.cos(math.radians((view.south + view.north) / 2)))
    for spine in axes.spines.values():
        spine.set_edgecolor(COAST)


def draw_graticule(axes: Axes) -> None:
    """Grid lines with their degrees."""
    axes.xaxis.set_major_formatter(lambda value, _: _degrees(value, "EW"))
    axes.yaxis.set_major_formatter(lambda value, _: _degrees(value, "NS"))
    axes.grid(color="#c4cdd2", linewidth=0.4, alpha=0.7, zorder=1.5)
    axes.tick_params(length=0, labelsize=8, labelcolor=FAINT)


def _draw_locator(axes: Axes, view: Bounds, corner: str) -> None:
    """A locator in a corner of a small view, which shows its place in the world."""
    across, around = (view.east - view.west) * LOCATOR_REACH, (view.north - view.south) * LOCATOR_REACH
    wide = Bounds(view.west - across, view.south - around, view.east + across, view.north + around)
    if not WORLD.hold((wide.west, wide.south)) or not WORLD.hold((wide.east, wide.north)):
        return
    side, gap = LOCATOR_SIDE, 0.008
    left, bottom = (gap + share * (1 - side - 2 * gap) for share in CORNERS[corner])
    inset = axes.inset_axes((left, bottom, side, side), zorder=8)
    draw_ground(inset, wide, width=0.6)
    inset.set_xticks([])
    inset.set_yticks([])
    west_south, size = (view.west, view.south), (view.east - view.west, view.north - view.south)
    inset.add_patch(Rectangle(west_south, *size, facecolor=MARK + "30", edgecolor=MARK, linewidth=1.2, zorder=4))


def _compound(rings: Iterable[Line]) -> Path:
    return Path.make_compound_path(*(Path(ring, closed=True) for ring in rings))


def _degrees(value: float, letters: str) -> str:
    return f"{abs(value):g}°{letters[0] if value > 0 else letters[1] if value < 0 else ''}"


def draw_places(axes: Axes, view: Bounds, reserved: Sequence[Bbox]) -> list[Bbox]:
    """Draw cities and airports outside the reserved corners; return the area of their names, in pixels."""
    covered = []
    city: dict[str, Any] = {"fontsize": 9.5, "style": "italic"}
    airport: dict[str, Any] = {"fontsize": 7, "weight": "bold"}
    for places, marker, size, colour, style in ((CITIES, "o", 3.0, FAINT, city), (AIRPORTS, "+", 8.0, INK, airport)):
        for name, (latitude, longitude) in places.items():
            around = _square(axes, (longitude, latitude), 12)
            if not view.hold((longitude, latitude)) or any(around.overlaps(box) for box in reserved):
                continue
            axes.plot(longitude, latitude, marker, markersize=size, color=colour, markeredgewidth=1, zorder=2.5)
            text = axes.annotate(
                name,
                (longitude, latitude),
                xytext=(5, -9),
                textcoords="offset points",
                color=colour,
                alpha=0.85,
                zorder=2.6,
                annotation_clip=True,
                clip_on=True,
                **style,
            )
            covered.append(text.get_window_extent())
    return covered


def _draw_aircraft(axes: Axes, craft: Aircraft, crowded: bool) -> list[Bbox]:
    """Draw the shape and a line to its position in a minute; return their area, in pixels."""
    here = (craft["longitude"], craft["latitude"])
    phase = phase_of(craft)
    look: dict[str, Any] = {
        "color": PHASES[phase][0],
        "markeredgecolor": "white",
        "markeredgewidth": 0.1 if crowded else 0.5,
        "linestyle": "",
    }
    if craft["true_track"] is None:
        axes.plot(*here, marker="o", markersize=2.5 if crowded else 4.5, zorder=5, **look)
        return [_square(axes, here, 5)]
    size = (10 if phase == "GROUND" else 16) / (2.5 if crowded else 1)
    axes.plot(
        *here, marker=SHAPE.transformed(Affine2D().rotate_deg(-craft["true_track"])), markersize=size, zorder=6, **look
    )
    covered = [_square(axes, here, size / 2)]
    if phase != "GROUND" and craft["velocity_kt"] and not crowded:
        there = _minute_ahead(craft)
        axes.plot(*zip(here, there, strict=True), color=PHASES[phase][0], linewidth=1.1, alpha=0.7, zorder=5)
        covered += [_square(axes, _between(here, there, share), 2) for share in (0.4, 0.6, 0.8, 1.0)]
    return covered


def _square(axes: Axes, point: Point, reach: float) -> Bbox:
    """The pixels within `reach` points of the place."""
    x, y = axes.transData.transform(point)
    reach *= DOTS_PER_INCH / 72
    return Bbox.from_extents(x - reach, y - reach, x + reach, y + reach)


def _between(here: Point, there: Point, share: float) -> Point:
    return here[0] + share * (there[0] - here[0]), here[1] + share * (there[1] - here[1])


def _minute_ahead(craft: Aircraft) -> Point:
    track, degrees = math.radians(craft["true_track"]), craft["velocity_kt"] / 60 / 60
    across = max(math.cos(math.radians(craft["latitude"])), 0.01)
    return (
        craft["longitude"] + degrees * math.sin(track) / across,
        craft["latitude"] + degrees * math.cos(track),
    )


def _label(axes: Axes, aircraft: Sequence[Aircraft], taken: list[Bbox]) -> int:
    """Write callsign, flight level and speed next to airborne aircraft with room; return the number of labels."""
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    frame, labelled = axes.get_window_extent(renderer), 0
    flying = [craft for craft in aircraft if craft["flight_phase"] != "GROUND" and craft["callsign"]]
    for craft in sorted(flying, key=lambda craft: craft["baro_altitude_ft"] or 0, reverse=True):
        colour = PHASES[phase_of(craft)][0]
        for x, y, side in ((9, 5, "left"), (9, -14, "left"), (-9, 5, "right"), (-9, -14, "right")):
            text = axes.annotate(
                label_of(craft),
                (craft["longitude"], craft["latitude"]),
                xytext=(x, y),
                textcoords="offset points",
                fontsize=6.6,
                color=colour,
                ha=side,
                linespacing=1.05,
                zorder=7,
            )
            box = text.get_window_extent(renderer)
            inside = frame.containsx(box.x0) and frame.containsx(box.x1) and frame.containsy(box.y0)
            if inside and frame.containsy(box.y1) and not any(box.overlaps(other) for other in taken):
                taken.append(box.padded(LABEL_GAP))
                labelled += 1
                break
            text.remove()
    return labelled


def phase_of(craft: Aircraft) -> str | None:
    """The flight phase, if the map knows it."""
    return craft["flight_phase"] if craft["flight_phase"] in PHASES else None


def label_of(craft: Aircraft) -> str:
    """Callsign, flight level (hundreds of feet) and ground speed, as on a controller's screen."""
    altitude, speed = craft["baro_altitude_ft"], craft["velocity_kt"]
    level = "" if altitude is None else f"FL{max(altitude, 0) / 100:03.0f}"
    pace = "" if speed is None else f"{speed:.0f} kt"
    return f"{craft['callsign'].strip()}\n{level} {pace}".strip()


def _emptiest_corners(axes: Axes, shown: Sequence[Aircraft]) -> list[str]:
    """The corners of the map, the one with the fewest aircraft first."""
    places = [
        axes.transAxes.inverted().transform(axes.transData.transform((craft["longitude"], craft["latitude"])))
        for craft in shown
    ]
    return sorted(CORNERS, key=lambda name: sum(max(abs(place - CORNERS[name])) < 0.3 for place in places))


def _corner_box(axes: Axes, corner: str) -> Bbox:
    """The pixels that the legend or the locator takes in a corner of the map."""
    left, bottom = (share * (1 - LOCATOR_SIDE) for share in CORNERS[corner])
    return axes.transAxes.transform_bbox(Bbox.from_bounds(left, bottom, LOCATOR_SIDE, LOCATOR_SIDE))


def _draw_legend(axes: Axes, shown: Sequence[Aircraft], corner: str, crowded: bool) -> None:
    counts = Counter(phase_of(craft) for craft in shown)
    look: dict[str, Any] = {"marker": SHAPE, "linestyle": "", "markersize": 12, "markeredgewidth": 0}
    handles = [
        Line2D([], [], color=colour, label=f"{name}  {counts[phase]}", **look)
        for phase, (colour, name) in PHASES.items()
        if counts[phase]
    ]
    if not crowded:
        handles.append(Line2D([], [], color=FAINT, linewidth=1.1, label="position in a minute"))
    place: Any = corner
    legend = axes.legend(handles=handles, loc=place, fontsize=9, framealpha=0.95, edgecolor=COAST, borderpad=0.8)
    legend.set_zorder(9)


def _write_around(
    figure: Figure, shown: Sequence[Aircraft], left_out: Mapping[str, int], time: datetime, source: str
) -> None:
    moment, grounded = time.astimezone(UTC), sum(phase_of(craft) == "GROUND" for craft in shown)
    beyond = "".join(f"; {count} {why} not shown" for why, count in left_out.items() if count)
    when = f"{moment.day} {moment:%B %Y, %H:%M:%S} UTC"
    where = f"{len(shown) - grounded} in the air, {grounded} on the ground{beyond}"
    figure.text(LEFT, 0.957, f"{len(shown)} aircraft", fontsize=19, weight="bold", color=INK)
    figure.text(LEFT, 0.928, f"{when}: {where}", fontsize=11, color=INK)
    figure.text(LEFT, 0.022, f"{source}\nOutlines: Natural Earth", fontsize=8, color=FAINT, linespacing=1.4)

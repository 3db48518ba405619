"""Make the outlines for the demo's maps from Natural Earth (public domain), as packaged by world-atlas.

    npm pack world-atlas@2.0.2
    python -m local.demo.outlines world-atlas-2.0.2.tgz

Two levels: Europe in detail (1:10m, cut to `DETAILED`), for a view that fits into it, and the world (1:110m) for any
other. Natural Earth 4.1.0, made available at naturalearthdata.com into the public domain; world-atlas 2.0.2 by
Michael Bostock, ISC licence, sha256 of `world-atlas-2.0.2.tgz` below.
"""

import argparse
import gzip
import hashlib
import io
import json
import math
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

PACKAGE_SHA256: Final = "032e7765f2ce00edaeafec23ff22bc3b77e42987c257da944cc585b452c05b97"
OUTLINES: Final = Path(__file__).with_name("outlines.json.gz")
DECIMALS: Final = 3

Point = tuple[float, float]
Line = list[Point]


class Bounds(NamedTuple):
    """Degrees; west < east, south < north."""

    west: float
    south: float
    east: float
    north: float

    def hold(self, point: Point) -> bool:
        """Whether the point (longitude, latitude) lies inside or on the edge."""
        return self.west <= point[0] <= self.east and self.south <= point[1] <= self.north


WORLD: Final = Bounds(-180, -90, 180, 90)
DETAILED: Final = Bounds(-11, 41, 17, 57)


def arcs_of(topology: dict[str, Any]) -> list[Line]:
    """The arcs of a quantized topology in degrees (TopoJSON, section 2.1.3)."""
    (x_scale, y_scale), (x_shift, y_shift) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for steps in topology["arcs"]:
        x = y = 0
        arc = []
        for dx, dy in steps:
            x, y = x + dx, y + dy
            arc.append((x * x_scale + x_shift, y * y_scale + y_shift))
        arcs.append(arc)
    return arcs


def rings_of(geometry: dict[str, Any]) -> Iterator[list[int]]:
    """Each ring of a polygon or multipolygon, as its arcs' numbers; ~n runs arc n backwards."""
    polygons = [geometry["arcs"]] if geometry["type"] == "Polygon" else geometry["arcs"]
    for polygon in polygons:
        yield from polygon


def joined(numbers: Iterable[int], arcs: list[Line]) -> Line:
    """One line from arcs that follow each other."""
    line: Line = []
    for number in numbers:
        arc = arcs[number] if number >= 0 else arcs[~number][::-1]
        line += arc[1:] if line else arc
    return line


def unwrapped(ring: Line) -> Line:
    """The ring without jumps from 180 degrees east to west; a ring around a pole is closed through it."""
    turns, line = 0, [ring[0]]
    for before, here in pairwise(ring):
        turns -= round((here[0] - before[0]) / 360)
        line.append((here[0] + 360 * turns, here[1]))
    if turns:
        pole = math.copysign(90, ring[0][1])
        line += [(line[-1][0], pole), (line[0][0], pole), line[0]]
    return line


def on_the_map(ring: Line, bounds: Bounds) -> Iterator[Line]:
    """The parts of the ring within the bounds; the part beyond the antimeridian is moved to the other side."""
    flat = unwrapped(ring)
    for shift in (-360, 0, 360):
        part = clip_ring([(x + shift, y) for x, y in flat], bounds)
        if len(part) > 3:
            yield part


def clip_ring(ring: Line, bounds: Bounds) -> Line:
    """The part of the ring within the bounds (Sutherland and Hodgman, 1974); empty if there is none."""
    for axis, limit, sign in ((0, bounds.west, 1), (0, bounds.east, -1), (1, bounds.south, 1), (1, bounds.north, -1)):
        kept: Line = []
        for here, there in zip(ring, ring[1:] + ring[:1], strict=True):
            inside, next_inside = (here[axis] - limit) * sign >= 0, (there[axis] - limit) * sign >= 0
            if inside:
                kept.append(here)
            if inside != next_inside:
                share = (limit - here[axis]) / (there[axis] - here[axis])
                kept.append((here[0] + share * (there[0] - here[0]), here[1] + share * (there[1] - here[1])))
        ring = kept
    return ring


def clip_line(line: Line, bounds: Bounds) -> Iterator[Line]:
    """The pieces of the line within the bounds, each with one point beyond its exit."""
    piece: Line = []
    for before, here in zip([line[0], *line], line, strict=False):
        if bounds.hold(here):
            piece += [here] if piece or before == here else [before, here]
        elif piece:
            yield [*piece, here]
            piece = []
    if len(piece) > 1:
        yield piece


def level(topology: dict[str, Any], bounds: Bounds) -> dict[str, Any]:
    """Land as rings and state borders as lines, within the bounds."""
    arcs = arcs_of(topology)
    (land,) = topology["objects"]["land"]["geometries"]
    uses = Counter(
        number if number >= 0 else ~number
        for state in topology["objects"]["countries"]["geometries"]
        for ring in rings_of(state)
        for number in ring
    )
    borders = (piece for number, count in uses.items() if count > 1 for piece in clip_line(arcs[number], bounds))
    return {
        "bounds": bounds,
        "land": [rounded(part) for ring in rings_of(land) for part in on_the_map(joined(ring, arcs), bounds)],
        "borders": [rounded(border) for border in sorted(borders)],
    }


def rounded(line: Line) -> list[tuple[float, float]]:
    """The points rounded to DECIMALS, without consecutive duplicates."""
    points = [(round(x, DECIMALS), round(y, DECIMALS)) for x, y in line]
    return [point for before, point in zip([None, *points], points, strict=False) if point != before]


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the outlines from world-atlas.")
    parser.add_argument("package", type=Path, help="world-atlas-2.0.2.tgz")
    parser.add_argument("--out", type=Path, default=OUTLINES)
    options = parser.parse_args()
    packed = options.package.read_bytes()
    if (digest := hashlib.sha256(packed).hexdigest()) != PACKAGE_SHA256:
        raise SystemExit(f"{options.package} has sha256 {digest}, expected {PACKAGE_SHA256}")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        levels = []
        for name, bounds in (("countries-10m", DETAILED), ("countries-110m", WORLD)):
            member = archive.extractfile(f"package/{name}.json")
            assert member is not None
            levels.append(level(json.load(member), bounds))
    content = json.dumps(levels, separators=(",", ":")).encode()
    options.out.write_bytes(gzip.compress(content, 9, mtime=0))
    print(f"{options.out.stat().st_size:,} bytes: {options.out}")


if __name__ == "__main__":
    main()

// The map: coastlines projected once into a path, aircraft drawn on a canvas; drag, wheel and keys move it.

import { useEffect, useRef } from "preact/hooks";
import type { Topology } from "topojson-specification";
import { BANDS, bandOf, type Plane } from "./filters";
import { frameOf, normal, panned, viewOver, worldX, worldY, zoomedAt, type Frame, type Size, type View } from "./projection";
import largeMap from "../../generated/coastlines-10m.json?url";
import smallMap from "world-atlas/countries-50m.json?url";

const NEAR_PX = 14;
const STEP_PX = 80;
const RESTING_MS = 150;

const CLOSE_ZOOM = 5; // from here on, the large map shows more than the small one

/** A polygon in world coordinates, and its bounding box. */
interface Piece { path: Path2D; west: number; east: number; north: number; south: number }

const SCALES = { far: smallMap, near: largeMap };
const maps = new Map<keyof typeof SCALES, Promise<Piece[]>>();

/** Coastlines and borders; each scale is loaded once, on first use. */
function world(scale: keyof typeof SCALES): Promise<Piece[]> {
  const found = maps.get(scale) ?? load(SCALES[scale]).catch((error) => { maps.delete(scale); throw error; });
  maps.set(scale, found);
  return found;
}

async function load(address: string): Promise<Piece[]> {
  const [{ geoMercator, geoPath }, { feature }, topology] = await Promise.all([
    import("d3-geo"), import("topojson-client"), fetch(address).then((answer) => answer.json() as Promise<Topology>),
  ]);
  const projection = geoMercator().scale(1 / (2 * Math.PI)).translate([0.5, 0.5]).precision(0);
  const found = feature(topology, topology.objects.countries) as GeoJSON.FeatureCollection<GeoJSON.Polygon | GeoJSON.MultiPolygon>;
  const polygons = found.features.flatMap(({ geometry }) => (geometry === null ? [] : geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates));
  return polygons.map((coordinates) => {
    const path = new Path2D();
    const box = boxOf(coordinates.flat());
    if (box.east - box.west > 0.5) { // over the date line or a pole: to be cut there
      geoPath(projection, path as unknown as CanvasRenderingContext2D)({ type: "Polygon", coordinates } satisfies GeoJSON.Polygon);
    } else {
      for (const ring of coordinates) {
        ring.forEach(([lon, lat], index) => (index ? path.lineTo(worldX(lon), worldY(lat)) : path.moveTo(worldX(lon), worldY(lat))));
        path.closePath();
      }
    }
    return { path, ...box };
  });
}

function boxOf(places: GeoJSON.Position[]): Omit<Piece, "path"> {
  let [west, east, low, high] = [180, -180, 90, -90];
  for (const [lon, lat] of places) {
    west = Math.min(west, lon);
    east = Math.max(east, lon);
    low = Math.min(low, lat);
    high = Math.max(high, lat);
  }
  return { west: worldX(west), east: worldX(east), north: worldY(high), south: worldY(low) };
}

interface Props {
  planes: Plane[];
  selected: string | null;
  track?: [number, number][][];
  view: View | null;
  onSelect: (icao24: string | null) => void;
  onView: (view: View) => void;
}

export function FlightMap({ planes, selected, track, view, onSelect, onView }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const state = useRef({ planes, selected, track, view: view ?? null as View | null, placed: place(planes), land: {} as Land, waiting: false });
  const now = state.current;
  if (now.planes !== planes) { now.planes = planes; now.placed = place(planes); }
  now.selected = selected;
  now.track = track;
  if (view && now.view && (Math.abs(view.lon - now.view.lon) > 1e-3 || Math.abs(view.lat - now.view.lat) > 1e-3 || Math.abs(view.zoom - now.view.zoom) > 1e-3)) now.view = view;

  const resting = useRef<ReturnType<typeof setTimeout>>(undefined);
  const size = (): Size => ({ width: canvas.current!.clientWidth, height: canvas.current!.clientHeight });
  const shown = (): View => (now.view ??= viewOver(now.planes, size()));
  const want = (scale: keyof typeof SCALES): void => void world(scale).then((land) => {
    if (now.land[scale]) return;
    now.land[scale] = land;
    redraw();
  }, () => undefined); // without coastlines the aircraft are still there
  const redraw = (): void => {
    if (now.waiting) return;
    now.waiting = true;
    requestAnimationFrame(() => {
      now.waiting = false;
      if (!canvas.current) return;
      if (shown().zoom >= CLOSE_ZOOM && !now.land.near) want("near");
      draw(canvas.current, now, shown());
    });
  };
  const move = (next: View, settled: boolean): void => {
    if (next.zoom !== now.view?.zoom) {
      now.land.zooming = true;
      clearTimeout(resting.current);
      resting.current = setTimeout(() => { now.land.zooming = false; redraw(); }, RESTING_MS);
    }
    now.view = normal(next);
    redraw();
    if (settled) onView(now.view);
  };

  useEffect(redraw, [planes, selected, track, view]);
  useEffect(() => {
    const element = canvas.current!;
    want("far");
    const resized = new ResizeObserver(redraw);
    resized.observe(element);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", redraw);
    const themed = new MutationObserver(redraw);
    themed.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    const onWheel = (event: WheelEvent): void => {
      event.preventDefault();
      const { left, top } = element.getBoundingClientRect();
      move(zoomedAt(shown(), shown().zoom - event.deltaY * 0.0022, { x: event.clientX - left, y: event.clientY - top }, size()), true);
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => {
      resized.disconnect();
      themed.disconnect();
      scheme.removeEventListener("change", redraw);
      element.removeEventListener("wheel", onWheel);
    };
  }, []);

  const fingers = useRef(new Map<number, { x: number; y: number }>());
  const moved = useRef(0);
  const down = (event: PointerEvent): void => {
    canvas.current!.setPointerCapture(event.pointerId);
    fingers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
    moved.current = 0;
  };
  const drag = (event: PointerEvent): void => {
    const before = fingers.current.get(event.pointerId);
    if (!before) return;
    const others = [...fingers.current.entries()].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    fingers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
    moved.current += Math.abs(event.clientX - before.x) + Math.abs(event.clientY - before.y);
    if (others.length) {
      const { left, top } = canvas.current!.getBoundingClientRect();
      const spread = (at: { x: number; y: number }): number => Math.hypot(at.x - others[0].x, at.y - others[0].y);
      const grown = Math.log2(spread({ x: event.clientX, y: event.clientY }) / Math.max(1, spread(before)));
      move(zoomedAt(shown(), shown().zoom + grown, { x: (event.clientX + others[0].x) / 2 - left, y: (event.clientY + others[0].y) / 2 - top }, size()), false);
    } else move(panned(shown(), event.clientX - before.x, event.clientY - before.y), false);
  };
  const up = (event: PointerEvent): void => {
    if (!fingers.current.delete(event.pointerId)) return;
    if (moved.current < 5) {
      const { left, top } = canvas.current!.getBoundingClientRect();
      onSelect(nearest(now.placed, now.planes, frameOf(shown(), size()), event.clientX - left, event.clientY - top));
    } else onView(shown());
  };
  const zoomBy = (step: number): void => move(zoomedAt(shown(), shown().zoom + step, { x: size().width / 2, y: size().height / 2 }, size()), true);
  const key = (event: KeyboardEvent): void => {
    const pan: Record<string, [number, number]> = { ArrowLeft: [STEP_PX, 0], ArrowRight: [-STEP_PX, 0], ArrowUp: [0, STEP_PX], ArrowDown: [0, -STEP_PX] };
    if (pan[event.key]) move(panned(shown(), ...pan[event.key]), true);
    else if (event.key === "+" || event.key === "=") zoomBy(0.5);
    else if (event.key === "-") zoomBy(-0.5);
    else if (event.key === "Escape") onSelect(null);
    else return;
    event.preventDefault();
  };

  return (
    <div class="map">
      <canvas
        ref={canvas} tabIndex={0} role="application" aria-label={`Map of ${planes.length} aircraft. Arrow keys move it, plus and minus zoom; the table next to it lists the same aircraft.`}
        onPointerDown={down} onPointerMove={drag} onPointerUp={up} onPointerCancel={up} onKeyDown={key}
      />
      <div class="over">
        <button type="button" aria-label="Zoom in" onClick={() => zoomBy(1)}>+</button>
        <button type="button" aria-label="Zoom out" onClick={() => zoomBy(-1)}>−</button>
        <button type="button" aria-label="Show all aircraft" title="Show all aircraft" onClick={() => move(viewOver(now.planes, size()), true)}>⤢</button>
      </div>
      <div class="legend">
        {BANDS.map((band) => <span key={band.name}><svg viewBox="0 0 10 10" aria-hidden="true"><circle cx="5" cy="5" r="5" style={{ fill: `light-dark(${band.light}, ${band.dark})` }} /></svg>{band.name}</span>)}
      </div>
    </div>
  );
}

interface Placed { x: Float64Array; y: Float64Array; heading: Uint8Array; band: Uint8Array }

function place(planes: Plane[]): Placed {
  const placed: Placed = {
    x: new Float64Array(planes.length), y: new Float64Array(planes.length),
    heading: new Uint8Array(planes.length), band: new Uint8Array(planes.length),
  };
  planes.forEach((plane, index) => {
    placed.x[index] = worldX(plane.longitude);
    placed.y[index] = worldY(plane.latitude);
    placed.heading[index] = Math.round(((plane.true_track ?? 0) / 360) * HEADINGS) % HEADINGS;
    placed.band[index] = bandOf(plane);
  });
  return placed;
}

interface Land { far?: Piece[]; near?: Piece[]; ground?: Ground; zooming?: boolean }

/** The land around a view, painted once: a pan moves the picture, and a zoom stretches it until the zoom ends. */
interface Ground { image: HTMLCanvasElement; of: Piece[]; frame: Frame; width: number; height: number; ratio: number; dark: boolean }
const MARGIN = 0.3; // of the view, on each side

function stillCovers(ground: Ground | undefined, pieces: Piece[], { scale, left, top }: Frame, size: Size, ratio: number, dark: boolean, zooming = false): ground is Ground {
  if (!ground || ground.ratio !== ratio || ground.dark !== dark) return false;
  if (zooming) return true;
  if (ground.of !== pieces || ground.frame.scale !== scale) return false;
  const x = ground.frame.left - left;
  const near = x - scale * Math.round((x + (ground.width - size.width) / 2) / scale);
  const y = ground.frame.top - top;
  return near <= 0 && near + ground.width >= size.width && y <= 0 && y + ground.height >= size.height;
}

function painted(pieces: Piece[], view: Frame, size: Size, ratio: number, dark: boolean, [sea, shore, line]: string[]): Ground {
  const frame = { scale: view.scale, left: view.left - size.width * MARGIN, top: view.top - size.height * MARGIN };
  const [width, height] = [size.width * (1 + 2 * MARGIN), size.height * (1 + 2 * MARGIN)];
  const image = document.createElement("canvas");
  [image.width, image.height] = [Math.round(width * ratio), Math.round(height * ratio)];
  const context = image.getContext("2d", { alpha: false })!;
  context.fillStyle = sea;
  context.fillRect(0, 0, image.width, image.height);
  context.fillStyle = shore;
  context.strokeStyle = line;
  context.lineWidth = 0.8 / frame.scale;
  for (let turn = Math.floor(frame.left / frame.scale); turn * frame.scale - frame.left < width; turn++) { // the world goes on to the left and to the right
    const shift = turn * frame.scale - frame.left;
    context.setTransform(ratio * frame.scale, 0, 0, ratio * frame.scale, shift * ratio, -frame.top * ratio);
    const [west, east, north, south] = [-shift / frame.scale, (width - shift) / frame.scale, frame.top / frame.scale, (frame.top + height) / frame.scale];
    for (const piece of pieces) {
      if (piece.east < west || piece.west > east || piece.south < north || piece.north > south) continue;
      context.fill(piece.path);
      context.stroke(piece.path);
    }
  }
  return { image, of: pieces, frame, width, height, ratio, dark };
}

interface Drawn { planes: Plane[]; placed: Placed; selected: string | null; track?: [number, number][][]; land: Land }

function draw(canvas: HTMLCanvasElement, { planes, placed, selected, track, land }: Drawn, view: View): void {
  const ratio = devicePixelRatio || 1;
  const size = { width: canvas.clientWidth, height: canvas.clientHeight };
  if (canvas.width !== Math.round(size.width * ratio) || canvas.height !== Math.round(size.height * ratio)) {
    canvas.width = Math.round(size.width * ratio);
    canvas.height = Math.round(size.height * ratio);
  }
  const context = canvas.getContext("2d", { alpha: false })!;
  const style = getComputedStyle(canvas.parentElement!);
  const colour = (name: string): string => resolved(style, name);
  const { scale, left, top } = frameOf(view, size);
  const dark = isDark();
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = colour("--sea");
  context.fillRect(0, 0, size.width, size.height);
  const pieces = (view.zoom >= CLOSE_ZOOM ? land.near : undefined) ?? land.far;
  if (pieces) {
    if (!stillCovers(land.ground, pieces, { scale, left, top }, size, ratio, dark, land.zooming)) {
      land.ground = painted(pieces, { scale, left, top }, size, ratio, dark, [colour("--sea"), colour("--land"), colour("--shore")]);
    }
    const { image, frame, width, height } = land.ground!;
    const grown = scale / frame.scale;
    const x = frame.left * grown - left;
    const near = x - scale * Math.round((x + (width * grown - size.width) / 2) / scale); // the view may have gone around the world
    const on = (at: number): number => Math.round(at * ratio) / ratio;
    context.drawImage(image, on(near), on(frame.top * grown - top), width * grown, height * grown);
  }
  if (track) drawTrack(context, track, scale, left, top, colour("--accent"));
  const { image, cell } = arrows(view.zoom > 6 ? 1.35 : view.zoom > 4 ? 1.1 : 0.85, ratio, dark);
  const half = cell / ratio / 2;
  for (let index = 0; index < planes.length; index++) {
    let x = placed.x[index] * scale - left;
    const y = placed.y[index] * scale - top;
    if (x < -8) x += scale; else if (x > size.width + 8) x -= scale;
    if (x < -8 || x > size.width + 8 || y < -8 || y > size.height + 8) continue;
    context.drawImage(image, placed.heading[index] * cell, placed.band[index] * cell, cell, cell, x - half, y - half, 2 * half, 2 * half);
  }
  const chosen = selected === null ? -1 : planes.findIndex((plane) => plane.icao24 === selected);
  if (chosen >= 0) {
    let x = placed.x[chosen] * scale - left;
    if (x < 0) x += scale; else if (x > size.width) x -= scale;
    const y = placed.y[chosen] * scale - top;
    context.strokeStyle = colour("--text");
    context.lineWidth = 2;
    context.beginPath();
    context.arc(x, y, 13, 0, 2 * Math.PI);
    context.stroke();
    const own = new Path2D();
    const heading = ((planes[chosen].true_track ?? 0) * Math.PI) / 180;
    arrow(own, x, y, Math.cos(heading) * 1.5, Math.sin(heading) * 1.5);
    context.fillStyle = colour("--text");
    context.fill(own);
    const name = planes[chosen].callsign?.trim() || planes[chosen].icao24;
    context.font = "600 13px system-ui, sans-serif";
    const width = context.measureText(name).width;
    const at = x + 20 + width + 12 > size.width ? x - 20 - width - 12 : x + 20;
    context.fillStyle = colour("--surface");
    context.globalAlpha = 0.92;
    context.fillRect(at, y - 11, width + 12, 22);
    context.globalAlpha = 1;
    context.fillStyle = colour("--text");
    context.textBaseline = "middle";
    context.fillText(name, at + 6, y + 0.5);
  }
}

function drawTrack(context: CanvasRenderingContext2D, track: [number, number][][], scale: number, left: number, top: number, colour: string): void {
  context.strokeStyle = colour;
  context.lineWidth = 2.5;
  context.lineJoin = "round";
  for (const flight of track) {
    context.beginPath();
    let before: number | null = null;
    for (const [longitude, latitude] of flight) {
      const x = worldX(longitude) * scale - left;
      const y = worldY(latitude) * scale - top;
      if (before === null || Math.abs(x - before) > scale / 2) context.moveTo(x, y); // a line across the date line would cross the map
      else context.lineTo(x, y);
      before = x;
    }
    context.stroke();
  }
}

const HEADINGS = 72;
interface Arrows { image: HTMLCanvasElement; cell: number; name: string }
let drawn: Arrows | undefined;

/** An arrowhead for each heading (across) and altitude (down), drawn once, because copying thousands is much faster. */
function arrows(unit: number, ratio: number, dark: boolean): Arrows {
  const name = `${unit} ${ratio} ${dark}`;
  if (drawn?.name === name) return drawn;
  const cell = Math.ceil(16 * unit * ratio);
  const image = document.createElement("canvas");
  [image.width, image.height] = [cell * HEADINGS, cell * BANDS.length];
  const context = image.getContext("2d")!;
  context.scale(ratio, ratio);
  BANDS.forEach((band, row) => {
    const path = new Path2D();
    for (let column = 0; column < HEADINGS; column++) {
      const turn = (column / HEADINGS) * 2 * Math.PI;
      arrow(path, ((column + 0.5) * cell) / ratio, ((row + 0.5) * cell) / ratio, Math.cos(turn) * unit, Math.sin(turn) * unit);
    }
    context.fillStyle = dark ? band.dark : band.light;
    context.fill(path);
  });
  drawn = { image, cell, name };
  return drawn;
}

/** An arrowhead that points where the aircraft flies. */
function arrow(path: Path2D, x: number, y: number, cos: number, sin: number): void {
  path.moveTo(x + 7 * sin, y - 7 * cos);
  path.lineTo(x + 4.5 * cos - 5 * sin, y + 4.5 * sin + 5 * cos);
  path.lineTo(x - 2.5 * sin, y + 2.5 * cos);
  path.lineTo(x - 4.5 * cos - 5 * sin, y - 4.5 * sin + 5 * cos);
  path.closePath();
}

function nearest(placed: Placed, planes: Plane[], { scale, left, top }: { scale: number; left: number; top: number }, x: number, y: number): string | null {
  let best = NEAR_PX ** 2;
  let found: string | null = null;
  for (let index = 0; index < planes.length; index++) {
    const dx = ((placed.x[index] * scale - left - x + scale * 1.5) % scale) - scale / 2;
    const distance = dx ** 2 + (placed.y[index] * scale - top - y) ** 2;
    if (distance < best) { best = distance; found = planes[index].icao24; }
  }
  return found;
}

const isDark = (): boolean => {
  const chosen = document.documentElement.dataset.theme;
  return chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
};

/** A custom property as a colour for the canvas, which does not support light-dark(). */
function resolved(style: CSSStyleDeclaration, name: string): string {
  const found = /^light-dark\((.+), (.+)\)$/.exec(style.getPropertyValue(name).trim());
  return found ? found[isDark() ? 2 : 1] : style.getPropertyValue(name);
}

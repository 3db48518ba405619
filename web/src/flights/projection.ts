// Web Mercator on a square of 1 x 1: x grows to the east, y to the south.

export interface View { lon: number; lat: number; zoom: number }
export interface Size { width: number; height: number }

const MAX_LAT = 85.0511;
const TILE = 256;
const CLOSE = 6.5; // nearer, no coastline would say where this is
export const MIN_ZOOM = 0.5;
export const MAX_ZOOM = 12;

export const worldX = (lon: number): number => (lon + 180) / 360;

export function worldY(lat: number): number {
  const sine = Math.sin((Math.max(-MAX_LAT, Math.min(MAX_LAT, lat)) * Math.PI) / 180);
  return 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
}

export const lonOf = (x: number): number => x * 360 - 180;
export const latOf = (y: number): number => (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI;

/** Width of the whole world in pixels. */
export const scaleOf = (zoom: number): number => TILE * 2 ** zoom;

export interface Frame { scale: number; left: number; top: number }

/** The world's position on a canvas: pixel = world * scale - left (or top). */
export function frameOf(view: View, size: Size): Frame {
  const scale = scaleOf(view.zoom);
  return { scale, left: worldX(view.lon) * scale - size.width / 2, top: worldY(view.lat) * scale - size.height / 2 };
}

export const clampZoom = (zoom: number): number => Math.max(MIN_ZOOM, Math.min(MAX_ZOOM, zoom));

const wrap = (lon: number): number => ((((lon + 180) % 360) + 360) % 360) - 180;

export function normal(view: View): View {
  return { lon: wrap(view.lon), lat: Math.max(-MAX_LAT, Math.min(MAX_LAT, view.lat)), zoom: clampZoom(view.zoom) };
}

/** The view after a drag, in pixels. */
export function panned(view: View, dx: number, dy: number): View {
  const scale = scaleOf(view.zoom);
  const y = Math.max(0, Math.min(1, worldY(view.lat) - dy / scale));
  return normal({ lon: lonOf(worldX(view.lon) - dx / scale), lat: latOf(y), zoom: view.zoom });
}

/** The view at another zoom, with the place under a pixel fixed. */
export function zoomedAt(view: View, zoom: number, pixel: { x: number; y: number }, size: Size): View {
  const target = clampZoom(zoom);
  const before = frameOf(view, size);
  const x = (pixel.x + before.left) / before.scale;
  const y = (pixel.y + before.top) / before.scale;
  const scale = scaleOf(target);
  const center = { x: x - (pixel.x - size.width / 2) / scale, y: y - (pixel.y - size.height / 2) / scale };
  return normal({ lon: lonOf(center.x), lat: latOf(Math.max(0, Math.min(1, center.y))), zoom: target });
}

/** The view that shows all of some places, with a margin; the whole world for none. */
export function viewOver(places: { longitude: number; latitude: number }[], size: Size): View {
  if (!places.length) return { lon: 0, lat: 30, zoom: 1 };
  const xs = places.map((place) => worldX(place.longitude)).sort((a, b) => a - b);
  const ys = places.map((place) => worldY(place.latitude)).sort((a, b) => a - b);
  const at = (sorted: number[], share: number): number => sorted[Math.round((sorted.length - 1) * share)];
  const [west, east, north, south] = [at(xs, 0.02), at(xs, 0.98), at(ys, 0.02), at(ys, 0.98)];
  const span = Math.max((east - west) / size.width, (south - north) / size.height, 1e-6);
  return normal({ lon: lonOf((west + east) / 2), lat: latOf((north + south) / 2), zoom: Math.min(CLOSE, Math.log2(0.86 / (span * TILE))) });
}

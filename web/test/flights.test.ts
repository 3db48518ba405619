import assert from "node:assert/strict";
import { test } from "node:test";
import { bandOf, filterOf, passes, type Plane } from "../src/flights/filters.ts";
import { frameOf, latOf, lonOf, panned, viewOver, worldX, worldY, zoomedAt } from "../src/flights/projection.ts";

const plane = (change: Partial<Plane> = {}): Plane => ({
  icao24: "3c6444", callsign: "DLH123  ", origin_country: "Germany", latitude: 50, longitude: 8, baro_altitude_ft: 12_000,
  velocity_kt: 400, true_track: 90, vertical_rate_fpm: 0, flight_phase: "CRUISE", last_contact: 1, ...change,
});
const near = (one: number, other: number, within = 1e-6): void => assert.ok(Math.abs(one - other) < within, `${one} is not ${other}`);
const SIZE = { width: 800, height: 600 };

test("places go to the world and back", () => {
  for (const lat of [-85, -33.9, 0, 51.5, 85]) near(latOf(worldY(lat)), lat);
  for (const lon of [-180, -0.1, 179.9]) near(lonOf(worldX(lon)), lon);
  near(worldX(0), 0.5);
  near(worldY(0), 0.5);
});

test("a drag moves the place under the pointer with it", () => {
  const view = { lon: 8, lat: 50, zoom: 6 };
  const before = frameOf(view, SIZE);
  const after = frameOf(panned(view, 30, -20), SIZE);
  near(before.left - after.left, 30, 1e-3);
  near(before.top - after.top, -20, 1e-3);
});

test("zooming leaves the place under the pointer where it was", () => {
  const view = { lon: 8, lat: 50, zoom: 5 };
  const pixel = { x: 100, y: 500 };
  const place = (at: typeof view) => { const { scale, left, top } = frameOf(at, SIZE); return [(pixel.x + left) / scale, (pixel.y + top) / scale]; };
  const after = zoomedAt(view, 7, pixel, SIZE);
  near(place(view)[0], place(after)[0]);
  near(place(view)[1], place(after)[1]);
  assert.equal(after.zoom, 7);
});

test("a pan over the date line goes on at the other side", () => {
  const view = panned({ lon: 179.5, lat: 0, zoom: 3 }, -100, 0);
  assert.ok(view.lon < -120 && view.lon >= -180, String(view.lon));
});

test("the first view shows the places, and the world where there are none", () => {
  const view = viewOver([{ longitude: -10, latitude: 40 }, { longitude: 20, latitude: 55 }], SIZE);
  assert.ok(view.lon > -10 && view.lon < 20 && view.lat > 40 && view.lat < 55);
  assert.equal(viewOver([], SIZE).zoom, 1);
  assert.ok(viewOver([{ longitude: 2, latitude: 48 }], SIZE).zoom <= 6.5, "near enough for coastlines");
});

test("filters come from the address", () => {
  assert.deepEqual(filterOf({ q: "dlh", low: "1000", high: "x" }), { text: "dlh", phase: "", low: 1000, high: null });
  const only = (query: Record<string, string>) => passes(plane(), filterOf(query));
  assert.ok(only({ q: " DLH " }) && only({ q: "3c6" }) && only({ q: "germ" }) && only({ phase: "CRUISE" }) && only({ low: "12000", high: "12000" }));
  assert.ok(!only({ q: "afr" }) && !only({ phase: "CLIMB" }) && !only({ low: "12001" }) && !only({ high: "11999" }));
  assert.ok(!passes(plane({ baro_altitude_ft: null }), filterOf({ high: "50000" })), "an unknown altitude passes no altitude filter");
  assert.ok(passes(plane({ callsign: null, origin_country: null }), filterOf({ q: "3c" })));
});

test("bands of altitude", () => {
  const band = (change: Partial<Plane>) => bandOf(plane(change));
  assert.equal(band({ flight_phase: "GROUND" }), 0);
  assert.equal(band({ baro_altitude_ft: null }), 0);
  assert.equal(band({ baro_altitude_ft: -50 }), 1);
  assert.equal(band({ baro_altitude_ft: 10_000 }), 2);
  assert.equal(band({ baro_altitude_ft: 45_000 }), 3);
});

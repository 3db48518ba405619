import { useEffect, useMemo, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { api, ok, patiently, type Schemas } from "../api";
import { BANDS, bandOf, filterOf, numberOf, passes, PHASES, type Plane } from "../flights/filters";
import { FlightMap } from "../flights/map";
import type { View } from "../flights/projection";
import { Chart } from "../chart";
import { clock } from "../clock";
import { ago, bytes, duration, number, plural, time, words } from "../format";
import { useLoad, type Loaded } from "../load";
import { useNews, useSoon } from "../news";
import { query, setQuery } from "../router";
import { Bones, Card, Chip, Empty, Facts, Fault, Field, Page, Select, Show, Table, type Column } from "../ui";

const MOST = 5000;
const EVERY_MS = 30_000;
const LISTED = 200;

const columns: Column<Plane>[] = [
  { name: "Callsign", key: "callsign", sort: (plane) => plane.callsign?.trim() || null, cell: (plane) => <button type="button" class="plain" style={{ padding: "0" }} onClick={() => setQuery({ at: plane.icao24 })}>{plane.callsign?.trim() || plane.icao24}</button> },
  { name: "Altitude, ft", key: "altitude", num: true, sort: (plane) => plane.baro_altitude_ft, cell: (plane) => number(plane.baro_altitude_ft) },
  { name: "Speed, kt", key: "speed", num: true, sort: (plane) => plane.velocity_kt, cell: (plane) => number(plane.velocity_kt) },
  { name: "Phase", key: "phase", sort: (plane) => plane.flight_phase, cell: (plane) => words(plane.flight_phase) },
];

export function Live() {
  const search = query.value;
  const { snap } = search;
  const latest = useLoad(snap ? `snapshot ${snap}` : "latest", () => snap
    ? ok(api.GET("/flights/snapshots/{tracking_id}/aircraft", { params: { path: { tracking_id: snap }, query: { limit: MOST } } }))
    : ok(api.GET("/flights/latest", { params: { query: { limit: MOST } } })), snap ? undefined : EVERY_MS);
  const soon = useSoon(latest.reload);
  useNews("runs", () => { if (!snap) soon(); }); // a verdict: there may be a newer snapshot
  const before = useRef<Plane[]>([]);
  if (latest.data) before.current = latest.data.aircraft as Plane[];
  const filter = filterOf(search);
  const all = latest.data ? before.current : snap && before.current.length ? before.current : undefined; // while the slider moves, the last picture stays
  const planes = useMemo(() => (all ?? []).filter((plane) => passes(plane, filter)), [all, search.q, search.phase, search.low, search.high]);
  const selected = search.at ?? null;
  const chosen = all?.find((plane) => plane.icao24 === selected);
  const sort = search.sort ?? "callsign";
  const view = viewOf(search);
  const track = useLoad(`track ${selected ?? ""}`, async () => (selected ? await patiently((asked) => api.GET("/flights/aircraft/{icao24}/track", { params: { path: { icao24: selected }, query: { query: asked } } })) as Schemas["Track"] : null)); // GeoJSON is not requested
  const lines = useMemo(() => track.data?.flights.map((flight) => flight.points.map((point): [number, number] => [point.longitude, point.latitude])), [track.data]);
  const lead = latest.data
    ? <>{plural(latest.data.matching, "aircraft", "aircraft")} in the snapshot of {time(latest.data.time)}{snap ? "." : `, the newest that passed its checks (${ago(latest.data.time)}).`}</>
    : "Aircraft of the newest snapshot that passed its checks.";
  if (latest.error && !latest.data && !snap) {
    return (
      <Page title="Live map" lead={lead}>
        {(latest.error as { status?: number }).status === 404
          ? <Card><Empty title="No snapshot has passed validation yet"><p>Ingestion polls every five minutes. In the local cloud, <code>make demo ONLY=flights KEEP=1</code> fills the map with recorded traffic.</p><button type="button" onClick={latest.reload}>Reload</button></Empty></Card>
          : <Fault error={latest.error} again={latest.reload} />}
      </Page>
    );
  }
  return (
    <Page title="Live map" lead={lead}>
      <div class="toolbar" role="search">
        <Field grow label="Callsign, address or country" type="search" value={filter.text} onInput={(event) => setQuery({ q: event.currentTarget.value })} />
        <Select label="Phase" value={filter.phase} options={[["", "Any"], ...PHASES.map((each): [string, string] => [each, words(each)])]} onChange={(event) => setQuery({ phase: event.currentTarget.value })} />
        <Field label="Altitude from, ft" type="number" step="1000" value={search.low ?? ""} onInput={(event) => setQuery({ low: event.currentTarget.value })} />
        <Field label="Altitude to, ft" type="number" step="1000" value={search.high ?? ""} onInput={(event) => setQuery({ high: event.currentTarget.value })} />
        {(search.q || search.phase || search.low || search.high) && <button type="button" class="plain" onClick={() => setQuery({ q: null, phase: null, low: null, high: null })}>Clear</button>}
      </div>
      {latest.error !== undefined && <Fault error={latest.error} again={snap ? () => setQuery({ snap: null }) : latest.reload} />}
      <Slider at={snap} />
      <div class="live">
        {all
          ? <FlightMap planes={planes} selected={selected} track={lines} view={view} onSelect={(at) => setQuery({ at })} onView={(next) => setQuery({ lon: next.lon.toFixed(3), lat: next.lat.toFixed(3), z: next.zoom.toFixed(2) })} />
          : <div class="map" />}
        <div class="stack">
          {selected && <Details id={selected} plane={chosen} track={track} />}
          <section class="card flush">
            <p class="small quiet" style={{ padding: "10px 20px 0" }} role="status">
              {all ? `${number(planes.length)} shown${planes.length > LISTED ? `, the first ${LISTED} listed` : ""}` : "Loading"}
            </p>
            {!all ? <div style={{ padding: "20px" }}><Bones lines={12} height={24} /></div>
              : planes.length ? <div class="listing"><Listing planes={planes} selected={selected} sort={sort} /></div>
              : <Empty title="No aircraft matches"><p>Widen the altitudes, or clear the filters.</p></Empty>}
          </section>
        </div>
      </div>
    </Page>
  );
}

const PLAY_MS = 900;

/** The last day's snapshots, to step through or to play. */
function Slider({ at }: { at: string | undefined }) {
  const list = useLoad("snapshots", () => {
    const now = clock();
    return ok(api.GET("/flights/snapshots", { params: { query: { from: new Date(now - 86_400_000).toISOString(), to: new Date(now + 3_600_000).toISOString(), limit: 500 } } }));
  }, 5 * 60_000);
  const playing = useSignal(false);
  const snapshots = (list.data?.snapshots ?? []).toSorted((one, other) => one.time - other.time);
  const last = snapshots.length - 1;
  const found = at ? snapshots.findIndex((each) => each.tracking_id === at) : last;
  const index = found < 0 ? last : found;
  const show = (to: number): void => setQuery({ snap: to >= last ? null : snapshots[to].tracking_id });
  useEffect(() => {
    if (!playing.value) return;
    const timer = setTimeout(() => {
      if (index >= last) playing.value = false;
      else show(index + 1);
    }, PLAY_MS);
    return () => clearTimeout(timer);
  }, [playing.value, index, last]);
  if (last < 1) return null;
  const play = (): void => {
    if (!playing.value && index >= last) show(0);
    playing.value = !playing.value;
  };
  return (
    <div class="slider">
      <button type="button" onClick={play}>{playing.value ? "Pause" : "Play"}</button>
      <input type="range" min={0} max={last} value={index} aria-label="Snapshot of the last 24 hours" aria-valuetext={at ? time(snapshots[index].time) : "now"} onInput={(event) => { playing.value = false; show(Number(event.currentTarget.value)); }} />
      <span class="num nowrap">{time(snapshots[index].time)}</span>
      <button type="button" aria-pressed={!at} onClick={() => { playing.value = false; setQuery({ snap: null }); }}>Live</button>
    </div>
  );
}

function Listing({ planes, selected, sort }: { planes: Plane[]; selected: string | null; sort: string }) {
  const key = sort.replace(/^-/, "");
  const by = columns.find((each) => each.key === key)?.sort ?? columns[0].sort!;
  const rows = useMemo(() => sorted(planes, by, sort.startsWith("-")).slice(0, LISTED), [planes, sort]);
  return <Table label="Aircraft" rows={rows} columns={columns} id={(plane) => plane.icao24} open={(plane) => setQuery({ at: plane.icao24 })} selected={selected ?? ""} sorted={sort} onSort={(next) => setQuery({ sort: next })} />;
}

function sorted(planes: Plane[], by: NonNullable<Column<Plane>["sort"]>, down: boolean): Plane[] {
  const sign = down ? -1 : 1;
  return [...planes].sort((one, other) => {
    const [a, b] = [by(one), by(other)];
    if (a == null || b == null) return a == null ? (b == null ? 0 : 1) : -1;
    return a < b ? -sign : a > b ? sign : 0;
  });
}

const SOURCES = ["ADS-B", "ASTERIX", "MLAT", "FLARM"];

function Details({ id, plane, track }: { id: string; plane: Plane | undefined; track: Loaded<Schemas["Track"] | null> }) {
  const seen = plane as (Plane & Schemas["Aircraft"]) | undefined;
  return (
    <Card title={plane?.callsign?.trim() || id} side={<span class="row">{plane && <Chip>{BANDS[bandOf(plane)].name}</Chip>}<button type="button" class="plain" onClick={() => setQuery({ at: null })}>Close</button></span>}>
      {seen
        ? <Facts of={[
            ["Address", <code>{seen.icao24}</code>],
            ["Country", seen.origin_country],
            ["Phase", words(seen.flight_phase)],
            ["Altitude", seen.baro_altitude_ft === null ? "unknown" : `${number(seen.baro_altitude_ft)} ft${seen.geo_altitude_ft == null ? "" : `, ${number(seen.geo_altitude_ft)} ft geometric`}`],
            ["Speed", seen.velocity_kt === null ? "unknown" : `${number(seen.velocity_kt)} kt, heading ${number(seen.true_track)}°`],
            ["Climb", seen.vertical_rate_fpm === null ? "unknown" : `${number(seen.vertical_rate_fpm)} ft/min`],
            ["Position", `${seen.latitude.toFixed(3)}, ${seen.longitude.toFixed(3)}`],
            ["Squawk", seen.squawk && <code>{seen.squawk}</code>],
            ["Source", seen.position_source == null ? null : SOURCES[seen.position_source] ?? `type ${seen.position_source}`],
            ["Last heard", ago(seen.last_contact)],
          ]} />
        : <p class="quiet">Not in this snapshot. <code>{id}</code></p>}
      <h3 style={{ margin: "14px 0 6px" }}>Last 24 hours</h3>
      <Show of={track} lines={3}>
        {(found) => !found || !found.flights.length
          ? <p class="quiet">No positions on record.</p>
          : <>
              <ul class="plain stack tight">
                {found.flights.map((flight) => (
                  <li key={flight.start}><strong>{flight.callsign?.trim() || "No callsign"}</strong> {time(flight.start)}, {duration(flight.duration_s)}<br /><span class="small quiet">{number(flight.distance_nm)} nm{flight.highest_altitude_ft === null ? "" : `, up to ${number(flight.highest_altitude_ft)} ft`}, {plural(flight.points.length, "position")}</span></li>
                ))}
              </ul>
              <Profile track={found} />
              <p class="small quiet">{bytes(found.bytes_scanned)} scanned.</p>
            </>}
      </Show>
    </Card>
  );
}

function Profile({ track }: { track: Schemas["Track"] }) {
  const points = track.flights.flatMap((flight) => flight.points).sort((one, other) => one.time - other.time);
  if (points.length < 3) return null;
  return <Chart label="Altitude" height={130} times={points.map((point) => point.time)} low={0} when={time} series={[{ name: "Altitude", values: points.map((point) => point.baro_altitude_ft), text: (value) => `${number(value)} ft` }]} />;
}

function viewOf(search: Record<string, string>): View | null {
  const [lon, lat, zoom] = [numberOf(search.lon), numberOf(search.lat), numberOf(search.z)];
  return lon === null || lat === null || zoom === null ? null : { lon, lat, zoom };
}

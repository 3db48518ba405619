import { api, patiently } from "../api";
import { Chart } from "../chart";
import { clock } from "../clock";
import { bytes, date, number, time, words } from "../format";
import { useLoad } from "../load";
import { query, setQuery } from "../router";
import { Bars, Card, Empty, Page, Select, Show, Stat } from "../ui";

const BY = ["hour", "day", "country", "airline", "phase", "altitude_band"] as const;
const PERIODS: [string, string][] = [["1", "Last 24 hours"], ["3", "Last 3 days"], ["7", "Last 7 days"]];
const SHOWN = 25;
const HOUR_MS = 3_600_000;

export function Traffic() {
  const { by = "hour", days = "1" } = query.value;
  const chosen = BY.find((each) => each === by) ?? "hour";
  const found = useLoad(`traffic ${chosen} ${days}`, () => {
    const end = Math.ceil(clock() / HOUR_MS) * HOUR_MS; // whole hours: the same question is answered from the cache
    const period = { from: new Date(end - Number(days) * 24 * HOUR_MS).toISOString(), to: new Date(end).toISOString() };
    return patiently((asked) => api.GET("/flights/traffic", { params: { query: { by: chosen, query: asked, ...(asked ? {} : period) } } }));
  });
  return (
    <Page title="Traffic" lead="Number of aircraft in the air, from the whole history in Athena.">
      <div class="toolbar">
        <Select label="By" value={chosen} options={BY.map((each): [string, string] => [each, words(each)])} onChange={(event) => setQuery({ by: event.currentTarget.value })} />
        <Select label="Period" value={days} options={PERIODS} onChange={(event) => setQuery({ days: event.currentTarget.value })} />
      </div>
      <Show of={found} lines={10}>
        {(traffic) => {
          if (!traffic.counts.length) return <Card><Empty title="No traffic in this period"><p>Choose a longer period; only snapshots that passed are counted.</p></Empty></Card>;
          const overTime = traffic.by === "hour" || traffic.by === "day";
          const rows = [...traffic.counts].sort((one, other) => (overTime ? String(one.key).localeCompare(String(other.key)) : other.aircraft - one.aircraft));
          const top = rows.reduce((best, row) => (row.aircraft > best.aircraft ? row : best), rows[0]);
          const name = (key: string | null): string => (key === null ? "Unknown" : overTime ? (traffic.by === "day" ? date(key) : time(key)) : traffic.by === "phase" || traffic.by === "altitude_band" ? words(key) : key);
          return (
            <>
              <div class="stats">
                <Stat label="Most aircraft" value={number(top.aircraft)} note={name(top.key)} />
                <Stat label="Positions" value={number(rows.reduce((sum, row) => sum + row.rows, 0))} />
                <Stat label="Scanned" value={bytes(traffic.bytes_scanned)} note="Athena bills at least 10 MB a query" />
              </div>
              <Card title={`Aircraft by ${words(traffic.by).toLowerCase()}`} note={traffic.truncated ? "The result was truncated; choose a shorter period for a complete one." : undefined}>
                {overTime && rows.length > 1
                  ? <Chart label={`Aircraft by ${traffic.by}`} height={280} times={rows.map((row) => Date.parse(row.key ?? "") / 1000)} when={traffic.by === "day" ? date : time} series={[{ name: "Aircraft", values: rows.map((row) => row.aircraft), text: (value) => number(value), bars: true }]} />
                  : <Bars rows={rows.slice(0, SHOWN).map((row) => ({ key: String(row.key), name: name(row.key), value: row.aircraft, text: number(row.aircraft) }))} />}
                {!overTime && rows.length > SHOWN && <p class="small quiet">The first {SHOWN} of {number(rows.length)}.</p>}
              </Card>
            </>
          );
        }}
      </Show>
    </Page>
  );
}


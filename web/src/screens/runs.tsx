import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { api, ok, type Schemas } from "../api";
import { Chart } from "../chart";
import { clock } from "../clock";
import { ago, bytes, date, duration, number, percent, plural, time, words } from "../format";
import { useLoad, useTask } from "../load";
import { afterNews, useNews, useSoon } from "../news";
import { href, parts, query, route, setQuery } from "../router";
import { isOperator } from "../session";
import { Action, Area, Bar, Card, Chip, Confirm, Empty, Facts, Fault, Field, Note, Page, Select, Show, SignedIn, Stat, Status, Table, tell, type Tone } from "../ui";

const EVERY_MS = 30_000;
const COLUMNS = 20;
const PAGE = 50;
type Judged = Schemas["JudgedRun"];
type Run = Schemas["RunView"];
type Check = Schemas["CheckResult"];

const toneOf = (score: number | null | undefined): Tone => (score == null ? undefined : score >= 0.9 ? "good" : score >= 0.8 ? "warn" : "bad");
const STATUSES: [string, string][] = [["", "Any"], ["VALIDATED", "Validated"], ["QUARANTINED", "Quarantined"], ["FAILED", "Failed"], ["PROCESSED", "Processed"], ["INGESTED", "Ingested"]];
const DAYS: [string, string][] = [["1", "Last 24 hours"], ["7", "Last 7 days"], ["31", "Last 31 days"]];

export function Runs() {
  const [, , id] = parts.value;
  return id ? <OneRun id={id} /> : <History />;
}

function History() {
  const { days = "1", status = "", check = "" } = query.value;
  const quality = useLoad(`quality ${days}`, () => ok(api.GET("/flights/quality", { params: { query: { days: Number(days), limit: 500 } } })), EVERY_MS);
  const soon = useSoon(quality.reload);
  useNews("runs", soon);
  return (
    <Page title="Runs and quality" lead="16 checks score each snapshot; one that fails waits in quarantine until an operator releases it."
      actions={isOperator.value && <a class="button" href={href("/flights/ingestion")}>Replay a time range</a>}>
      <div class="toolbar">
        <Select label="Period" value={days} options={DAYS} onChange={(event) => setQuery({ days: event.currentTarget.value })} />
        <Select label="Status" value={status} options={STATUSES} onChange={(event) => setQuery({ status: event.currentTarget.value })} />
        {check && <button type="button" onClick={() => setQuery({ check: null })}>Failed check: {words(check)} ✕</button>}
      </div>
      <Show of={quality} lines={10}>
        {(found) => {
          if (!found.total) return <Card><Empty title="No run was scored in this period"><p>Choose a longer period. In the local cloud, <code>make demo ONLY=flights KEEP=1</code> replays recorded traffic.</p></Empty></Card>;
          const held = found.days.reduce((sum, day) => sum + day.quarantined, 0);
          return (
            <>
              <div class="stats">
                <Stat label="Scored runs" value={number(found.total)} note={found.truncated ? `the newest ${number(found.runs.length)} below` : undefined} />
                <Stat label="Mean score" value={percent(found.mean_score, 1)} tone={toneOf(found.mean_score)} />
                <Stat label="Quarantined" value={number(held)} tone={held ? "warn" : undefined} to={href("/flights/runs", { days, status: "QUARANTINED" })} />
                <Stat label="Failed checks" value={number(found.worst_checks.length)} note="of 16, in at least one run" />
              </div>
              <div class="split">
                <Heat runs={found.runs} checks={found.worst_checks.map((each) => each.check)} />
                <Card title={found.days.length > 1 ? "Score by day" : "Score by run"} note="Below 80% a snapshot goes to quarantine."><Scores found={found} /></Card>
              </div>
            </>
          );
        }}
      </Show>
      {check && quality.data
        ? <Card flush title={`Runs in which ${words(check).toLowerCase()} failed`}><Listing rows={quality.data.runs.filter((run) => run.failed_checks.includes(check))} /></Card>
        : <AllRuns days={Number(days)} status={status} />}
    </Page>
  );
}

function Scores({ found }: { found: Schemas["QualityHistory"] }) {
  const rows = found.days.length > 1
    ? found.days.map((day) => ({ at: Date.parse(day.day) / 1000, mean: day.mean_score, low: day.lowest_score })).sort((a, b) => a.at - b.at)
    : found.runs.map((run) => ({ at: run.snapshot_time, mean: run.score, low: null })).toReversed();
  const text = (value: number): string => percent(value, 1);
  return <Chart label="Quality scores" times={rows.map((row) => row.at)} low={Math.min(0.75, ...rows.map((row) => row.low ?? row.mean ?? 1))} high={1.01} when={found.days.length > 1 ? date : time}
    series={[{ name: "Mean", values: rows.map((row) => row.mean), text }, ...(found.days.length > 1 ? [{ name: "Lowest", values: rows.map((row) => row.low), text }] : [])]} />;
}

/** All runs, scored or not, a page at a time. */
function AllRuns({ days, status }: { days: number; status: string }) {
  const ask = (cursor?: number | null) => ok(api.GET("/flights/runs", { params: { query: { status: (status || undefined) as "FAILED", from: new Date(clock() - days * 86_400_000).toISOString(), limit: PAGE, cursor: cursor ?? undefined } } }));
  const connected = useNews("runs", ({ run: told }) => {
    const { tracking_id: id, snapshot_time: at, status: now } = told as Run;
    const newest = page.data?.runs[0]?.snapshot_time ?? 0;
    if (page.data && (at > newest || page.data.runs.some((each) => each.tracking_id === id))) page.set({ ...page.data, runs: afterNews(page.data.runs, told as Run, (each) => each.tracking_id, !status || now === status) });
  });
  const key = `runs ${days} ${status}`;
  const shown = useRef<{ key: string; page?: Schemas["RunPage"] }>({ key });
  const page = useLoad(key, async () => { // once for the screen and whenever the socket opens, for what was told before; often while it is cut
    const first = await ask();
    const held = shown.current.key === key ? shown.current.page : undefined;
    const last = first.runs.at(-1)?.snapshot_time ?? 0;
    const older = held?.runs.filter((each) => each.snapshot_time < last) ?? [];
    return older.length ? { runs: [...first.runs, ...older], cursor: held!.cursor } : first;
  }, connected.value ? undefined : EVERY_MS);
  shown.current = { key, page: page.data };
  const [task, run] = useTask();
  const more = (): void => void run(async () => {
    const next = await ask(page.data!.cursor);
    page.set({ runs: [...page.data!.runs, ...next.runs], cursor: next.cursor });
  });
  return (
    <Card flush title="Runs" note="Newest first; new verdicts appear automatically." side={<button type="button" class="plain" onClick={page.reload}>Refresh</button>}>
      <Show of={page} lines={10}>
        {(found) => found.runs.length
          ? <>
              <Listing rows={found.runs} />
              <div style={{ padding: "0 20px" }}><Fault error={task.value.error} again={more} /></div>
              {found.cursor !== null && <div class="pager"><span>{number(found.runs.length)} shown</span><Action label="Show more" busy="Loading…" task={task.value} onClick={more} /></div>}
            </>
          : <Empty title="No run matches">{status && <button type="button" onClick={() => setQuery({ status: null })}>Show every status</button>}</Empty>}
      </Show>
    </Card>
  );
}

/** Checks by runs: a red field links to the run in which the check failed, a name to all of its runs. */
function Heat({ runs, checks }: { runs: Judged[]; checks: string[] }) {
  const shown = runs.slice(0, COLUMNS).toReversed();
  if (!checks.length) return <Note tone="good"><p>All checks passed in every run of this period.</p></Note>;
  return (
    <Card title="Failed checks by run" note={`The last ${plural(shown.length, "run")}, the newest on the right. Choose a red field for the run, or a check for all of its runs.`}>
      <div class="scroll" tabIndex={0} role="region" aria-label="Failed checks by run">
        <table class="heat">
          <tbody>
            {checks.map((check) => (
              <tr key={check}>
                <th scope="row"><a href={href(route.value.path, { ...query.value, check })}>{words(check)}</a></th>
                {shown.map((run) => (
                  <td key={run.tracking_id}>
                    {run.failed_checks.includes(check)
                      ? <a data-tone="bad" href={href(`/flights/runs/${run.tracking_id}`)} aria-label={`${words(check)} failed at ${time(run.snapshot_time)}`} title={`${words(check)} failed at ${time(run.snapshot_time)}`} />
                      : <span title={`passed at ${time(run.snapshot_time)}`} />}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function Listing({ rows }: { rows: (Judged | Run)[] }) {
  return (
    <Table<Judged | Run> label="Runs" rows={rows} id={(run) => run.tracking_id} open={(run) => { location.hash = href(`/flights/runs/${run.tracking_id}`); }} columns={[
      { name: "Snapshot", key: "time", sort: (run) => run.snapshot_time, cell: (run) => <a class="nowrap" href={href(`/flights/runs/${run.tracking_id}`)}>{time(run.snapshot_time)}</a> },
      { name: "Status", key: "status", sort: (run) => run.status, cell: (run) => <Status of={run.status} /> },
      { name: "Score", key: "score", num: true, sort: (run) => run.score, cell: (run) => percent(run.score, 1) },
      { name: "Grade", key: "grade", sort: (run) => run.grade, cell: (run) => run.grade },
      { name: "Failed checks", key: "failed", sort: (run) => run.failed_checks?.length, cell: (run) => run.failed_checks?.length ? run.failed_checks.map(words).join(", ") : <span class="quiet">none</span> },
    ]} />
  );
}

function OneRun({ id }: { id: string }) {
  const path = { params: { path: { tracking_id: id } } };
  useNews("runs", ({ run: told }) => { if ((told as Run).tracking_id === id) run.set(told as Run); });
  const run = useLoad(`run ${id}`, () => ok(api.GET("/flights/runs/{tracking_id}", path)), EVERY_MS);
  return (
    <Page title={run.data ? `Snapshot of ${time(run.data.snapshot_time)}` : "Run"} lead={<><a href={href("/flights/runs")}>All runs</a> · <code>{id}</code></>}
      actions={run.data && <a class="button" href={href("/flights", { snap: id })}>Show on the map</a>}>
      <Show of={run} lines={10}>
        {(found) => (
          <>
            <div class="stats">
              <Stat label="Status" value={<Status of={found.status} />} note={found.updated_at ? `since ${ago(found.updated_at)}` : undefined} />
              <Stat label="Score" value={percent(found.score, 1)} tone={toneOf(found.score)} note={found.grade ? `grade ${found.grade}` : undefined} />
              <Stat label="Rows" value={number(found.rows)} note={found.rejected ? `${number(found.rejected)} rejected` : "none rejected"} />
              <Stat label="Processing" value={duration(found.processing_ms == null ? null : found.processing_ms / 1000)} note={found.validation_ms == null ? undefined : `validation ${duration(found.validation_ms / 1000)}`} />
            </div>
            {found.failure && <Note tone="bad"><p><strong>{found.failure}</strong></p><p>The event waits in the dead-letter queue, or the next one replaces it. Operators can replay the snapshot.</p></Note>}
            {isOperator.value && found.status === "QUARANTINED" && <Release id={id} done={run.reload} />}
            {found.report_key && <Report id={id} />}
            <div class="split">
              <Card title="Pipeline steps">
                <Facts of={[
                  ["Ingested", time(found.created_at)],
                  ["Raw", <span class="wrap"><code>{found.raw_key}</code> {bytes(found.bytes_raw)}</span>],
                  ["Parquet", found.processed_key && <span><code>{found.processed_key}</code> {bytes(found.bytes_parquet)}</span>],
                  ["Report", found.report_key && <code>{found.report_key}</code>],
                  ["Quarantine", found.quarantine_key && <code>{found.quarantine_key}</code>],
                  ["Released", found.released_at && time(found.released_at)],
                ]} />
              </Card>
              {isOperator.value && <Files id={id} released={!!found.released_at} />}
            </div>
            {!!found.rejected_samples?.length && (
              <Card title="Rejected rows" note="The first rejected rows, as received.">
                <pre tabIndex={0} aria-label="Rejected rows">{found.rejected_samples.map((row) => JSON.stringify(row)).join("\n")}</pre>
              </Card>
            )}
          </>
        )}
      </Show>
    </Page>
  );
}

const VERDICTS: Record<string, Tone> = { passed: "good", failed: "bad" };

function Report({ id }: { id: string }) {
  const report = useLoad(`report ${id}`, () => ok(api.GET("/flights/runs/{tracking_id}/report", { params: { path: { tracking_id: id } } })));
  return (
    <Card flush title="Report" note={report.data && `${plural(report.data.passed, "check")} passed, ${report.data.failed} failed, ${report.data.unknown} unknown. ${report.data.reasons.join("; ")}`}>
      <Show of={report} lines={16}>
        {(found) => (
          <Table<Check> label="Checks" rows={found.checks} id={(check) => check.name} columns={[
            { name: "Check", key: "name", sort: (check) => check.name, cell: (check) => <><a href={href("/flights/runs", { check: check.name, days: "31" })}>{words(check.name)}</a><Samples of={check} /></> },
            { name: "Verdict", key: "verdict", sort: (check) => check.verdict, cell: (check) => <Chip tone={VERDICTS[check.verdict]}>{check.verdict}</Chip> },
            { name: "Score", key: "score", sort: (check) => check.score, cell: (check) => check.score == null ? <span class="quiet">–</span> : <span class="row" style={{ flexWrap: "nowrap" }}><Bar share={check.score} tone={VERDICTS[check.verdict]} /><span class="num">{percent(check.score, 1)}</span></span> },
            { name: "Pass mark", key: "mark", num: true, sort: (check) => check.pass_mark, cell: (check) => percent(check.pass_mark) },
            { name: "Rows checked", key: "checked", num: true, sort: (check) => check.checked, cell: (check) => number(check.checked) },
            { name: "Failing", key: "failing", num: true, sort: (check) => check.failing, cell: (check) => number(check.failing) },
          ]} />
        )}
      </Show>
    </Card>
  );
}

function Samples({ of: { samples } }: { of: Check }) {
  if (!samples?.length) return null;
  const names = [...new Set(samples.flatMap(Object.keys))];
  return (
    <details>
      <summary class="small">{plural(samples.length, "sample row")}</summary>
      <div class="scroll" tabIndex={0} role="region" aria-label="Sample rows">
        <table class="small">
          <thead><tr>{names.map((name) => <th key={name} scope="col">{words(name)}</th>)}</tr></thead>
          <tbody>{samples.map((row, index) => <tr key={index}>{names.map((name) => <td key={name} class="nowrap">{String(row[name] ?? "–")}</td>)}</tr>)}</tbody>
        </table>
      </div>
    </details>
  );
}

function Release({ id, done }: { id: string; done: () => void }) {
  const asking = useSignal(false);
  const reason = useSignal("");
  const [task, run] = useTask();
  const release = (): void => void run(async () => {
    await ok(api.POST("/flights/runs/{tracking_id}/release", { params: { path: { tracking_id: id } }, body: { reason: reason.value } }));
    asking.value = false;
    tell("The snapshot is released and counted again.");
    done();
  });
  return (
    <Note tone="warn">
      <p class="row between"><span>This snapshot is in quarantine. Review the report, then release it with a reason.</span><button type="button" class="primary" onClick={() => { asking.value = true; }}>Release</button></p>
      <Confirm open={asking.value} title="Release this snapshot?" yes="Release" task={task.value} onYes={release} onNo={() => { asking.value = false; }}>
        <p>It moves out of quarantine, and the map and the history include it again.</p>
        <Area label="Reason" required minLength={1} maxLength={1000} hint="It stays on record with your name." value={reason.value} onInput={(event) => { reason.value = event.currentTarget.value; }} />
      </Confirm>
    </Note>
  );
}

function Files({ id, released }: { id: string; released: boolean }) {
  const path = { params: { path: { tracking_id: id } } };
  const files = useLoad(`files ${id}`, () => ok(api.GET("/flights/runs/{tracking_id}/downloads", path)));
  const record = useLoad(`release ${id} ${released}`, async () => (released ? ok(api.GET("/flights/runs/{tracking_id}/release", path)) : null));
  return (
    <Card title="For operators" note={files.data && `The links work for ${duration(files.data.expires_in)}.`}>
      {record.data && <p style={{ marginBottom: "12px" }}>Released {time(record.data.released_at)} by <code class="wrap">{record.data.released_by}</code>: {record.data.reason}</p>}
      <Show of={files} lines={2}>
        {(found) => (
          <div class="row">
            {([["Raw snapshot", found.raw], ["Parquet", found.parquet], ["Report", found.report]] as const).map(([name, file]) => file && <a key={name} class="button" href={file.url} rel="noopener" download>{name}</a>)}
          </div>
        )}
      </Show>
    </Card>
  );
}

export function Ingestion() {
  return (
    <Page title="Ingestion" lead="Today's remaining OpenSky requests, and replays of snapshots.">
      <SignedIn operators><Guard /><Replay /></SignedIn>
    </Page>
  );
}

function Guard() {
  const guard = useLoad("guard", () => ok(api.GET("/flights/guard")), EVERY_MS);
  return (
    <Show of={guard} lines={3}>
      {(found) => (
        <>
          {found.throttled_until && <Note tone="warn"><p>OpenSky throttles us until {time(found.throttled_until)}. Polls are skipped until then.</p></Note>}
          <div class="stats">
            <Stat label="Credits left today" value={number(found.credits_left)} tone={found.polls_left ? undefined : "bad"} note={`of ${number(found.daily_credits)}; ${number(found.credits_used)} used`} />
            <Stat label="Polls left" value={number(found.polls_left)} note={`${plural(found.poll_cost, "credit")} each`} tone={found.polls_left ? undefined : "bad"} />
            <Stat label="Circuit breaker" value={<Chip tone={found.breaker.state.toLowerCase() === "closed" ? "good" : "bad"}>{words(found.breaker.state)}</Chip>} note={found.breaker.retry_at ? `tries again ${time(found.breaker.retry_at)}` : plural(found.breaker.recent_failures, "recent failure")} />
          </div>
        </>
      )}
    </Show>
  );
}

function Replay() {
  const { from = "", to = "", replay: id = "" } = query.value;
  const [task, run] = useTask();
  const start = (): void => void run(async () => {
    const made = await ok(api.POST("/flights/replays", { body: { from: `${from}:00Z`, to: `${to}:00Z` } }));
    setQuery({ replay: made.replay_id });
  });
  return (
    <div class="split">
      <Card title="Replay a time range" note="Times are UTC; the maximum is 24 hours. Repeating a replay changes nothing.">
        <form class="stack" onSubmit={(event) => { event.preventDefault(); start(); }}>
          <div class="fields">
            <Field label="From" type="datetime-local" required value={from} onInput={(event) => setQuery({ from: event.currentTarget.value })} />
            <Field label="To (exclusive)" type="datetime-local" required value={to} onInput={(event) => setQuery({ to: event.currentTarget.value })} />
          </div>
          <Fault error={task.value.error} />
          <div><Action type="submit" primary label="Replay" busy="Starting…" task={task.value} /></div>
        </form>
      </Card>
      {id && <ReplayProgress key={id} id={id} />}
    </div>
  );
}

function ReplayProgress({ id }: { id: string }) {
  const finished = useSignal(false);
  const progress = useLoad(`replay ${id}`, () => ok(api.GET("/flights/replays/{replay_id}", { params: { path: { replay_id: id } } })), finished.value ? undefined : 2000);
  useEffect(() => { finished.value = progress.data?.finished ?? false; }, [progress.data?.finished]);
  return (
    <Card title="Progress" side={progress.data && <Status of={progress.data.finished ? "succeeded" : "running"} />}>
      <Show of={progress} lines={4}>
        {(found) => (
          <div class="stack" role="status">
            <Bar share={found.snapshots ? found.done / found.snapshots : 1} label={`${found.done} of ${found.snapshots} snapshots`} />
            <p>{number(found.done)} of {plural(found.snapshots, "snapshot")}: {number(found.validated)} validated, {number(found.quarantined)} in quarantine, {number(found.failed)} failed.</p>
            <p><a href={href("/flights/runs", { days: "31" })}>See the runs</a></p>
          </div>
        )}
      </Show>
    </Card>
  );
}

import { useSignal } from "@preact/signals";
import { api, ok, type Schemas } from "../api";
import { ago, bytes, duration, number, percent, plural, time, words } from "../format";
import { useLoad, useTask } from "../load";
import { href, parts, query, route, setQuery } from "../router";
import { isOperator } from "../session";
import { Action, Card, Empty, Facts, Fault, Field, Note, Page, Select, Show, SignedIn, Stat, Status, Table } from "../ui";

const EVERY_MS = 30_000;
const COLUMNS = 36;
type Judged = Schemas["Judged"];

const toneOf = (score: number | null | undefined) => (score == null ? undefined : score >= 0.9 ? "good" : score >= 0.8 ? "warn" : "bad");

export function Runs() {
  const [, , id] = parts.value;
  return id ? <Run id={id} /> : <History />;
}

function History() {
  const { days = "1", status = "", check = "" } = query.value;
  const quality = useLoad(`quality ${days}`, () => ok(api.GET("/flights/quality", { params: { query: { days: Number(days), limit: 500 } } })), EVERY_MS);
  return (
    <Page title="Runs and quality" lead="Each snapshot is judged by 16 checks; one that fails waits in quarantine until an operator releases it."
      actions={isOperator.value && <a class="button" href={href("/flights/ingestion")}>Replay a time range</a>}>
      <div class="toolbar">
        <Select label="Period" value={days} options={[["1", "Last 24 hours"], ["7", "Last 7 days"], ["31", "Last 31 days"]]} onChange={(event) => setQuery({ days: event.currentTarget.value })} />
        <Select label="Status" value={status} options={[["", "Any"], ["VALIDATED", "Validated"], ["QUARANTINED", "Quarantined"], ["FAILED", "Failed"]]} onChange={(event) => setQuery({ status: event.currentTarget.value })} />
        {check && <button type="button" onClick={() => setQuery({ check: null })}>Failed check: {words(check)} ✕</button>}
      </div>
      <Show of={quality} lines={10}>
        {(found) => {
          const rows = found.runs.filter((run) => (!status || run.status === status) && (!check || run.failed_checks.includes(check)));
          const held = found.runs.filter((run) => run.status === "QUARANTINED").length;
          return !found.runs.length
            ? <Card><Empty title="No run in this period"><p>Choose a longer period. In the local cloud, <code>make demo ONLY=flights KEEP=1</code> replays an hour of recorded traffic.</p></Empty></Card>
            : <>
                <div class="stats">
                  <Stat label="Runs" value={number(found.runs.length)} note={found.runs.length === 500 ? "the newest 500 of the period" : undefined} />
                  <Stat label="Mean score" value={percent(found.mean_score, 1)} tone={toneOf(found.mean_score)} />
                  <Stat label="In quarantine" value={number(held)} tone={held ? "warn" : undefined} />
                  <Stat label="Runs with a failed check" value={number(found.runs.filter((run) => run.failed_checks.length).length)} />
                </div>
                <Heat runs={found.runs} checks={found.worst_checks.map((each) => each.check)} />
                <Card flush title={check || status ? "Runs that match" : "Runs"} note={`${plural(rows.length, "run")}, newest first`}>
                  {rows.length
                    ? <Listing rows={rows} />
                    : <Empty title="No run matches"><button type="button" onClick={() => setQuery({ status: null, check: null })}>Clear the filters</button></Empty>}
                </Card>
              </>;
        }}
      </Show>
    </Page>
  );
}

/** Checks by runs: a red field leads to the run in which the check failed, a name to all of them. */
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

function Listing({ rows }: { rows: Judged[] }) {
  const shown = useSignal(50);
  return (
    <>
      <Table label="Runs" rows={rows.slice(0, shown.value)} id={(run) => run.tracking_id} open={(run) => { location.hash = href(`/flights/runs/${run.tracking_id}`); }} columns={[
        { name: "Snapshot", key: "time", sort: (run) => run.snapshot_time, cell: (run) => <a class="nowrap" href={href(`/flights/runs/${run.tracking_id}`)}>{time(run.snapshot_time)}</a> },
        { name: "Status", key: "status", sort: (run) => run.status, cell: (run) => <Status of={run.status} /> },
        { name: "Score", key: "score", num: true, sort: (run) => run.score, cell: (run) => percent(run.score, 1) },
        { name: "Grade", key: "grade", sort: (run) => run.grade, cell: (run) => run.grade },
        { name: "Failed checks", key: "failed", sort: (run) => run.failed_checks.length, cell: (run) => run.failed_checks.length ? run.failed_checks.map(words).join(", ") : <span class="quiet">none</span> },
      ]} />
      {rows.length > shown.value && <div class="pager"><span>{number(shown.value)} of {number(rows.length)}</span><button type="button" onClick={() => { shown.value += 100; }}>Show more</button></div>}
    </>
  );
}

function Run({ id }: { id: string }) {
  const run = useLoad(`run ${id}`, () => ok(api.GET("/flights/runs/{tracking_id}", { params: { path: { tracking_id: id } } })), EVERY_MS);
  return (
    <Page title={run.data ? `Snapshot of ${time(run.data.snapshot_time)}` : "Run"} lead={<><a href={href("/flights/runs")}>All runs</a> · <code>{id}</code></>}>
      <Show of={run} lines={10}>
        {(found) => (
          <>
            <div class="stats">
              <Stat label="Status" value={<Status of={found.status} />} note={found.updated_at ? `since ${ago(found.updated_at)}` : undefined} />
              <Stat label="Score" value={percent(found.score, 1)} tone={toneOf(found.score)} note={found.grade ? `grade ${found.grade}` : undefined} />
              <Stat label="Rows" value={number(found.rows)} note={found.rejected ? `${number(found.rejected)} rejected` : "none rejected"} />
              <Stat label="Processing" value={duration(found.processing_ms == null ? null : found.processing_ms / 1000)} note={found.validation_ms == null ? undefined : `validation ${duration(found.validation_ms / 1000)}`} />
            </div>
            <div class="split">
              <Card title="Way through the pipeline">
                <Facts of={[
                  ["Ingested", time(found.created_at)],
                  ["Raw", <span class="wrap"><code>{found.raw_key}</code> {bytes(found.bytes_raw)}</span>],
                  ["Parquet", found.processed_key && <span><code>{found.processed_key}</code> {bytes(found.bytes_parquet)}</span>],
                  ["Report", found.report_key && <code>{found.report_key}</code>],
                  ["Quarantine", found.quarantine_key && <code>{found.quarantine_key}</code>],
                  ["Alert", found.alert],
                  ["Failure", found.failure],
                  ["Released", found.released_at && `${time(found.released_at)} by ${found.released_by}: ${found.release_reason}`],
                ]} />
              </Card>
              <Card title="Failed checks">
                {found.failed_checks?.length
                  ? <ul class="stack tight indent">{found.failed_checks.map((check) => <li key={check}><a href={href("/flights/runs", { check, days: "31" })}>{words(check)}</a></li>)}</ul>
                  : <Empty title="Every check passed" />}
              </Card>
            </div>
            {!!found.rejected_samples?.length && (
              <Card title="Rejected rows" note="The first of them, as they came.">
                <pre>{found.rejected_samples.map((row) => JSON.stringify(row)).join("\n")}</pre>
              </Card>
            )}
          </>
        )}
      </Show>
    </Page>
  );
}

export function Ingestion() {
  return (
    <Page title="Ingestion" lead="Process raw snapshots again, for instance after a mended check. Doing it twice changes nothing.">
      <SignedIn operators><Replay /></SignedIn>
    </Page>
  );
}

function Replay() {
  const start = useSignal(query.peek().from ?? "");
  const end = useSignal(query.peek().to ?? "");
  const done = useSignal<Schemas["Replay"] | null>(null);
  const [task, run] = useTask();
  const replay = (): void => {
    setQuery({ from: start.value, to: end.value });
    void run(async () => {
      done.value = null;
      done.value = await ok(api.POST("/flights/replays", { body: { from: `${start.value}:00Z`, to: `${end.value}:00Z` } }));
    });
  };
  return (
    <div class="split">
      <Card title="Replay a time range" note="Times are UTC; at most 24 hours at once.">
        <form class="stack" onSubmit={(event) => { event.preventDefault(); replay(); }}>
          <div class="fields">
            <Field label="From" type="datetime-local" required value={start.value} onInput={(event) => { start.value = event.currentTarget.value; }} />
            <Field label="To (exclusive)" type="datetime-local" required value={end.value} onInput={(event) => { end.value = event.currentTarget.value; }} />
          </div>
          <Fault error={task.value.error} />
          <div><Action type="submit" primary label="Replay" busy="Starting…" task={task.value} /></div>
        </form>
        {done.value && <Note tone="good"><p role="status">{plural(done.value.snapshots, "snapshot")} will be processed again. <a href={href("/flights/runs")}>Watch the runs</a></p></Note>}
      </Card>
    </div>
  );
}


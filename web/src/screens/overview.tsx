import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { api, ok, type Schemas } from "../api";
import { config } from "../config";
import { ago, number, percent, plural, time, words } from "../format";
import { useLoad } from "../load";
import { useNews, useSoon } from "../news";
import { href, query } from "../router";
import { isOperator, person } from "../session";
import { Bars, Card, Chip, Empty, Note, Page, Show, Stat, Status, Table } from "../ui";

const EVERY_MS = 30_000;
const MOST_FAILED = 100;

export function Overview() {
  return (
    <Page title="Overview" lead={`Five workloads behind one API. Stage ${config.stage}, release ${config.release}.`}>
      {!isOperator.value && <Pipeline />}
      {isOperator.value
        ? <><Today /><RecentJobs /><div class="split"><Health /><Places /></div></>
        : <div class="split"><Places /><Ways /></div>}
    </Page>
  );
}

function Pipeline() {
  const quality = useLoad("quality", () => ok(api.GET("/flights/quality", { params: { query: { days: 1, limit: 500 } } })), EVERY_MS);
  const failed = useLoad("failed", async () => (isOperator.value ? null : ok(api.GET("/flights/runs", { params: { query: { status: "FAILED", limit: MOST_FAILED } } }))), EVERY_MS); // operators have the figure above
  const soon = useSoon(() => { quality.reload(); failed.reload(); });
  useNews("runs", soon);
  return (
    <Show of={quality} lines={3}>
      {(found) => {
        const held = found.runs.filter((run) => run.status === "QUARANTINED").length;
        const last = found.runs[0];
        return (
          <div class="stats">
            <Stat label="Flight runs, last 24 hours" value={number(found.runs.length)} note={last ? `the last ${ago(last.snapshot_time)}` : "none yet"} to={href("/flights/runs")} />
            {failed.data && <Stat label="Failed" value={`${number(failed.data.runs.length)}${failed.data.cursor === null ? "" : "+"}`} tone={failed.data.runs.length ? "bad" : undefined} note={failed.data.runs.length ? "see why" : "none failed"} to={href("/flights/runs", { status: failed.data.runs.length ? "FAILED" : null })} />}
            {!isOperator.value && <Stat label="In quarantine" value={number(held)} tone={held ? "warn" : undefined} note={held ? "waiting for review" : "nothing to review"} to={href("/flights/runs", { status: held ? "QUARANTINED" : null })} />}
            <Stat label="Mean quality" value={percent(found.mean_score, 1)} note={`over ${plural(found.runs.length, "run")}`} to={href("/flights/runs")} />
            <Stat label="Check that failed most" value={<span style={{ fontSize: "17px" }}>{found.worst_checks.length ? words(found.worst_checks[0].check) : "None"}</span>} note={found.worst_checks.length ? plural(found.worst_checks[0].failures, "run") : "all checks passed"} to={href("/flights/runs", { check: found.worst_checks[0]?.check })} />
          </div>
        );
      }}
    </Show>
  );
}

const PLACES: [string, string, string][] = [
  ["/flights", "Live map", "Aircraft of the newest validated snapshot, with filters and details"],
  ["/concerts/venues", "Venue ranking", "The most popular venues by eleven measures"],
  ["/concerts/chat", "Chat about concerts", "Ask for concerts, venues, forecasts and totals"],
  ["/money", "My money", "Your signals, persona and recommendations, each with its reason"],
  ["/photos", "From your phone", "Scan a code, take a photo, see it here"],
  ["/reference", "API reference", "Every endpoint with its schemas, to try out"],
];

function Places() {
  return (
    <Card title="Screens">
      <ul class="plain stack">
        {PLACES.map(([path, name, what]) => <li key={path}><a href={href(path)}><strong>{name}</strong></a><br /><span class="quiet">{what}</span></li>)}
      </ul>
    </Card>
  );
}

function Ways() {
  return (
    <Card title={person.value ? `Signed in as ${person.value.name}` : "More after signing in"}>
      {person.value
        ? <p class="quiet">Your own money is under My money. Operators also see dependencies, prediction jobs and the review queue.</p>
        : <>
            <p class="quiet" style={{ marginBottom: "12px" }}>Flights, concerts, photos and the reference are open to everybody. My money needs an account, and operations need an account in the group operators.</p>
            <a class="button primary" href={href("/sign-in")}>Sign in</a>
          </>}
    </Card>
  );
}

function Health() {
  const health = useLoad("health", () => ok(api.GET("/health", { params: { query: { deep: true } } })), 60_000);
  return (
    <Card title="Dependencies" side={health.data && <Status of={health.data.status} />} note="Checked just now, with a deadline of two seconds each.">
      <Show of={health} lines={8}>
        {(report) => (
          <ul class="plain stack tight">
            {Object.entries(report.dependencies ?? {}).map(([name, found]) => (
              <li key={name} class="row between"><span>{words(name)}{found.problem && <><br /><span class="small quiet">{found.problem}</span></>}</span><span class="row"><span class="quiet small num">{found.ms} ms</span><Status of={found.status} /></span></li>
            ))}
          </ul>
        )}
      </Show>
    </Card>
  );
}

/** An operator's day: each figure links to its details. */
function Today() {
  const state = useLoad("operations", () => ok(api.GET("/operations")), EVERY_MS);
  const soon = useSoon(state.reload);
  useNews("runs", soon);
  useNews("jobs", soon);
  return (
    <>
      <Show of={state} lines={3}>
        {({ alarms, dead_letters: queues, runs, jobs, credits, problems }) => {
          const ringing = alarms?.filter((alarm) => alarm.state === "ALARM").length ?? 0;
          const dead = queues?.reduce((sum, queue) => sum + queue.messages, 0) ?? 0;
          const known = (value: number | undefined, note: string, problem: string | undefined) => ({ value: number(value), note: problem ?? note });
          return (
            <div class="stats wide">
              <Stat label="Failed runs today" {...known(runs?.failed, `of ${plural(runs?.runs ?? 0, "run")}`, problems.runs)} tone={runs?.failed ? "bad" : undefined} to={href("/flights/runs", { status: "FAILED" })} />
              <Stat label="Quarantined today" {...known(runs?.quarantined, runs?.quarantined ? "waiting for review" : "nothing to review", problems.runs)} tone={runs?.quarantined ? "warn" : undefined} to={href("/flights/runs", { status: "QUARANTINED" })} />
              <Stat label="Credits left" {...known(credits?.credits_left, credits ? `of ${number(credits.daily_credits)}, for ${plural(credits.polls_left, "poll")}` : "", problems.credits)} tone={credits && !credits.polls_left ? "bad" : undefined} to={href("/flights/ingestion")} />
              <Stat label="Jobs under way" {...known(jobs?.active, `${number(jobs?.begun)} begun today`, problems.jobs)} to={href("/predictions", { state: jobs?.active ? "running" : null })} />
              <Stat label="Failed jobs today" {...known(jobs?.failed, `${number(jobs?.succeeded)} succeeded`, problems.jobs)} tone={jobs?.failed ? "bad" : undefined} to={href("/predictions", { state: "failed" })} />
              <Stat label="Alarms" {...known(alarms ? ringing : undefined, `of ${number(alarms?.length)} watched`, problems.alarms)} tone={ringing ? "bad" : undefined} to={href("/", { show: "alarms" })} />
              <Stat label="Dead letters" {...known(queues ? dead : undefined, `in ${plural(queues?.length ?? 0, "queue")}`, problems.dead_letters)} tone={dead ? "bad" : undefined} to={href("/", { show: "dead-letters" })} />
              <Stat label="Release" value={<span style={{ fontSize: "17px" }}>{config.release}</span>} note={`stage ${config.stage}`} to={href("/reference")} />
            </div>
          );
        }}
      </Show>
      <Pipeline />
      {state.data && <State of={state.data} />}
    </>
  );
}

/** Alarms and dead-letter messages, one by one. */
function State({ of: { alarms, dead_letters: queues, problems } }: { of: Schemas["Operations"] }) {
  const { show } = query.value;
  const ringing = alarms?.filter((alarm) => alarm.state === "ALARM") ?? [];
  const waiting = queues?.filter((queue) => queue.messages) ?? [];
  return (
    <div class="split">
      <Card title="Alarms" side={alarms && <Chip tone={ringing.length ? "bad" : "good"}>{ringing.length ? `${ringing.length} active` : "none active"}</Chip>}>
        {problems.alarms && <Note tone="warn"><p>{problems.alarms}</p></Note>}
        {ringing.length
          ? <ul class="plain stack tight">{ringing.map((alarm) => <li key={alarm.name}><strong>{words(alarm.name)}</strong> <span class="quiet small">since {time(alarm.since)}</span><br /><span class="small">{alarm.reason}</span></li>)}</ul>
          : alarms && <p class="quiet">{plural(alarms.length, "alarm")} watched. The runbook has a section for each.</p>}
        {alarms && <All key={`alarms ${show}`} open={show === "alarms"} rows={alarms.map((alarm) => [alarm.name, <Status of={alarm.state} />])} />}
      </Card>
      <Card title="Dead letters" side={queues && <Chip tone={waiting.length ? "bad" : "good"}>{waiting.length ? plural(waiting.reduce((sum, queue) => sum + queue.messages, 0), "message") : "none"}</Chip>}>
        {problems.dead_letters && <Note tone="warn"><p>{problems.dead_letters}</p></Note>}
        {waiting.length
          ? <ul class="plain stack tight">{waiting.map((queue) => <li key={queue.queue}><strong>{words(queue.function)}</strong>: {plural(queue.messages, "message")}<br /><span class="small quiet">Fix the cause, then run <code>make redrive FUNCTION={queue.function}</code></span></li>)}</ul>
          : queues && <p class="quiet">{plural(queues.length, "queue")}, all empty.</p>}
        {queues && <All key={`queues ${show}`} open={show === "dead-letters"} rows={queues.map((queue) => [queue.function, number(queue.messages)])} />}
      </Card>
    </div>
  );
}

/** The details of a figure; the figure's link opens and shows them. */
function All({ open, rows }: { open: boolean; rows: [string, ComponentChildren][] }) {
  const box = useRef<HTMLDetailsElement>(null);
  useEffect(() => { if (open) box.current?.scrollIntoView({ block: "nearest" }); }, []);
  return (
    <details ref={box} open={open} style={{ marginTop: "10px" }}>
      <summary>All {rows.length}</summary>
      <ul class="plain stack tight excerpt">{rows.map(([name, what]) => <li key={name} class="row between"><span>{words(name)}</span><span class="num">{what}</span></li>)}</ul>
    </details>
  );
}

function RecentJobs() {
  const jobs = useLoad("jobs", () => ok(api.GET("/predictions", { params: { query: { limit: 5 } } })), EVERY_MS);
  const soon = useSoon(jobs.reload);
  useNews("jobs", soon);
  const metrics = useLoad("metrics", () => ok(api.GET("/api/v1/operator/metrics")));
  return (
    <div class="split">
      <Card flush title="Last prediction jobs" side={<a href={href("/predictions")}>All jobs</a>}>
        <Show of={jobs}>
          {(page) => page.jobs.length
            ? <Table label="Last prediction jobs" rows={page.jobs} id={(job) => job.job_id} columns={[
                { name: "Job", key: "id", cell: (job) => <a class="mono nowrap" href={href(`/predictions/${job.job_id}`)}>{job.job_id.slice(0, 12)}</a> },
                { name: "State", key: "state", cell: (job) => <Status of={job.state} /> },
                { name: "Rows", key: "rows", num: true, cell: (job) => number(job.rows_done) },
                { name: "Started", key: "started", cell: (job) => ago(job.created_at) },
              ]} />
            : <Empty title="No jobs yet"><a href={href("/predictions/new")}>Start one</a></Empty>}
        </Show>
      </Card>
      <Card title="People" side={<a href={href("/fairness")}>Coverage and fairness</a>} note={metrics.data ? `Measured ${metrics.data.measured_at ? time(metrics.data.measured_at) : "for this page"}` : undefined}>
        <Show of={metrics}>
          {(found) => Object.keys(found.personas).length
            ? <Bars rows={Object.entries(found.personas).sort((a, b) => b[1] - a[1]).map(([name, count]) => ({ key: name, name: <a href={href("/people", { persona: name })}>{words(name)}</a>, value: count, text: number(count) }))} />
            : <Empty title="Nobody has a persona yet"><p>Personas appear after the first computed features.</p></Empty>}
        </Show>
      </Card>
    </div>
  );
}

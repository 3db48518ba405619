import { useSignal } from "@preact/signals";
import { api, ok, type Schemas } from "../api";
import { ago, bytes, duration, instant, lastPart, number, percent, plural, time } from "../format";
import { useKept, useLoad, useTask } from "../load";
import { go, href, parts } from "../router";
import { Action, Area, Bar, Card, Confirm, Empty, Facts, Fault, Field, Note, Page, Select, Show, SignedIn, Stat, Status, Table, tell } from "../ui";

type Job = Schemas["PredictionJob"];
const BUSY = new Set(["queued", "planning", "running", "completing"]);
const PAGE = 25;

export function Jobs() {
  const [, id] = parts.value;
  return id ? <OneJob id={id} /> : <AllJobs />;
}

function AllJobs() {
  return (
    <Page title="Prediction jobs" lead="A job scores every row of a table with a published model, in parts side by side." actions={<a class="button primary" href={href("/predictions/new")}>New job</a>}>
      <SignedIn operators><Listing /></SignedIn>
    </Page>
  );
}

function Listing() {
  const older = useSignal<{ jobs: Job[]; next: string | null }>({ jobs: [], next: null });
  const page = useLoad("jobs", () => ok(api.GET("/predictions", { params: { query: { limit: PAGE } } })), 5000);
  const [task, run] = useTask();
  return (
    <Show of={page} lines={8}>
      {(found) => {
        const next = older.value.jobs.length ? older.value.next : found.next ?? null;
        const jobs = [...found.jobs, ...older.value.jobs.filter((job) => !found.jobs.some((each) => each.job_id === job.job_id))];
        const more = (): void => void run(async () => {
          const fetched = await ok(api.GET("/predictions", { params: { query: { limit: PAGE, after: next } } }));
          older.value = { jobs: [...older.value.jobs, ...fetched.jobs], next: fetched.next ?? null };
        });
        if (!jobs.length) return <Card><Empty title="No jobs yet"><p>Publish a model, put a table into the data bucket, then start a job.</p><a class="button primary" href={href("/predictions/new")}>New job</a></Empty></Card>;
        return (
          <Card flush title={plural(jobs.length, "job")} note="Newest first; those under way are looked at every five seconds.">
            <Table label="Prediction jobs" rows={jobs} id={(job) => job.job_id} open={(job) => go(`/predictions/${job.job_id}`)} columns={[
              { name: "Job", key: "id", cell: (job) => <a class="mono" href={href(`/predictions/${job.job_id}`)}>{job.job_id.slice(0, 12)}</a> },
              { name: "State", key: "state", sort: (job) => job.state, cell: (job) => <Status of={job.state} /> },
              { name: "Model", key: "model", sort: (job) => lastPart(job.model_s3_uri), cell: (job) => lastPart(job.model_s3_uri) },
              { name: "Data", key: "data", sort: (job) => lastPart(job.data_s3_uri), cell: (job) => lastPart(job.data_s3_uri) },
              { name: "Progress", key: "done", cell: (job) => <Progress job={job} /> },
              { name: "Took", key: "took", num: true, sort: tookS, cell: (job) => duration(tookS(job)) },
              { name: "Started", key: "started", sort: (job) => job.created_at, cell: (job) => <span class="nowrap">{ago(job.created_at)}</span> },
            ]} />
            <div style={{ padding: "0 20px" }}><Fault error={task.value.error} again={more} /></div>
            {next && <div class="pager"><span>{number(jobs.length)} shown</span><Action label="Older jobs" task={task.value} onClick={more} /></div>}
          </Card>
        );
      }}
    </Show>
  );
}

const tookS = (job: Job): number | null => {
  const [start, end] = [instant(job.created_at), BUSY.has(job.state) ? new Date() : instant(job.updated_at)];
  return start && end ? Math.max(0, (end.getTime() - start.getTime()) / 1000) : null;
};

/** How much is done, 0 to 1; null where nobody can tell yet. */
export function shareOf(job: Pick<Job, "state" | "rows_done" | "rows_total" | "parts_done" | "parts_total">): number | null {
  if (job.state === "succeeded") return 1;
  if (job.parts_total) return (job.parts_done ?? 0) / job.parts_total;
  return job.rows_total ? (job.rows_done ?? 0) / job.rows_total : null;
}

function Progress({ job }: { job: Job }) {
  const share = shareOf(job);
  const rows = job.rows_done ? `${number(job.rows_done)} rows` : "";
  return share === null ? <span class="quiet">{rows || "–"}</span> : (
    <span class="stack tight" style={{ gap: "2px", minWidth: "110px" }}>
      <Bar share={share} tone={job.state === "failed" ? "bad" : job.state === "succeeded" ? "good" : undefined} label={`${percent(share)} done`} />
      <span class="small quiet nowrap">{rows || percent(share)}</span>
    </span>
  );
}

function OneJob({ id }: { id: string }) {
  return (
    <Page title={`Job ${id.slice(0, 12)}`} lead={<><a href={href("/predictions")}>All jobs</a> · <code>{id}</code></>}>
      <SignedIn operators><Details id={id} /></SignedIn>
    </Page>
  );
}

function Details({ id }: { id: string }) {
  const job = useLoad(`job ${id}`, () => ok(api.GET("/predictions/{job_id}", { params: { path: { job_id: id } } })), 2000);
  const [task, run] = useTask();
  const asking = useSignal(false);
  const path = { params: { path: { job_id: id } } };
  const cancel = (): void => void run(async () => {
    job.set(await ok(api.DELETE("/predictions/{job_id}", path)));
    asking.value = false;
    tell("The job is cancelled.");
  });
  const redrive = (): void => void run(async () => job.set(await ok(api.POST("/predictions/{job_id}/redrive", path))));
  return (
    <Show of={job} lines={8}>
      {(found) => {
        const share = shareOf(found);
        return (
          <>
            <div class="stats" aria-live="polite">
              <Stat label="State" value={<Status of={found.state} />} note={`since ${ago(found.updated_at)}`} />
              <Stat label="Rows scored" value={number(found.rows_done)} note={found.rows_total ? `of ${number(found.rows_total)}` : undefined} />
              <Stat label="Parts" value={found.parts_total ? `${number(found.parts_done)} of ${number(found.parts_total)}` : "–"} />
              <Stat label="Took" value={duration(tookS(found))} note={(found.attempt ?? 1) > 1 ? `attempt ${found.attempt}` : undefined} />
            </div>
            {share !== null && BUSY.has(found.state) && <Card><Bar share={share} label={`${percent(share)} done`} /></Card>}
            {found.error && <Note tone="bad"><p><strong>{found.error.message}</strong></p><p class="row between"><span>Correct the model or the data, then take the job up again: finished parts are kept. <code>{found.error.code}</code></span></p></Note>}
            <Card title="Request" side={
              <span class="row">
                {BUSY.has(found.state) && found.state !== "completing" && <button type="button" class="danger" onClick={() => { asking.value = true; }}>Cancel job</button>}
                {found.state === "failed" && <Action label="Redrive" busy="Starting…" task={task.value} onClick={redrive} />}
              </span>}>
              <Facts of={[
                ["Model", <code>{found.model_s3_uri}</code>], ["Data", <code>{found.data_s3_uri}</code>],
                ["Output", <span><code>{found.output_s3_uri}</code> {found.output_bytes != null && bytes(found.output_bytes)}</span>],
                ["Started", time(found.created_at)], ["Last change", time(found.updated_at)],
              ]} />
              {!asking.value && <Fault error={task.value.error} />}
            </Card>
            <Confirm open={asking.value} title="Cancel this job?" yes="Cancel job" danger task={task.value} onYes={cancel} onNo={() => { asking.value = false; }}>
              <p>Its output will not appear. A cancelled job cannot be taken up again.</p>
            </Confirm>
          </>
        );
      }}
    </Show>
  );
}

export function NewJob() {
  return (
    <Page title="New prediction job" lead="Score every row of a table with a published model.">
      <SignedIn operators><Form /></SignedIn>
    </Page>
  );
}

function Form() {
  const kept = useKept("omnibus-new-job", JSON.stringify({ model: "", data: "", output: "", column: "prediction", features: "", format: "" }));
  const draft = JSON.parse(kept.value) as Record<"model" | "data" | "output" | "column" | "features" | "format", string>;
  const set = (change: Partial<typeof draft>): void => { kept.value = JSON.stringify({ ...draft, ...change }); };
  const [task, run] = useTask();
  const probabilities = useSignal(false);
  const overwrite = useSignal(false);
  const token = useSignal(crypto.randomUUID());
  const submit = (): void => void run(async () => {
    const job = await ok(api.POST("/predictions", {
      body: {
        model_s3_uri: draft.model.trim(), data_s3_uri: draft.data.trim(), output_s3_uri: draft.output.trim(), prediction_column_name: draft.column.trim(),
        feature_columns: draft.features.split(/[\n,]/).map((each) => each.trim()).filter(Boolean),
        ...(draft.format ? { format: draft.format as "csv" | "parquet" } : {}),
        probabilities: probabilities.value, overwrite: overwrite.value, client_token: token.value,
      },
    }));
    token.value = crypto.randomUUID();
    go(`/predictions/${job.job_id}`);
  });
  return (
    <Card>
      <form class="stack" onSubmit={(event) => { event.preventDefault(); submit(); }}>
        <Field label="Model" required placeholder="s3://…-models-…/progression.skops" value={draft.model} hint="Its signed manifest lies beside it." onInput={(event) => set({ model: event.currentTarget.value })} />
        <Field label="Data" required placeholder="s3://…-predictions-…/input/rows.csv" value={draft.data} hint="CSV with a header, or Parquet; .gz is gzip." onInput={(event) => set({ data: event.currentTarget.value })} />
        <Field label="Output" required placeholder="s3://…-predictions-…/output/rows.csv" value={draft.output} onInput={(event) => set({ output: event.currentTarget.value })} />
        <Area label="Features" required rows={3} value={draft.features} hint="The model's features in its order, by commas or lines." onInput={(event) => set({ features: event.currentTarget.value })} />
        <div class="fields">
          <Field label="Name of the new column" required value={draft.column} onInput={(event) => set({ column: event.currentTarget.value })} />
          <Select label="Format" value={draft.format} options={[["", "By the extension"], ["csv", "CSV"], ["parquet", "Parquet"]]} onChange={(event) => set({ format: event.currentTarget.value })} />
        </div>
        <label class="check"><input type="checkbox" checked={probabilities.value} onChange={(event) => { probabilities.value = event.currentTarget.checked; }} />Add a column of probabilities for each class</label>
        <label class="check"><input type="checkbox" checked={overwrite.value} onChange={(event) => { overwrite.value = event.currentTarget.checked; }} />Replace an object that is already at the output</label>
        <Fault error={task.value.error} />
        <div><Action type="submit" primary label="Start job" busy="Starting…" task={task.value} /></div>
      </form>
    </Card>
  );
}

import { useSignal } from "@preact/signals";
import { api, ApiError, ok, type Schemas } from "../api";
import { clock } from "../clock";
import { ago, bytes, duration, instant, lastPart, money, number, percent, plural, time, words } from "../format";
import { useKept, useLoad, useTask } from "../load";
import { afterNews, useNews } from "../news";
import { nameFor, outputFor } from "../places";
import { go, href, parts, query, setQuery } from "../router";
import { Action, Bar, Card, Chip, Confirm, Empty, Facts, Fault, Field, Note, Page, Select, Show, SignedIn, Stat, Status, Table, tell } from "../ui";

type Job = Schemas["PredictionJob"];
const BUSY = new Set(["queued", "planning", "running", "completing"]);
const PAGE = 25;
const BESIDE_NEWS_MS = 30_000; // how often to look while the socket tells of changes

export function Jobs() {
  const [, id] = parts.value;
  return id ? <OneJob id={id} /> : <AllJobs />;
}

function AllJobs() {
  return (
    <Page title="Prediction jobs" lead="A job scores every row of a table with a published model, in parallel parts." actions={<a class="button primary" href={href("/predictions/new")}>New job</a>}>
      <SignedIn operators><Listing /></SignedIn>
    </Page>
  );
}

function Listing() {
  const { state = "" } = query.value;
  const older = useSignal<{ jobs: Job[]; next: string | null }>({ jobs: [], next: null });
  const ask = (after?: string | null) => ok(api.GET("/predictions", { params: { query: { limit: PAGE, state: (state || undefined) as "failed", after: after ?? undefined } } }));
  const connected = useNews("jobs", ({ job }) => { if (page.data) page.set({ ...page.data, jobs: afterNews(page.data.jobs, job as Job, (each) => each.job_id, !state || (job as Job).state === state) }); });
  const page = useLoad(`jobs ${state}`, () => ask(), connected.value ? BESIDE_NEWS_MS : 5000);
  const [task, run] = useTask();
  return (
    <Show of={page} lines={8}>
      {(found) => {
        const next = older.value.jobs.length ? older.value.next : found.next ?? null;
        const jobs = [...found.jobs, ...older.value.jobs.filter((job) => !found.jobs.some((each) => each.job_id === job.job_id))];
        const more = (): void => void run(async () => {
          const fetched = await ask(next);
          older.value = { jobs: [...older.value.jobs, ...fetched.jobs], next: fetched.next ?? null };
        });
        const filter = <div class="toolbar"><Select label="State" value={state} options={STATES} onChange={(event) => { older.value = { jobs: [], next: null }; setQuery({ state: event.currentTarget.value }); }} /></div>;
        if (!jobs.length && state) return <>{filter}<Card><Empty title="No job is in this state"><button type="button" onClick={() => setQuery({ state: null })}>Show every state</button></Empty></Card></>;
        if (!jobs.length) return <Card><Empty title="No jobs yet"><p>Publish a model, upload a table to the data bucket, then start a job.</p><a class="button primary" href={href("/predictions/new")}>New job</a></Empty></Card>;
        return (
          <>{filter}
          <Card flush title={plural(jobs.length, "job")} note={`Newest first; progress is ${connected.value ? "live" : "updated every five seconds"}.`}>
            <Table label="Prediction jobs" rows={jobs} id={(job) => job.job_id} open={(job) => go(`/predictions/${job.job_id}`)} columns={[
              { name: "Job", key: "id", cell: (job) => <a class="mono nowrap" href={href(`/predictions/${job.job_id}`)}>{job.job_id.slice(0, 12)}</a> },
              { name: "State", key: "state", sort: (job) => job.state, cell: (job) => <Status of={job.state} /> },
              { name: "Model", key: "model", sort: (job) => lastPart(job.model_s3_uri), cell: (job) => lastPart(job.model_s3_uri) },
              { name: "Data", key: "data", sort: (job) => lastPart(job.data_s3_uri), cell: (job) => lastPart(job.data_s3_uri) },
              { name: "Progress", key: "done", cell: (job) => <Progress job={job} /> },
              { name: "Took", key: "took", num: true, sort: tookS, cell: (job) => duration(tookS(job)) },
              { name: "Started", key: "started", sort: (job) => job.created_at, cell: (job) => <span class="nowrap">{ago(job.created_at)}</span> },
            ]} />
            <div style={{ padding: "0 20px" }}><Fault error={task.value.error} again={more} /></div>
            {next && <div class="pager"><span>{number(jobs.length)} shown</span><Action label="Older jobs" task={task.value} onClick={more} /></div>}
          </Card></>
        );
      }}
    </Show>
  );
}

const STATES: [string, string][] = [["", "Any"], ["running", "Running"], ["succeeded", "Succeeded"], ["failed", "Failed"], ["cancelled", "Cancelled"], ["queued", "Queued"]];

const tookS = (job: Job): number | null => {
  const [start, end] = [instant(job.created_at), BUSY.has(job.state) ? new Date(clock()) : instant(job.updated_at)];
  return start && end ? Math.max(0, (end.getTime() - start.getTime()) / 1000) : null;
};

/** Progress from 0 to 1; null if it is not known yet. */
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
  const connected = useNews("jobs", ({ job: told }) => { if ((told as Job).job_id === id) job.set(told as Job); });
  const job = useLoad(`job ${id}`, () => ok(api.GET("/predictions/{job_id}", { params: { path: { job_id: id } } })), connected.value ? BESIDE_NEWS_MS : 2000);
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
            {found.error && <Note tone="bad"><p><strong>{found.error.message}</strong></p><p class="row between"><span>Correct the model or the data, then resume the job: finished parts are kept. <code>{found.error.code}</code></span></p></Note>}
            <Card title="Request" side={
              <span class="row">
                {BUSY.has(found.state) && found.state !== "completing" && <button type="button" class="danger" onClick={() => { asking.value = true; }}>Cancel job</button>}
                {found.state === "failed" && <Action label="Redrive" busy="Starting…" task={task.value} onClick={redrive} />}
              </span>}>
              <Facts of={[
                ["Model", <code>{found.model_s3_uri}</code>], ["Data", <code>{found.data_s3_uri}</code>],
                ["Output", <span><code>{found.output_s3_uri}</code> {found.output_bytes != null && bytes(found.output_bytes)}</span>],
                ["Started", `${time(found.created_at)}${found.submitted_by ? ` by ${found.submitted_by}` : ""}`], ["Last change", time(found.updated_at)],
                ["Reused", found.reused ? "yes: the same model, data and request were scored before" : null],
              ]} />
              {!asking.value && <Fault error={task.value.error} />}
            </Card>
            {found.state === "succeeded" && <Output id={id} />}
            <Confirm open={asking.value} title="Cancel this job?" yes="Cancel job" danger task={task.value} onYes={cancel} onNo={() => { asking.value = false; }}>
              <p>It will write no output. A cancelled job cannot be resumed.</p>
            </Confirm>
          </>
        );
      }}
    </Show>
  );
}

function Output({ id }: { id: string }) {
  const output = useLoad(`output ${id}`, () => ok(api.GET("/predictions/{job_id}/output", { params: { path: { job_id: id } } })));
  return (
    <Card flush title="Output" side={output.data && <a class="button" href={output.data.url} rel="noopener" download>Download</a>} note={output.data && `${bytes(output.data.bytes)}; the link works for ${duration(output.data.expires_in)}.`}>
      <Show of={output} lines={6}>
        {({ columns, rows }) => columns?.length && rows
          ? <div class="scroll" tabIndex={0} role="region" aria-label="First rows of the output">
              <table class="small">
                <thead><tr>{columns.map((name) => <th key={name} scope="col">{name}</th>)}</tr></thead>
                <tbody>{rows.map((row, index) => <tr key={index}>{row.map((value, place) => <td key={place} class="nowrap">{value}</td>)}</tr>)}</tbody>
              </table>
            </div>
          : <Empty title="No preview of this format"><p>Download the file to view it.</p></Empty>}
      </Show>
    </Card>
  );
}

type Model = Schemas["PredictionModel"];
type Feature = Schemas["ModelFeature"];

const typeOf = (feature: Feature): string => `${feature.type ?? "number"}${feature.missing ? ", may be missing" : ""}`;

export function Models() {
  const [, , id] = parts.value;
  return id
    ? <SignedIn operators><OneModel id={id} /></SignedIn>
    : <Page title="Models" lead="Published models. Each is signed and lists its features with their types."><SignedIn operators><ModelList /></SignedIn></Page>;
}

function ModelList() {
  const ask = (after?: string) => ok(api.GET("/predictions/models", { params: { query: { limit: 50, after } } }));
  const page = useLoad("models", () => ask());
  const [task, run] = useTask();
  const more = (): void => void run(async () => {
    const next = await ask(page.data!.next ?? undefined);
    page.set({ models: [...page.data!.models, ...next.models], next: next.next });
  });
  return (
    <Show of={page} lines={8}>
      {(found) => found.models.length
        ? <Card flush>
            <Table<Model> label="Models" rows={found.models} id={(model) => model.model_id} open={(model) => go(`/predictions/models/${model.model_id}`)} columns={[
              { name: "Model", key: "name", sort: (model) => model.name, cell: (model) => <a class="wrap" href={href(`/predictions/models/${model.model_id}`)}>{model.name}</a> },
              { name: "Estimator", key: "kind", sort: (model) => model.estimator, cell: (model) => model.estimator.split(".").pop() },
              { name: "Features", key: "features", num: true, sort: (model) => model.features.length, cell: (model) => number(model.features.length) },
              { name: "Answers", key: "answers", cell: (model) => model.classes ? plural(model.classes.length, "class", "classes") : "a number" },
              { name: "Size", key: "size", num: true, sort: (model) => model.bytes, cell: (model) => bytes(model.bytes) },
              { name: "Published", key: "age", sort: (model) => model.created_at, cell: (model) => <span class="nowrap">{ago(model.created_at)}</span> },
              { name: "Use", key: "use", cell: (model) => <a class="nowrap" href={href("/predictions/new", { model: model.model_id })}>New job</a> },
            ]} />
            <div style={{ padding: "0 20px" }}><Fault error={task.value.error} again={more} /></div>
            {found.next && <div class="pager"><span>{number(found.models.length)} shown</span><Action label="Show more" busy="Loading…" task={task.value} onClick={more} /></div>}
          </Card>
        : <Card><Empty title="No model is published yet"><p>Publish one with <code>python -m infra.operate.publish_model MODEL PLACE --sample rows.csv</code>.</p></Empty></Card>}
    </Show>
  );
}

function OneModel({ id }: { id: string }) {
  const model = useLoad(`model ${id}`, () => ok(api.GET("/predictions/models/{model_id}", { params: { path: { model_id: id } } })));
  return (
    <Page title={model.data?.name ?? "Model"} lead={<a href={href("/predictions/models")}>All models</a>} actions={model.data && <a class="button primary" href={href("/predictions/new", { model: id })}>New job</a>}>
      <Show of={model} lines={10}>
        {(found) => (
          <div class="split">
            <Card title="Features" note={plural(found.features.length, "feature")}><Facts of={found.features.map((feature) => [feature.name, typeOf(feature)])} /></Card>
            <div class="stack">
              <TryRow model={found} />
              <Card title="About it">
                <Facts of={[
                  ["Estimator", found.estimator], ["Format", `${found.format}, ${bytes(found.bytes)}`], ["Classes", found.classes?.join(", ")],
                  ["Metrics", Object.entries(found.metrics).map(([name, value]) => `${words(name)} ${number(value, 3)}`).join(", ")],
                  ["Libraries", Object.entries(found.libraries).map(([name, version]) => `${name} ${version}`).join(", ")],
                  ["Published", `${time(found.created_at)}${found.published_by ? ` by ${found.published_by}` : ""}`],
                  ["Place", <code>{found.model_s3_uri}</code>], ["SHA-256", <code class="wrap">{found.sha256}</code>],
                ]} />
              </Card>
            </div>
          </div>
        )}
      </Show>
    </Page>
  );
}

/** The user's input in the feature's type; an empty input is a missing value. */
function valueFor(feature: Feature, text: string): unknown {
  if (text === "") return null;
  if (feature.type === "boolean") return text === "true";
  return isNumber(feature) ? Number(text) : text;
}

const isNumber = (feature: Feature): boolean => feature.type === undefined || feature.type === "number" || feature.type === "integer";

/** One row typed by hand, scored immediately. */
function TryRow({ model }: { model: Model }) {
  const given = useSignal<Record<string, string>>({});
  const answer = useSignal<Schemas["Preview"] | null>(null);
  const [task, run] = useTask();
  const set = (name: string, text: string): void => { given.value = { ...given.value, [name]: text }; };
  const score = (): void => void run(async () => {
    answer.value = null;
    const row = Object.fromEntries(model.features.map((feature) => [feature.name, valueFor(feature, given.value[feature.name] ?? "")]));
    answer.value = await ok(api.POST("/predictions/preview", { body: { model_s3_uri: model.model_s3_uri, dataframe_records: [row as never], probabilities: model.classes !== null } }));
  });
  return (
    <Card title="Try a row">
      <form class="stack" onSubmit={(event) => { event.preventDefault(); score(); }}>
        <div class="fields">
          {model.features.map((feature) => feature.type === "boolean"
            ? <Select key={feature.name} label={feature.name} value={given.value[feature.name] ?? ""} options={[["", "–"], ["true", "true"], ["false", "false"]]} onChange={(event) => set(feature.name, event.currentTarget.value)} />
            : <Field key={feature.name} label={feature.name} required={!feature.missing} type={isNumber(feature) ? "number" : feature.type === "date" ? "date" : "text"} step="any" value={given.value[feature.name] ?? ""} onInput={(event) => set(feature.name, event.currentTarget.value)} />)}
        </div>
        <Fault error={task.value.error} />
        <div class="row">
          <Action type="submit" label="Score" busy="Scoring…" task={task.value} />
          {answer.value && <span role="status"><span class="quiet">Answer</span> <strong style={{ fontSize: "18px" }}>{String(answer.value.predictions[0])}</strong> <span class="small quiet">{answer.value.classes?.map((each, index) => `${each} ${percent(answer.value!.probabilities?.[0][index], 1)}`).join(", ")}</span></span>}
        </div>
      </form>
    </Card>
  );
}

export function NewJob() {
  return (
    <Page title="New prediction job" lead="Score every row of a table with a published model: choose both, check them, start.">
      <SignedIn operators><Wizard /></SignedIn>
    </Page>
  );
}

interface Draft { data: string; output: string; column: string; probabilities: boolean; overwrite: boolean; fresh: boolean }
const EMPTY: Draft = { data: "", output: "", column: "prediction", probabilities: false, overwrite: false, fresh: false };
const STEPS = ["Model", "Data", "Check", "Start"];

function Wizard() {
  const kept = useKept("omnibus-new-job", JSON.stringify(EMPTY));
  const draft = JSON.parse(kept.value) as Draft;
  const checked = useSignal<Schemas["PredictionEstimate"] | null>(null);
  const token = useSignal(crypto.randomUUID());
  const [task, run] = useTask();
  const set = (change: Partial<Draft>): void => { kept.value = JSON.stringify({ ...draft, ...change }); checked.value = null; };
  const models = useLoad("models", () => ok(api.GET("/predictions/models", { params: { query: { limit: 50 } } })));
  const id = query.value.model ?? "";
  const chosen = useLoad(`model ${id}`, async () => (id ? ok(api.GET("/predictions/models/{model_id}", { params: { path: { model_id: id } } })) : null));
  const model = chosen.data ?? undefined; // it may be on no page of the list
  const output = draft.output || (model && draft.data ? outputFor(draft.data, model.name) : "");
  const step = !model ? 0 : !draft.data ? 1 : !checked.value ? 2 : 3;
  const body = () => ({
    model_s3_uri: model!.model_s3_uri, data_s3_uri: draft.data, output_s3_uri: output, prediction_column_name: draft.column.trim(), model_sha256: model!.sha256,
    feature_columns: model!.features.map((feature) => feature.name), probabilities: draft.probabilities, overwrite: draft.overwrite, fresh: draft.fresh,
  });
  const check = (): void => void run(async () => {
    checked.value = (await ok(api.POST("/predictions", { params: { query: { dry_run: true } }, body: body() }))).estimate ?? null;
  });
  const start = (): void => void run(async () => {
    const job = await ok(api.POST("/predictions", { body: { ...body(), client_token: token.value } }));
    kept.value = JSON.stringify(EMPTY);
    go(`/predictions/${job.job_id}`);
  });
  return (
    <>
      <ol class="steps" aria-label="Steps">{STEPS.map((name, index) => <li key={name} aria-current={index === step ? "step" : undefined}>{name}</li>)}</ol>
      <div class="split">
        <div class="stack">
          <Card title="Model">
            <Show of={models} lines={2}>
              {(found) => found.models.length || model
                ? <Select label="Published models" value={id} options={[["", "Choose one"], ...(model && !found.models.some((each) => each.model_id === id) ? [[id, model.name] as [string, string]] : []), ...found.models.map((each): [string, string] => [each.model_id, each.name])]} onChange={(event) => { checked.value = null; setQuery({ model: event.currentTarget.value }); }} />
                : <Empty title="No model is published yet"><a href={href("/predictions/models")}>How to publish one</a></Empty>}
            </Show>
            <Fault error={chosen.error} />
          </Card>
          <DataCard chosen={draft.data} choose={(data) => set({ data, output: "" })} />
          <Card title="Output">
            <form class="stack" onSubmit={(event) => { event.preventDefault(); if (checked.value) start(); else check(); }}>
              <Field label="Output location" required value={output} hint="In the data bucket, under output/." onInput={(event) => set({ output: event.currentTarget.value })} />
              <Field label="Name of the new column" required maxLength={128} value={draft.column} onInput={(event) => set({ column: event.currentTarget.value })} />
              {model?.classes && <label class="check"><input type="checkbox" checked={draft.probabilities} onChange={(event) => set({ probabilities: event.currentTarget.checked })} />Add a column of probabilities for each class</label>}
              <label class="check"><input type="checkbox" checked={draft.overwrite} onChange={(event) => set({ overwrite: event.currentTarget.checked })} />Replace an existing object</label>
              <label class="check"><input type="checkbox" checked={draft.fresh} onChange={(event) => set({ fresh: event.currentTarget.checked })} />Score again even if the same request was scored before</label>
              <Fault error={task.value.error} />
              <div class="row">
                <button type="submit" class="primary" disabled={step < 2 || task.value.running}>{task.value.running ? "One moment…" : checked.value ? "Start job" : "Check"}</button>
                {step < 2 && <span class="small quiet">Choose a model and data first.</span>}
              </div>
            </form>
          </Card>
        </div>
        <div class="stack">
          {checked.value && <Estimate of={checked.value} />}
          {model && <Card title="Features of the model" note={`${model.name}, ${plural(model.features.length, "feature")}`}><Facts of={model.features.map((feature) => [feature.name, typeOf(feature)])} /></Card>}
        </div>
      </div>
    </>
  );
}

function Estimate({ of: estimate }: { of: Schemas["PredictionEstimate"] }) {
  return (
    <Card title="Checked" side={<Chip tone="good">fits</Chip>}>
      <div role="status">
        <Facts of={[
          ["Rows", `${estimate.rows_are_counted ? "" : "about "}${number(estimate.rows)}`], ["Columns", number(estimate.columns)], ["Rows checked", number(estimate.rows_checked)],
          ["Estimated time", `about ${duration(estimate.seconds)}`], ["Estimated cost", `about ${money(estimate.cost_usd, "USD", 4)}`],
        ]} />
      </div>
      <h3 style={{ margin: "14px 0 6px" }}>Types as read</h3>
      <Facts of={estimate.features.map((feature) => [feature.name, typeOf(feature)])} />
    </Card>
  );
}

function DataCard({ chosen, choose }: { chosen: string; choose: (data: string) => void }) {
  const files = useLoad("data", () => ok(api.GET("/predictions/data", { params: { query: { limit: 50 } } })));
  const sent = useSignal<number | null>(null);
  const [task, run] = useTask();
  const upload = (file: File): void => void run(async () => {
    const form = await ok(api.POST("/predictions/data", { body: { name: nameFor(file.name) } }));
    if (file.size > form.max_bytes) throw new ApiError(413, "too_large", `The file has ${bytes(file.size)}; the limit is ${bytes(form.max_bytes)}.`);
    try {
      await post(form, file, (share) => { sent.value = share; });
    } finally {
      sent.value = null;
    }
    choose(form.data_s3_uri);
    files.reload();
    tell("The file is stored.");
  });
  return (
    <Card title="Data" note="CSV with a header, Parquet or JSON Lines; .gz is gzip.">
      <div class="stack">
        <Field label="Upload a file" type="file" accept=".csv,.gz,.parquet,.pq,.jsonl,.ndjson" disabled={task.value.running} onChange={(event) => { const [file] = event.currentTarget.files ?? []; if (file) upload(file); event.currentTarget.value = ""; }} />
        {sent.value !== null && <div role="status"><Bar share={sent.value} label={`${percent(sent.value)} sent`} /><p class="small quiet">{percent(sent.value)} sent</p></div>}
        <Fault error={task.value.error} />
        <Show of={files} lines={3}>
          {(found) => (
            <Select label="Or choose an existing file" value={chosen} options={[["", "Choose one"], ...(chosen && !found.files.some((file) => file.data_s3_uri === chosen) ? [[chosen, lastPart(chosen)] as [string, string]] : []), ...found.files.map((file): [string, string] => [file.data_s3_uri, `${lastPart(file.data_s3_uri)}, ${bytes(file.bytes)}, ${ago(file.modified_at)}`])]} onChange={(event) => choose(event.currentTarget.value)} />
          )}
        </Show>
        {chosen && <p class="small quiet wrap"><code>{chosen}</code></p>}
      </div>
    </Card>
  );
}

/** Send a file directly to storage; XMLHttpRequest, because fetch does not report upload progress. */
function post(form: Schemas["DataFileForm"], file: File, progress: (share: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(form.fields)) body.append(name, value);
    if (!("Content-Type" in form.fields)) body.append("Content-Type", form.content_type);
    body.append("file", file);
    const request = new XMLHttpRequest();
    request.open("POST", form.url);
    request.upload.onprogress = ({ loaded, total }) => progress(loaded / total);
    request.onload = () => (request.status < 300 ? resolve() : reject(new ApiError(request.status, "storage", "Storage refused the file.")));
    request.onerror = () => reject(new ApiError(0, "cut", "The upload was interrupted. Nothing was stored."));
    request.send(body);
  });
}

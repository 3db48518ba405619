import { Fragment } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { api, ok, type Schemas } from "../api";
import { Chart } from "../chart";
import { ago, date, duration, instant, number, percent, plural, time, words } from "../format";
import { useLoad, useTask } from "../load";
import { go, href, parts, query, setQuery } from "../router";
import { Action, Area, Bars, Card, Chip, Choices, Confirm, Empty, Facts, Fault, Field, Page, Select, Show, SignedIn, Stat, Status, Table, tell } from "../ui";
import { Import } from "./imports";
import { EvidenceList, SignalGroups, TraceCard } from "./money";

const PERSONAS: [string, string][] = [
  ["", "Any persona"], ["high_utilization", "High utilization"], ["variable_income_budgeter", "Variable income budgeter"],
  ["subscription_heavy", "Subscription-heavy"], ["savings_builder", "Savings builder"], ["general_wellness", "General wellness"],
];

export function People() {
  const [, id, , trace] = parts.value;
  if (id && trace) return <Page title="Why it was recommended" lead={<a href={href(`/people/${id}`)}>Back to the person</a>}><SignedIn operators><OneTrace user={id} id={trace} /></SignedIn></Page>;
  if (id) return <SignedIn operators><Person id={id} /></SignedIn>;
  return <Page title="People" lead="Everybody with a profile, and the insights about those who consented."><SignedIn operators><Listing /></SignedIn></Page>;
}

function Listing() {
  const { persona = "", window = "30", search = "" } = query.value;
  const ask = (cursor?: string) => ok(api.GET("/api/v1/operator/users", { params: { query: { limit: 50, search: search || undefined, persona: persona || undefined, window: Number(window) as 30, cursor } } }));
  const page = useLoad(`people ${persona} ${window} ${search}`, () => ask());
  const [task, run] = useTask();
  const more = (): void => void run(async () => {
    const next = await ask(page.data!.next_cursor ?? undefined);
    page.set({ users: [...page.data!.users, ...next.users], next_cursor: next.next_cursor });
  });
  return (
    <>
      <div class="toolbar" role="search">
        <Field grow label="Name or id" type="search" value={search} onChange={(event) => setQuery({ search: event.currentTarget.value })} />
        <Select label="Persona" value={persona} options={PERSONAS} onChange={(event) => setQuery({ persona: event.currentTarget.value })} />
        <Select label="Period" value={window} options={[["30", "30 days"], ["90", "90 days"], ["180", "180 days"]]} onChange={(event) => setQuery({ window: event.currentTarget.value })} />
      </div>
      <Show of={page} lines={12}>
        {(found) => found.users.length
          ? <Card flush>
              <Table label="People" rows={found.users} id={(user) => user.user_id} open={(user) => go(`/people/${user.user_id}`)} columns={[
                { name: "Name", key: "name", sort: (user) => user.display_name, cell: (user) => <a href={href(`/people/${user.user_id}`)}><bdi class="wrap">{user.display_name || "No name"}</bdi></a> },
                { name: "Persona", key: "persona", sort: (user) => user.persona, cell: (user) => words(user.persona) },
                { name: "Recommendations", key: "count", num: true, sort: (user) => user.recommendations, cell: (user) => number(user.recommendations) },
                { name: "Consent", key: "consent", sort: (user) => Number(user.consented), cell: (user) => <Chip tone={user.consented ? "good" : undefined}>{user.consented ? "granted" : "none"}</Chip> },
              ]} />
              <div style={{ padding: "0 20px" }}><Fault error={task.value.error} again={more} /></div>
              {found.next_cursor && <div class="pager"><span>{number(found.users.length)} shown</span><Action label="Show more" busy="Loading…" task={task.value} onClick={more} /></div>}
            </Card>
          : <Card><Empty title="Nobody matches"><p>Choose another name, persona or period.</p></Empty></Card>}
      </Show>
    </>
  );
}

function Person({ id }: { id: string }) {
  const detail = useLoad(`person ${id}`, () => ok(api.GET("/api/v1/operator/users/{user_id}", { params: { path: { user_id: id } } })));
  const signals = useLoad(`signals ${id}`, () => ok(api.GET("/api/v1/operator/users/{user_id}/signals", { params: { path: { user_id: id } } })));
  const name = detail.data?.profile.display_name || "Person";
  return (
    <Page title={name} lead={<><a href={href("/people")}>All people</a> · <code>{id}</code></>}>
      <Show of={detail} lines={10}>
        {(found) => (
          <>
            <div class="split">
              <div class="stack">
                {found.personas.length
                  ? found.personas.map((persona) => (
                      <Card key={persona.window_days} title={words(persona.persona)} side={<Chip>{persona.window_days} days</Chip>} note={`As of ${date(persona.as_of)}${persona.matched.length > 1 ? `; also ${persona.matched.filter((each) => each !== persona.persona).map(words).join(", ")}` : ""}`}>
                        <EvidenceList of={persona.evidence} />
                      </Card>
                    ))
                  : <Card><Empty title="No persona yet"><p>{found.profile.consented ? "Nothing is computed yet." : "This person has not agreed to insights."}</p></Empty></Card>}
              </div>
              <div class="stack">
                <Card title="Profile"><Facts of={[["Name", <bdi>{found.profile.display_name || "–"}</bdi>], ["Currency", found.profile.currency], ["Consent", found.profile.consented ? "granted" : "none"], ["Since", date(found.profile.created_at)]]} /></Card>
                <Import path={`/api/v1/operator/users/${id}/imports`} done={() => { detail.reload(); signals.reload(); }} />
                <Card title="Operators' actions" note="Viewing a person is recorded, too.">
                  {found.actions.length
                    ? <ul class="plain stack tight">{found.actions.slice(0, 20).map((action, index) => <li key={index}>{words(action.action)} <span class="quiet small">{ago(action.acted_at)}{action.reason && `: ${action.reason}`}</span>{action.recommendation_id && <> <a class="small" href={href(`/people/${id}/traces/${action.recommendation_id}`)}>which</a></>}</li>)}</ul>
                    : <p class="quiet">Nothing yet.</p>}
                </Card>
              </div>
            </div>
            <Recommended id={id} />
            <Show of={signals} lines={6}>
              {(all) => all.windows.length
                ? <Card title="Signals">{all.windows.map((window, index) => <details key={index} open={index === 0}><summary>{"window_days" in window ? plural(Number(window.window_days), "day") : `Window ${index + 1}`}</summary><SignalGroups signals={window} /></details>)}</Card>
                : null}
            </Show>
            <Remove id={id} name={name} />
          </>
        )}
      </Show>
    </Page>
  );
}

function Recommended({ id }: { id: string }) {
  const window = useSignal("30");
  const found = useLoad(`recommended ${id} ${window.value}`, () => ok(api.GET("/api/v1/operator/users/{user_id}/recommendations", { params: { path: { user_id: id }, query: { window: Number(window.value) as 30 } } })));
  return (
    <Card flush title="Recommendations" side={<Choices label="Period" value={window.value} options={[["30", "30 days"], ["90", "90 days"], ["180", "180 days"]]} onChange={(value) => { window.value = value; }} />}>
      <Show of={found} lines={5}>
        {({ items }) => items.length
          ? <Table<Item> label="Recommendations" rows={items} id={(item) => item.recommendation_id} columns={[
              { name: "What", key: "what", sort: (item) => item.title ?? item.item_id, cell: (item) => <><strong>{item.title ?? words(item.item_id)}</strong><br /><span class="small quiet">{item.because}</span></> },
              { name: "Kind", key: "kind", sort: (item) => item.kind, cell: (item) => words(item.kind) },
              { name: "State", key: "status", sort: (item) => item.status, cell: (item) => <Status of={item.status} /> },
              { name: "Why", key: "why", cell: (item) => <a href={href(`/people/${id}/traces/${item.recommendation_id}`)}>Trace</a> },
            ]} />
          : <Empty title="None in this period" />}
      </Show>
    </Card>
  );
}

function Remove({ id, name }: { id: string; name: string }) {
  const asking = useSignal(false);
  const [task, run] = useTask();
  const remove = (): void => void run(async () => {
    await ok(api.DELETE("/api/v1/operator/users/{user_id}", { params: { path: { user_id: id } } }));
    asking.value = false;
    tell("All data of that person is deleted.");
    go("/people");
  });
  return (
    <div>
      <button type="button" class="danger" onClick={() => { asking.value = true; }}>Delete this person's data</button>
      <Confirm open={asking.value} title={`Delete all data of ${name}?`} yes="Delete everything" danger task={task.value} onYes={remove} onNo={() => { asking.value = false; }}><p>Profile, transactions, signals and recommendations are deleted immediately and permanently.</p></Confirm>
    </div>
  );
}

function OneTrace({ user, id }: { user: string; id: string }) {
  const trace = useLoad(id, () => ok(api.GET("/api/v1/operator/users/{user_id}/traces/{recommendation_id}", { params: { path: { user_id: user, recommendation_id: id } } })));
  return <Show of={trace} lines={8}>{(found) => <><p class="quiet">{words(found.item_id)} for the last {found.window_days ?? "–"} days</p><TraceCard trace={found} /></>}</Show>;
}

type Item = Schemas["ReviewItem"];
type Verdict = "approve" | "flag" | "override";
const KEYS: Record<string, Verdict> = { a: "approve", f: "flag", o: "override" };

export function Review() {
  return <Page title="Review queue" lead="Approve, flag or override recommendations. Keys: J and K move, A approves, F flags, O overrides with a reason."><SignedIn operators><Queue /></SignedIn></Page>;
}

function Queue() {
  const { status = "active", at = "0", persona = "" } = query.value;
  const ask = (cursor?: string) => ok(api.GET("/api/v1/operator/review", { params: { query: { status: status as "active", persona: persona || undefined, limit: 50, cursor } } }));
  const page = useLoad(`review ${status} ${persona}`, () => ask());
  const [task, run] = useTask();
  const reason = useSignal<{ item: Item; text: string } | null>(null);
  const items = page.data?.items ?? [];
  const within = (to: number): number => Math.max(0, Math.min(items.length - 1, to));
  const index = within(Number(at) || 0);
  const list = useRef<HTMLUListElement>(null);
  const move = (to: number): void => {
    setQuery({ at: within(to) });
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>("[aria-current=true]")?.scrollIntoView({ block: "nearest" }));
  };
  const judge = (item: Item, action: Verdict, why?: string): void => void run(async () => {
    await ok(api.POST("/api/v1/operator/review", { body: { recommendation_id: item.recommendation_id, action, ...(why ? { reason: why } : {}) } as never }));
    page.set({ ...page.data!, items: page.data!.items.filter((each) => each.recommendation_id !== item.recommendation_id) });
    reason.value = null;
    tell(`${action === "approve" ? "Approved" : action === "flag" ? "Flagged" : "Overridden"}: ${item.title ?? words(item.item_id)}`);
  });
  const approveAll = (): void => void run(async () => {
    const ids = items.map((item) => item.recommendation_id);
    const { reviewed } = await ok(api.POST("/api/v1/operator/review/bulk", { body: { recommendation_ids: ids, action: "approve" } as never }));
    tell(`Approved: ${plural(reviewed.length, "recommendation")}`);
    page.reload();
  });
  const decide = (item: Item | undefined, action: Verdict): void => {
    if (!item || task.value.running) return;
    if (action === "override") reason.value = { item, text: "" };
    else judge(item, action);
  };
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || reason.value || (event.target as Element).closest("input, textarea, select")) return;
      const key = event.key.toLowerCase();
      const now = within(Number(query.peek().at) || 0); // keys may come faster than the screen follows
      if (key === "j") move(now + 1);
      else if (key === "k") move(now - 1);
      else if (KEYS[key]) decide(items[now], KEYS[key]);
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  });
  const more = (): void => void run(async () => {
    const next = await ask(page.data!.next_cursor ?? undefined);
    page.set({ items: [...page.data!.items, ...next.items], next_cursor: next.next_cursor });
  });
  return (
    <>
      <div class="toolbar">
        <Select label="State" value={status} options={[["active", "Not yet reviewed"], ["flagged", "Flagged"], ["approved", "Approved"], ["overridden", "Overridden"]]} onChange={(event) => setQuery({ status: event.currentTarget.value, at: null })} />
        <Select label="Persona" value={persona} options={PERSONAS} onChange={(event) => setQuery({ persona: event.currentTarget.value, at: null })} />
        {status !== "approved" && items.length > 0 && <Action label={`Approve these ${items.length}`} task={task.value} onClick={approveAll} />}
      </div>
      {!reason.value && <Fault error={task.value.error} />}
      <Show of={page} lines={10}>
        {(found) => found.items.length
          ? <>
              <ul class="plain stack tight" ref={list}>
                {found.items.map((item, place) => (
                  <li key={item.recommendation_id} class="card stack tight" aria-current={place === index} style={place === index ? { borderColor: "var(--accent)" } : undefined} onClick={() => setQuery({ at: place })}>
                    <div class="row between"><h2>{item.title ?? words(item.item_id)}</h2><span class="row"><Chip>{words(item.persona)}</Chip><Status of={item.status} /></span></div>
                    {item.summary && <p>{item.summary}</p>}
                    <p class="note-box small">{item.because}</p>
                    <div class="row between">
                      <span class="small"><a href={href(`/people/${item.user_id}`)}><bdi>{item.display_name || "The person"}</bdi></a> · <a href={href(`/people/${item.user_id}/traces/${item.recommendation_id}`)}>How it was decided</a> · {item.window_days} days</span>
                      <span class="row">
                        {item.status !== "approved" && <button type="button" onClick={() => decide(item, "approve")}>Approve</button>}
                        {item.status !== "flagged" && <button type="button" onClick={() => decide(item, "flag")}>Flag</button>}
                        {item.status !== "overridden" && <button type="button" class="danger" onClick={() => decide(item, "override")}>Override</button>}
                      </span>
                    </div>
                  </li>
                ))}
              </ul>
              {found.next_cursor && <div><Action label="Show more" busy="Loading…" task={task.value} onClick={more} /></div>}
            </>
          : <Card><Empty title="The queue is empty"><p>{status === "active" ? "Everything is reviewed." : "Nothing is in this state."}</p>{found.next_cursor && <Action label="Show more" task={task.value} onClick={more} />}</Empty></Card>}
      </Show>
      <Confirm open={!!reason.value} title="Override this recommendation?" yes="Override" danger task={task.value} onYes={() => judge(reason.value!.item, "override", reason.value!.text)} onNo={() => { reason.value = null; }}>
        <p>The person no longer sees it. The reason stays on record.</p>
        <Area label="Reason" required minLength={3} maxLength={2000} value={reason.value?.text ?? ""} onInput={(event) => { reason.value = { ...reason.value!, text: event.currentTarget.value }; }} />
      </Confirm>
    </>
  );
}

export function Fairness() {
  return <Page title="Coverage and fairness" lead="Coverage of personas, reasons and traces, and each persona's share in every group of people."><SignedIn operators><Measures /></SignedIn></Page>;
}

function Measures() {
  const metrics = useLoad("metrics", () => ok(api.GET("/api/v1/operator/metrics")));
  return (
    <Show of={metrics} lines={12}>
      {(found) => {
        const personas = Object.keys(found.personas);
        return (
          <>
            <p class="quiet">{found.measured_at ? `Measured ${time(found.measured_at)}, at the end of the last run for everybody.` : "Measured for this page, because no run has covered everybody yet."}</p>
            <div class="stats">
              <Stat label="People" value={number(found.users)} note={`${number(found.consented)} agreed`} to={href("/people")} />
              <Stat label="With a persona" value={percent(found.persona_coverage, 1)} />
              <Stat label="With three behaviours" value={percent(found.behaviour_coverage, 1)} />
              <Stat label="With a reason" value={percent(found.rationale_coverage, 1)} />
              <Stat label="With a trace" value={percent(found.trace_coverage, 1)} />
              <Stat label="Largest gap" value={percent(found.largest_gap, 1)} note="between two groups" />
            </div>
            <div class="split">
              <Card title="Personas">{personas.length ? <Bars rows={Object.entries(found.personas).sort((a, b) => b[1] - a[1]).map(([name, count]) => ({ key: name, name: <a href={href("/people", { persona: name })}>{words(name)}</a>, value: count, text: number(count) }))} /> : <Empty title="None yet" />}</Card>
              <Card title="Recommendations">{Object.keys(found.recommendations).length ? <Bars rows={Object.entries(found.recommendations).sort((a, b) => b[1] - a[1]).map(([name, count]) => ({ key: name, name: words(name), value: count, text: number(count) }))} /> : <Empty title="None yet" />}</Card>
            </div>
            <OverTime />
            <Card flush title="Fairness" note="Each persona's share in each group; groups of fewer than 30 people are not reliable.">
              <div class="scroll" tabIndex={0} role="region" aria-label="Fairness">
                <table>
                  <thead><tr><th scope="col">Group</th>{personas.map((each) => <th key={each} scope="col" class="num wraps">{words(each)}</th>)}</tr></thead>
                  <tbody>{Object.entries(found.fairness).map(([cohort, shares]) => <tr key={cohort}><th scope="row">{words(cohort)}</th>{personas.map((each) => <td key={each} class="num">{percent(shares[each] ?? 0)}</td>)}</tr>)}</tbody>
                </table>
              </div>
              {!Object.keys(found.fairness).length && <Empty title="No groups yet" />}
            </Card>
            <Card flush title="Last runs">
              {found.runs.length
                ? <Table label="Last runs" rows={found.runs} id={(run) => `${run.run_id} ${run.job}`} columns={[
                    { name: "Job", key: "job", sort: (run) => run.job, cell: (run) => <Fragment>{words(run.job)}</Fragment> },
                    { name: "As of", key: "as-of", sort: (run) => run.as_of, cell: (run) => <span class="nowrap">{date(run.as_of)}</span> },
                    { name: "Started", key: "started", sort: (run) => run.started_at, cell: (run) => <span class="nowrap">{time(run.started_at)}</span> },
                    { name: "Took", key: "took", num: true, cell: (run) => run.finished_at ? duration((instant(run.finished_at)!.getTime() - instant(run.started_at)!.getTime()) / 1000) : <Status of="running" /> },
                    { name: "People", key: "people", num: true, sort: (run) => run.users, cell: (run) => number(run.users) },
                  ]} />
                : <Empty title="No run yet" />}
            </Card>
          </>
        );
      }}
    </Show>
  );
}

const SHARES: [string, string][] = [["persona_coverage", "With a persona"], ["trace_coverage", "With a trace"], ["largest_gap", "Largest gap"]];

function OverTime() {
  const history = useLoad("metrics history", () => ok(api.GET("/api/v1/operator/metrics/history", { params: { query: { limit: 90 } } })));
  const points = (history.data?.points ?? []).toSorted((one, other) => one.measured_at.localeCompare(other.measured_at));
  if (points.length < 2) return null;
  return (
    <Card title="Over time" note="As measured after each run for everybody.">
      <Chart label="Coverage and fairness over time" height={200} low={0} high={1.02} times={points.map((point) => Date.parse(point.measured_at) / 1000)} when={time}
        series={SHARES.map(([name, text]) => ({ name: text, text: (value: number) => percent(value), values: points.map((point) => { const value = (point.figures as Record<string, unknown>)[name]; return typeof value === "number" ? value : null; }) }))} />
    </Card>
  );
}

import { useSignal } from "@preact/signals";
import { api, errorOf, ok, raw, type Schemas } from "../api";
import { Chart } from "../chart";
import { ago, cents, date, number, time, words } from "../format";
import { groupsOf, nameOfSignal, thresholdOf, valueOf } from "../signals";
import { useLoad, useTask, type Loaded } from "../load";
import { useNews, useSoon } from "../news";
import { href, parts, query, setQuery } from "../router";
import { signOut } from "../session";
import { Import } from "./imports";
import { Action, Bars, Card, Chip, Choices, Confirm, Empty, Facts, Fault, Field, Note, Page, Select, Show, SignedIn, Stat, Status, Table, tell } from "../ui";

type Insights = Schemas["Insights"];
type Profile = Schemas["Profile"];
type Evidence = Schemas["Evidence"];
type Recommendation = Schemas["RecommendationView"];

const WINDOWS: [string, string][] = [["30", "30 days"], ["90", "90 days"], ["180", "180 days"]];
const windowOf = (): 30 | 90 | 180 => (["30", "90", "180"].includes(query.value.window) ? Number(query.value.window) : 30) as 30 | 90 | 180;
const WindowChoice = () => <Choices label="Period" value={String(windowOf())} options={WINDOWS} onChange={(window) => setQuery({ window })} />;

const useProfile = (): Loaded<Profile> => useLoad("profile", () => ok(api.GET("/api/v1/users/me/profile")));

/** The person's own screens, for signed-in people with a profile. */
function Own({ children }: { children: (profile: Profile, loaded: Loaded<Profile>) => preact.ComponentChildren }) {
  return <SignedIn><WithProfile>{children}</WithProfile></SignedIn>;
}

function WithProfile({ children }: { children: (profile: Profile, loaded: Loaded<Profile>) => preact.ComponentChildren }) {
  const profile = useProfile();
  if ((profile.error as { status?: number } | undefined)?.status === 404) return <Welcome made={profile.set} />;
  return <Show of={profile} lines={8}>{(found) => <>{children(found, profile)}</>}</Show>;
}

function Welcome({ made }: { made: (profile: Profile) => void }) {
  const name = useSignal("");
  const currency = useSignal("USD");
  const [task, run] = useTask();
  const save = (): void => void run(async () => made(await ok(api.PUT("/api/v1/users/me/profile", { body: { display_name: name.value.trim(), currency: currency.value } }))));
  return (
    <Card title="Begin with a profile" note="It holds your name and the currency of all figures.">
      <form class="stack" style={{ maxWidth: "420px" }} onSubmit={(event) => { event.preventDefault(); save(); }}>
        <Field label="Your name" maxLength={200} value={name.value} onInput={(event) => { name.value = event.currentTarget.value; }} />
        <Field label="Home currency" required pattern="[A-Z]{3}" maxLength={3} value={currency.value} hint="Three letters, such as USD or EUR." onInput={(event) => { currency.value = event.currentTarget.value.toUpperCase(); }} />
        <Fault error={task.value.error} />
        <div><Action type="submit" primary label="Create profile" busy="Creating…" task={task.value} /></div>
      </form>
    </Card>
  );
}

const NoConsent = () => (
  <Card><Empty title="You have not agreed to insights"><p>Without your consent, nothing is computed from your transactions. You can withdraw it at any time.</p><a class="button primary" href={href("/money/data")}>Read and decide</a></Empty></Card>
);

export function Month() {
  return (
    <Page title="My money" lead="Insights from your transactions, and their evidence." actions={<WindowChoice />}>
      <Own>{(profile) => <Glance profile={profile} />}</Own>
    </Page>
  );
}

function Glance({ profile }: { profile: Profile }) {
  const window = windowOf();
  const insights = useLoad(`insights ${window}`, () => ok(api.GET("/api/v1/users/me/insights", { params: { query: { window } } })));
  const accounts = useLoad("accounts", () => ok(api.GET("/api/v1/users/me/accounts")));
  const soon = useSoon(insights.reload);
  useNews("me", soon); // an import or a job has moved on
  return (
    <>
      {!profile.consented && <NoConsent />}
      <Show of={accounts} lines={2}>
        {(found) => found.accounts.length
          ? <div class="stats">
              {found.accounts.map((account) => (
                <Stat key={account.account_id} label={`${account.name || words(account.subtype)}${account.mask ? ` …${account.mask}` : ""}`} value={cents(account.current_cents, account.currency)}
                  note={account.limit_cents ? `limit ${cents(account.limit_cents, account.currency)}` : words(account.subtype)} to={href("/money/transactions", { account: account.account_id })} />
              ))}
            </div>
          : <Card><Empty title="No accounts yet"><p>Import a file from your bank; accounts, transactions and liabilities then appear here.</p><a class="button primary" href={href("/money/data")}>Import a file</a></Empty></Card>}
      </Show>
      <Spent />
      {profile.consented && (
        <Show of={insights} lines={8}>
          {(found) => found.persona || Object.keys(found.signals).length
            ? <div class="split"><PersonaCard insights={found} /><Signals insights={found} /></div>
            : <Card><Empty title="Nothing is computed yet"><p>Signals appear here by themselves minutes after an import, and each night. {found.as_of ? `Last computed ${date(found.as_of)}.` : ""}</p><button type="button" onClick={insights.reload}>Look again</button></Empty></Card>}
        </Show>
      )}
      {insights.data && <p class="small quiet">{insights.data.disclosure}</p>}
    </>
  );
}

/** A year's months, and the chosen month by category; each figure links to its transactions. */
function Spent() {
  const spending = useLoad("spending", () => ok(api.GET("/api/v1/users/me/spending", { params: { query: { months: 12 } } })));
  const found = spending.data;
  if (found && !found.months.some((month) => month.spend_cents)) return null;
  const months = (found?.months ?? []).toSorted((one, other) => one.since.localeCompare(other.since));
  const chosen = months.find((month) => month.since === query.value.month) ?? months.at(-1);
  const text = (value: number): string => cents(value, found?.currency);
  return (
    <Card title="Spending by month" note="Choose a month in the chart or in the list; transfers between your own accounts are left out.">
      <Show of={spending} lines={6}>
        {({ currency }) => (
          <div class="split">
            <Chart label="Spending by month" height={190} times={months.map((month) => Date.parse(month.since) / 1000)} low={0} when={date} onPick={(index) => setQuery({ month: months[index].since })}
              series={[{ name: "Spending", bars: true, values: months.map((month) => month.spend_cents), text }]} />
            {chosen && (
              <div class="stack tight">
                <Select label="Month" value={chosen.since} options={months.toReversed().map((month): [string, string] => [month.since, `${monthOf(month.since)}: ${cents(month.spend_cents, currency)}`])} onChange={(event) => setQuery({ month: event.currentTarget.value })} />
                {chosen.categories.length
                  ? <Bars rows={[...chosen.categories].sort((one, other) => other.spend_cents - one.spend_cents).map((each) => ({ key: each.category, name: <a href={href("/money/transactions", { category: each.category, since: chosen.since, until: chosen.until, spending: "true" })}>{words(each.category)}</a>, value: Math.max(0, each.spend_cents), text: cents(each.spend_cents, currency) }))} />
                  : <p class="quiet">Nothing was spent in this month.</p>}
              </div>
            )}
          </div>
        )}
      </Show>
    </Card>
  );
}

const monthOf = (day: string): string => new Date(day).toLocaleDateString("en-US", { month: "long", year: "numeric", timeZone: "UTC" });

function PersonaCard({ insights: { persona, behaviours, as_of: asOf } }: { insights: Insights }) {
  return (
    <div class="stack">
      <Card title={persona ? persona.name : "No persona"} note={persona ? persona.focus : "There is not enough data for a persona in this period."} side={persona && <a href={href("/money/recommendations", { window: query.value.window })}>What to do</a>}>
        {persona && <>
          <h3>Because</h3>
          <EvidenceList of={persona.because} />
          {!!persona.also_matched.length && <p class="small quiet" style={{ marginTop: "10px" }}>Also matches: {persona.also_matched.map(words).join(", ")}.</p>}
        </>}
        <p class="small quiet" style={{ marginTop: "10px" }}>As of {date(asOf)}.</p>
      </Card>
      {!!behaviours.length && <Card title="What we noticed"><ul class="indent stack tight">{behaviours.map((each) => <li key={each.behaviour}>{each.text}</li>)}</ul></Card>}
    </div>
  );
}

export function EvidenceList({ of }: { of: Evidence[] }) {
  return (
    <table>
      <thead><tr><th scope="col">Signal</th><th scope="col" class="num">Value</th><th scope="col">Compared with</th></tr></thead>
      <tbody>{of.map((each) => <tr key={each.signal}><td>{nameOfSignal(each.signal)}</td><td class="num">{valueOf(each.signal, each.value)}</td><td class="quiet">{thresholdOf(each.signal, each.threshold)}</td></tr>)}</tbody>
    </table>
  );
}

export function SignalGroups({ signals }: { signals: Record<string, unknown> }) {
  return (
    <div class="topics">
      {groupsOf(signals).map((group) => (
        <div key={group.title}>
          {group.title && <h3 style={{ marginBottom: "6px" }}>{group.title}</h3>}
          <Facts of={group.rows.map(([name, value]) => [nameOfSignal(name), Array.isArray(value) ? listOf(value) : valueOf(name, value)])} />
        </div>
      ))}
    </div>
  );
}

function listOf(values: unknown[]) {
  if (!values.length) return "none";
  return <ul class="plain">{values.map((value, index) => <li key={index}>{value !== null && typeof value === "object" ? Object.entries(value).map(([name, each]) => `${nameOfSignal(name).toLowerCase()} ${valueOf(name, each)}`).join(", ") : String(value)}</li>)}</ul>;
}

const Signals = ({ insights }: { insights: Insights }) => <Card title="Signals" note={`Over ${insights.window_days} days, in ${insights.currency}.`}><SignalGroups signals={insights.signals} /></Card>;

export function Transactions() {
  return (
    <Page title="Transactions" lead="Money out is shown as spending, and money in with a plus.">
      <Own>{() => <Statement />}</Own>
    </Page>
  );
}

function Statement() {
  const { account = "", since = "", until = "", text = "", category = "", merchant = "", spending = "" } = query.value;
  const filter = { account_id: account || undefined, since: since || undefined, until: until || undefined, text: text || undefined, category: category || undefined, merchant: merchant || undefined, spending: spending === "true" ? true : undefined };
  const filtered = Object.values(filter).some((each) => each !== undefined);
  const accounts = useLoad("accounts", () => ok(api.GET("/api/v1/users/me/accounts")));
  const ask = (cursor: string | null) => ok(api.GET("/api/v1/users/me/transactions", { params: { query: { ...filter, limit: 50, cursor: cursor ?? undefined } } }));
  const page = useLoad(`transactions ${JSON.stringify(filter)}`, () => ask(null));
  const [task, run] = useTask();
  const more = (): void => void run(async () => {
    const next = await ask(page.data!.next_cursor);
    page.set({ transactions: [...page.data!.transactions, ...next.transactions], next_cursor: next.next_cursor });
  });
  return (
    <>
      <div class="toolbar">
        <Field grow label="Search" type="search" value={text} onChange={(event) => setQuery({ text: event.currentTarget.value })} />
        <Select label="Account" value={account} options={[["", "All accounts"], ...(accounts.data?.accounts ?? []).map((each): [string, string] => [each.account_id, each.name || each.account_id])]} onChange={(event) => setQuery({ account: event.currentTarget.value })} />
        <Field label="From" type="date" value={since} onChange={(event) => setQuery({ since: event.currentTarget.value })} />
        <Field label="To" type="date" value={until} onChange={(event) => setQuery({ until: event.currentTarget.value })} />
        {category && <button type="button" onClick={() => setQuery({ category: null, spending: null })}>{words(category)} ✕</button>}
        {merchant && <button type="button" onClick={() => setQuery({ merchant: null })}><bdi>{merchant}</bdi> ✕</button>}
        {filtered && <button type="button" class="plain" onClick={() => setQuery({ account: null, since: null, until: null, text: null, category: null, merchant: null, spending: null })}>Clear</button>}
      </div>
      <Show of={page} lines={12}>
        {(found) => found.transactions.length
          ? <Card flush>
              <Table label="Transactions" rows={found.transactions} id={(row) => row.transaction_id} columns={[
                { name: "Date", key: "date", sort: (row) => row.posted_on, cell: (row) => <span class="nowrap">{date(row.posted_on)}</span> },
                { name: "What", key: "name", sort: (row) => row.merchant ?? row.name, cell: (row) => <><bdi class="wrap">{row.merchant || row.name}</bdi> {row.pending && <Chip tone="busy">pending</Chip>}{row.merchant && row.merchant !== row.name && <><br /><bdi class="small quiet wrap">{row.name}</bdi></>}</> },
                { name: "Category", key: "category", sort: (row) => row.category, cell: (row) => <a href={href("/money/transactions", { category: row.category })}>{words(row.category)}</a> },
                { name: "Amount", key: "amount", num: true, sort: (row) => row.amount_cents, cell: (row) => <span class={row.amount_cents < 0 ? "text-good nowrap" : "nowrap"}>{row.amount_cents < 0 ? `+${cents(-row.amount_cents, row.currency)}` : cents(row.amount_cents, row.currency)}</span> },
              ]} />
              <div style={{ padding: "0 20px" }}><Fault error={task.value.error} again={more} /></div>
              {found.next_cursor && <div class="pager"><span>{number(found.transactions.length)} shown</span><Action label="Show more" busy="Loading…" task={task.value} onClick={more} /></div>}
            </Card>
          : <Card><Empty title="No transactions"><p>{filtered ? "None match. Choose another period, account or word." : "Import a file of your bank first."}</p>{!filtered && <a class="button primary" href={href("/money/data")}>Import a file</a>}</Empty></Card>}
      </Show>
    </>
  );
}

export function Advice() {
  const [, , id] = parts.value;
  return (
    <Page title="Recommendations" lead={id ? <a href={href("/money/recommendations", { window: query.value.window })}>All recommendations</a> : "Each explains why you see it, with your own numbers."} actions={!id && <WindowChoice />}>
      <Own>{(profile) => (id ? <Explained id={id} /> : profile.consented ? <AdviceList /> : <NoConsent />)}</Own>
    </Page>
  );
}

function AdviceList() {
  const window = windowOf();
  const found = useLoad(`advice ${window}`, () => ok(api.GET("/api/v1/users/me/recommendations", { params: { query: { window } } })));
  return (
    <Show of={found} lines={8}>
      {(set) => (
        <>
          {set.recommendations.length
            ? <ul class="plain cards">{set.recommendations.map((each) => <li key={each.recommendation_id} class="card stack tight"><Item item={each} /></li>)}</ul>
            : <Card><Empty title="No recommendations in this period"><p>They follow the computed signals, after an import and each night.</p></Empty></Card>}
          <Note><p>{set.disclosure}</p></Note>
        </>
      )}
    </Show>
  );
}

function Item({ item }: { item: Recommendation }) {
  return (
    <>
      <div class="row between"><h2>{item.title}</h2><Chip tone={item.kind === "offer" ? "busy" : undefined}>{item.kind === "offer" ? "Partner offer" : "Education"}</Chip></div>
      <p>{item.summary}</p>
      <p class="note-box small">{item.because}</p>
      <div class="row between"><Feedback id={item.recommendation_id} /><a href={href(`/money/recommendations/${item.recommendation_id}`, { window: query.value.window })}>How it was decided</a></div>
    </>
  );
}

function Feedback({ id }: { id: string }) {
  const given = useSignal<boolean | null>(null);
  const [task, run] = useTask();
  const give = (helpful: boolean): void => void run(async () => {
    await ok(api.POST("/api/v1/feedback", { body: { recommendation_id: id, helpful } }));
    given.value = helpful;
    tell("Thank you. Your feedback is saved.");
  });
  return (
    <span class="row" role="group" aria-label="Was this helpful?">
      <button type="button" aria-pressed={given.value === true} disabled={task.value.running} onClick={() => give(true)}>Helpful</button>
      <button type="button" aria-pressed={given.value === false} disabled={task.value.running} onClick={() => give(false)}>Not for me</button>
      <Fault error={task.value.error} />
    </span>
  );
}

function Explained({ id }: { id: string }) {
  const found = useLoad(id, () => ok(api.GET("/api/v1/users/me/recommendations/{recommendation_id}", { params: { path: { recommendation_id: id } } })));
  return (
    <Show of={found} lines={10}>
      {({ recommendation, trace, disclosure }) => (
        <>
          <section class="card stack tight"><Item item={recommendation} /></section>
          <TraceCard trace={trace} />
          <Note><p>{disclosure}</p></Note>
        </>
      )}
    </Show>
  );
}

export function TraceCard({ trace }: { trace: Schemas["Trace"] }) {
  return (
    <div class="split">
      <Card title="Signals that decided" side={<Status of={trace.outcome} />}>
        <EvidenceList of={trace.signals_used} />
        {!!trace.reasons.length && <ul class="indent" style={{ marginTop: "10px" }}>{trace.reasons.map((reason) => <li key={reason}>{reason}</li>)}</ul>}
      </Card>
      <Card title="Guardrails">
        <ul class="plain stack tight">{Object.entries(trace.guardrails).map(([name, held]) => <li key={name} class="row between"><span>{words(name)}</span><Chip tone={held ? "good" : "bad"}>{held ? "held" : "not held"}</Chip></li>)}</ul>
        <p class="small quiet" style={{ marginTop: "10px" }}>Decided {time(trace.created_at)} in run <code class="wrap">{trace.run_id}</code>.</p>
      </Card>
    </div>
  );
}

export function OwnData() {
  return (
    <Page title="Consent and data" lead="What may be computed from your transactions, and all data that is kept about you.">
      <Own>{(profile, loaded) => <><ConsentCard changed={loaded.reload} /><Import path="/api/v1/users/me/imports" done={loaded.reload} /><ProfileCard profile={profile} changed={loaded.set} /><ExportCard /><Erasure /></>}</Own>
    </Page>
  );
}

function ConsentCard({ changed }: { changed: () => void }) {
  const consent = useLoad("consent", () => ok(api.GET("/api/v1/users/me/consent")));
  const [task, run] = useTask();
  const asking = useSignal(false);
  const decide = (granted: boolean): void => void run(async () => {
    consent.set(await ok(api.PUT("/api/v1/users/me/consent", { body: { granted, policy_version: consent.data!.policy.policy_version } })));
    asking.value = false;
    changed();
    tell(granted ? "Thank you. Insights are computed within minutes." : "Your consent is withdrawn, and all derived data is erased.");
  });
  return (
    <Card title="Consent" side={consent.data && <Chip tone={consent.data.granted ? "good" : undefined}>{consent.data.granted ? "granted" : "not granted"}</Chip>}>
      <Show of={consent} lines={4}>
        {(found) => (
          <div class="stack">
            <h3>{found.policy.title}</h3>
            {found.policy.paragraphs.map((each) => <p key={each}>{each}</p>)}
            <Fault error={!asking.value && task.value.error} />
            <div class="row">
              {found.granted
                ? <button type="button" class="danger" onClick={() => { asking.value = true; }}>Withdraw consent</button>
                : <Action primary label="I agree" busy="Saving…" task={task.value} onClick={() => decide(true)} />}
              <span class="small quiet">Version {found.policy.policy_version}</span>
            </div>
            {!!found.history.length && <details><summary>History</summary><ul class="indent">{found.history.map((each) => <li key={each.recorded_at}>{each.granted ? "Granted" : "Withdrawn"} {time(each.recorded_at)}, policy {each.policy_version}</li>)}</ul></details>}
            <Confirm open={asking.value} title="Withdraw your consent?" yes="Withdraw consent" danger task={task.value} onYes={() => decide(false)} onNo={() => { asking.value = false; }}>
              <p>Signals, persona and recommendations are erased immediately. Running jobs skip you.</p>
            </Confirm>
          </div>
        )}
      </Show>
    </Card>
  );
}

function ProfileCard({ profile, changed }: { profile: Profile; changed: (profile: Profile) => void }) {
  const name = useSignal(profile.display_name);
  const currency = useSignal(profile.currency);
  const [task, run] = useTask();
  const save = (): void => void run(async () => {
    changed(await ok(api.PUT("/api/v1/users/me/profile", { body: { display_name: name.value.trim(), currency: currency.value } })));
    tell("Your profile is saved.");
  });
  return (
    <Card title="Profile" note={`Since ${date(profile.created_at)}, last changed ${ago(profile.updated_at)}.`}>
      <form class="fields" onSubmit={(event) => { event.preventDefault(); save(); }}>
        <Field label="Name" maxLength={200} value={name.value} onInput={(event) => { name.value = event.currentTarget.value; }} />
        <Field label="Home currency" required pattern="[A-Z]{3}" maxLength={3} value={currency.value} onInput={(event) => { currency.value = event.currentTarget.value.toUpperCase(); }} />
        <div><Action type="submit" label="Save" busy="Saving…" task={task.value} /></div>
      </form>
      <Fault error={task.value.error} />
    </Card>
  );
}

const PARTS = ["transactions", "accounts", "liabilities", "payments", "statements", "merchants", "signals", "personas", "recommendations", "traces", "feedback", "consents"] as const;
type Part = (typeof PARTS)[number];

/** All data about the person, as files. */
function ExportCard() {
  const part = useSignal<Part>("transactions");
  const [task, run] = useTask();
  const json = (): void => void run(async () => {
    const whole: Record<string, unknown> = {};
    let cursor: string | undefined;
    do {
      const page = await ok(api.GET("/api/v1/users/me/export", { params: { query: { cursor } } }));
      for (const [name, value] of Object.entries(page)) {
        if (name !== "next_cursor") whole[name] = Array.isArray(value) ? [...((whole[name] as unknown[]) ?? []), ...value] : value;
      }
      cursor = page.next_cursor ?? undefined;
    } while (cursor);
    saveFile("my-money.json", JSON.stringify(whole, null, 1), "application/json");
  });
  const csv = (): void => void run(async () => {
    const answer = await raw("GET", `/api/v1/users/me/export/csv?part=${part.value}`);
    const text = await answer.text();
    if (!answer.ok) throw errorOf(answer, JSON.parse(text));
    saveFile(`${part.value}.csv`, text, "text/csv");
  });
  return (
    <Card title="Take your data with you" note="All data that is kept about you.">
      <div class="toolbar">
        <Action label="Download all as JSON" busy="Collecting…" task={task.value} onClick={json} />
        <Select label="Part" value={part.value} options={PARTS.map((each): [string, string] => [each, words(each)])} onChange={(event) => { part.value = event.currentTarget.value as Part; }} />
        <Action label="Download it as CSV" busy="Collecting…" task={task.value} onClick={csv} />
      </div>
      <Fault error={task.value.error} />
    </Card>
  );
}

function saveFile(name: string, text: string, type: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function Erasure() {
  const asking = useSignal(false);
  const [task, run] = useTask();
  const erase = (): void => void run(async () => {
    await ok(api.DELETE("/api/v1/users/me/profile"));
    asking.value = false;
    location.hash = "/";
    await signOut();
    tell("All your data is deleted.");
  });
  return (
    <Card title="Delete everything" note="Profile, accounts, transactions, signals and recommendations, immediately and permanently.">
      <button type="button" class="danger" onClick={() => { asking.value = true; }}>Delete my data</button>
      <Confirm open={asking.value} title="Delete all your data?" yes="Delete everything" danger task={task.value} onYes={erase} onNo={() => { asking.value = false; }}>
        <p>This cannot be undone. Your sign-in stays; a new profile starts empty.</p>
      </Confirm>
    </Card>
  );
}

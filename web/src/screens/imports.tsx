// A bank's file: first how it is read and what would be taken, then the import itself.

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { errorOf, raw, type Schemas } from "../api";
import { cents, countsOf, date, number, plural, words } from "../format";
import { useTask } from "../load";
import { Action, Card, Chip, Facts, Fault, Field, Note, Select, Table, tell } from "../ui";

type Imported = Schemas["Imported"];
interface Chosen { name: string; content: ArrayBuffer; csv: boolean }

const LISTED = 100;
const PROVEN: [string, string] = ["", "Detect from the file"];
const SECTIONS: [string, string][] = [["transactions", "Transactions"], ["accounts", "Accounts"], ["liabilities", "Liabilities"]];
const KINDS: [string, string][] = [["checking", "Checking"], ["savings", "Savings"], ["credit card", "Credit card"]];
const DATES: [string, string][] = [PROVEN, ["mdy", "Month first, 03/04 is March 4"], ["dmy", "Day first, 03/04 is April 3"]];
const DECIMALS: [string, string][] = [PROVEN, ["point", "Point, 1,234.50"], ["comma", "Comma, 1.234,50"]];
const SIGNS: [string, string][] = [PROVEN, ["positive_out", "Positive is money out"], ["negative_out", "Negative is money out"]];

export function Import({ path, done }: { path: string; done: () => void }) {
  const file = useSignal<Chosen | null>(null);
  const options = useSignal<Record<string, string>>({});
  const preview = useSignal<Imported | null>(null);
  const taken = useSignal<Imported | null>(null);
  const [task, run] = useTask();
  const send = async (dry: boolean): Promise<Imported> => {
    const { content, csv } = file.value!;
    const search = new URLSearchParams(Object.entries({ ...(csv ? options.value : {}), dry_run: dry ? "true" : "" }).filter(([, value]) => value));
    const answer = await raw("POST", `${path}?${search}`, content, { "Content-Type": csv ? "text/csv" : "application/json" });
    const said = await answer.json().catch(() => undefined);
    if (!answer.ok) throw errorOf(answer, said);
    return said as Imported;
  };
  const looks = useRef(0);
  const see = async (): Promise<void> => {
    const mine = ++looks.current; // an answer to an earlier choice may come later
    preview.value = null;
    const seen = await send(true);
    if (mine === looks.current) preview.value = seen;
  };
  const look = (): void => void run(see);
  const choose = (given: File | undefined): void => {
    looks.current++;
    file.value = preview.value = taken.value = null;
    if (given) {
      void run(async () => { // kept as it was when it was chosen: what is imported is what was shown
        file.value = { name: given.name, content: await given.arrayBuffer(), csv: !given.name.toLowerCase().endsWith(".json") };
        await see();
      });
    }
  };
  const take = (): void => void run(async () => {
    taken.value = await send(false);
    file.value = preview.value = null;
    tell("The file is imported.");
    done();
  });
  const option = (name: string, first = "") => ({ value: options.value[name] ?? first, onChange: (event: { currentTarget: { value: string } }) => { options.value = { ...options.value, [name]: event.currentTarget.value }; look(); } });
  const nameless = preview.value?.rejections.some((row) => row.field === "account_id");
  const would = preview.value && Object.values(preview.value.saved).some(Boolean);
  return (
    <Card title="Import a bank file" note="Plaid's JSON, or a bank's CSV. Nothing is saved before you have seen the preview.">
      <div class="stack">
        <Field label="File" type="file" accept=".json,.csv,.txt,application/json,text/csv" disabled={task.value.running} onChange={(event) => { choose(event.currentTarget.files?.[0]); event.currentTarget.value = ""; }} />
        {file.value && <p class="small quiet"><bdi class="wrap">{file.value.name}</bdi></p>}
        {file.value?.csv && (
          <div class="fields">
            <Select label="It holds" options={SECTIONS} {...option("section", "transactions")} />
            <Select label="Dates" options={DATES} {...option("dates")} />
            <Select label="Decimals" options={DECIMALS} {...option("decimals")} />
            <Select label="Amounts" options={SIGNS} {...option("amounts")} />
            <Field label="Account for rows without one" maxLength={100} hint={nameless ? "The rows name no account. Type the id of an existing or a new account." : undefined} {...option("account_id")} />
            {options.value.account_id && <Select label="Type if it is new" options={KINDS} {...option("account_kind", "checking")} />}
          </div>
        )}
        <Fault error={task.value.error} again={preview.value ? take : file.value ? look : undefined}>
          {preview.value && <p>A file is saved whole or not at all. Importing it again is safe: saved rows are not saved twice.</p>}
        </Fault>
        {task.value.running && <p class="quiet" role="status">{preview.value ? "Importing…" : "Reading the file…"}</p>}
        {preview.value && <Preview of={preview.value} />}
        {preview.value && (
          <div class="row">
            <Action primary label="Import" busy="Importing…" disabled={!would || task.value.running} task={task.value} onClick={take} />
            <button type="button" class="plain" onClick={() => choose(undefined)}>Choose another file</button>
            {!would && <span class="small quiet">The file contains nothing new.</span>}
          </div>
        )}
        {taken.value && <div class="stack tight" role="status"><Note tone={taken.value.rejected ? "warn" : "good"}><p>{sumOf(taken.value, "Saved")}</p></Note><Rejected of={taken.value} /></div>}
      </div>
    </Card>
  );
}

function sumOf({ saved, unchanged, rejected }: Imported, verb: string): string {
  const same = Object.values(unchanged).reduce((sum, count) => sum + count, 0);
  const news = countsOf(saved);
  return [news ? `${verb} ${news}.` : "Nothing new.", same ? `${number(same)} unchanged.` : "", rejected ? `${plural(rejected, "row")} rejected.` : ""].filter(Boolean).join(" ");
}

function Preview({ of }: { of: Imported }) {
  const { readings, preview = [] } = of;
  const columns = Object.entries(readings?.columns ?? {});
  return (
    <div class="stack" role="region" aria-label="Preview">
      <Note tone={of.rejected ? "warn" : "good"}><p>{sumOf(of, "Would save")}</p></Note>
      {readings && (
        <div>
          <h3 style={{ marginBottom: "6px" }}>Interpretation</h3>
          <Facts of={[
            ["Format", [readings.format, readings.encoding].filter(Boolean).join(", ")],
            ["Columns", !!columns.length && <span class="wrap">{columns.map(([theirs, ours]) => `${theirs} as ${words(ours).toLowerCase()}`).join("; ")}</span>],
            ["Not known", !!readings.unknown?.length && <span class="row">{readings.unknown.map((each) => <Chip key={each} tone="warn"><bdi>{each}</bdi></Chip>)}</span>],
          ].filter((fact): fact is [string, string] => fact[1] !== false)} />
          {!!readings.notes?.length && <ul class="indent small" style={{ marginTop: "8px" }}>{readings.notes.map((each) => <li key={each}>{each}</li>)}</ul>}
        </div>
      )}
      <Rejected of={of} />
      {!!preview.length && (
        <details open>
          <summary>{preview.length < LISTED ? `The ${plural(preview.length, "transaction")}, as read` : `The first ${LISTED} transactions, as read`}</summary>
          <div class="excerpt">
            <Table label="Transactions, as read" rows={preview} id={(row) => String(row.line)} columns={[
              { name: "Row", key: "line", num: true, cell: (row) => number(row.line) },
              { name: "Date", key: "date", cell: (row) => <span class="nowrap">{date(row.posted_on)}</span> },
              { name: "What", key: "name", cell: (row) => <><bdi class="wrap">{row.merchant || row.name}</bdi> {row.pending && <Chip tone="busy">pending</Chip>}</> },
              { name: "Category", key: "category", cell: (row) => words(row.category) },
              { name: "Amount", key: "amount", num: true, cell: (row) => <span class="nowrap">{row.amount_cents < 0 ? `+${cents(-row.amount_cents)}` : cents(row.amount_cents)}</span> },
            ]} />
          </div>
        </details>
      )}
    </div>
  );
}

function Rejected({ of }: { of: Imported }) {
  if (!of.rejections.length) return null;
  return (
    <details open={of.dry_run}>
      <summary>Rejected rows</summary>
      <div class="excerpt">
        <Table label="Rejected rows" rows={of.rejections.slice(0, LISTED)} id={(row) => `${row.section} ${row.line} ${row.field}`} columns={[
          { name: "Row", key: "line", cell: (row) => <span class="nowrap">{words(row.section)} {number(row.line)}</span> },
          { name: "Field", key: "field", cell: (row) => <code class="wrap">{row.field}</code> },
          { name: "Problem", key: "problem", cell: (row) => <>{row.problem}; <span class="quiet">expected {row.expected}</span></> },
        ]} />
      </div>
      {of.rejections.length > LISTED && <p class="small quiet">The first {LISTED} of {number(of.rejections.length)} problems.</p>}
    </details>
  );
}

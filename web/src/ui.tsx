// Components of the screens.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { useSignal, signal } from "@preact/signals";
import { advice, ApiError } from "./api";
import type { Loaded, Task } from "./load";
import { person } from "./session";

export type Tone = "good" | "warn" | "bad" | "busy" | undefined;
type Children = { children?: ComponentChildren };

export function Page({ title, lead, actions, children }: Children & { title: string; lead?: ComponentChildren; actions?: ComponentChildren }) {
  useEffect(() => { document.title = `${title} · Omnibus`; }, [title]);
  return (
    <>
      <div class="head">
        <div>
          <h1>{title}</h1>
          {lead && <p class="lead">{lead}</p>}
        </div>
        {actions && <div class="row">{actions}</div>}
      </div>
      <div class="stack">{children}</div>
    </>
  );
}

export function Card({ title, note, side, flush, children }: Children & { title?: ComponentChildren; note?: ComponentChildren; side?: ComponentChildren; flush?: boolean }) {
  return (
    <section class={flush ? "card flush" : "card"}>
      {title && (
        <header>
          <h2>{title}</h2>
          {side}
          {note && <p>{note}</p>}
        </header>
      )}
      {children}
    </section>
  );
}

export function Stat({ label, value, note, tone, to }: { label: string; value: ComponentChildren; note?: ComponentChildren; tone?: Tone; to?: string }) {
  const inside = (
    <>
      <div class="label">{label}</div>
      <div class="value">{value}</div>
      {note && <div class="note">{note}</div>}
    </>
  );
  return to ? <a class="stat" href={to} data-tone={tone}>{inside}</a> : <div class="stat" data-tone={tone}>{inside}</div>;
}

export const Chip = ({ tone, children }: Children & { tone?: Tone }) => <span class="chip" data-tone={tone}>{children}</span>;

const TONES: Record<string, Tone> = {
  VALIDATED: "good", succeeded: "good", ok: "good", approved: "good", COMPLETED: "good", recommended: "good", OK: "good", high: "good", medium: "warn",
  QUARANTINED: "warn", degraded: "warn", flagged: "warn", cancelled: undefined, withheld: "warn", low: "warn", INSUFFICIENT_DATA: "warn",
  FAILED: "bad", failed: "bad", overridden: "bad", REJECTED: "bad", ALARM: "bad", EXPIRED: undefined,
  running: "busy", queued: "busy", planning: "busy", completing: "busy", PROCESSED: "busy", INGESTED: "busy", AWAITING_SCAN: "busy", UPLOAD_REQUESTED: "busy",
};

export function Status({ of }: { of: string }) {
  const text = of.replaceAll("_", " ").toLowerCase();
  return <Chip tone={TONES[of]}>{text === "ok" ? "OK" : text.charAt(0).toUpperCase() + text.slice(1)}</Chip>;
}

export function Note({ tone, children }: Children & { tone?: Tone }) {
  return <div class="note-box" data-tone={tone} role={tone === "bad" ? "alert" : undefined}>{children}</div>;
}

/** An error, advice, and the id with which an operator finds it in the logs. */
export function Fault({ error, again, children }: Children & { error: unknown; again?: () => void }) {
  if (!error) return null;
  const known = error instanceof ApiError ? error : null;
  const signIn = known?.status === 401 && !person.value;
  return (
    <Note tone="bad">
      <p><strong>{known?.message ?? String((error as Error).message ?? error)}</strong></p>
      {!!known?.details.length && (
        <ul class="plain">{known.details.map((each) => <li key={each.field}><code>{each.field}</code> {each.problem}; expected {each.expected}.</li>)}</ul>
      )}
      {children}
      <p class="row between">
        <span>{advice(error)}</span>
        {signIn ? <a class="button" href="#/sign-in">Sign in</a> : again && <button type="button" onClick={again}>Try again</button>}
      </p>
      {known?.requestId && <p class="small">Request id: <code>{known.requestId}</code></p>}
    </Note>
  );
}

export function Empty({ title, children }: Children & { title: string }) {
  return <div class="empty"><h2>{title}</h2>{children}</div>;
}

/** A placeholder as large as the data, which prevents layout shifts. */
export function Bones({ lines = 4, height = 18 }: { lines?: number; height?: number }) {
  return (
    <div class="stack tight" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, index) => <div key={index} class="bone" style={{ height: `${height}px` }} />)}
    </div>
  );
}

/** Loaded data: a placeholder, an error, or the data; old data stays visible while it reloads. */
export function Show<T>({ of, lines, children }: { of: Loaded<T>; lines?: number; children: (data: T) => ComponentChildren }) {
  return (
    <>
      {of.error !== undefined && <Fault error={of.error} again={of.reload} />}
      {of.data !== undefined ? children(of.data) : of.loading && of.error === undefined && <Bones lines={lines} />}
    </>
  );
}

type InputProps = Omit<JSX.IntrinsicElements["input"], "label" | "role" | "type" | "value"> & { type?: string; value?: string | number; role?: undefined };
interface Labelled { label: string; hint?: ComponentChildren; fault?: string; grow?: boolean }

export function Field({ label, hint, fault, grow, ...input }: Labelled & InputProps) {
  const id = useId();
  return (
    <div class={grow ? "field grow" : "field"}>
      <label for={id}>{label}</label>
      <input id={id} aria-invalid={fault ? "true" : undefined} aria-describedby={hint || fault ? `${id}-more` : undefined} {...(input as object)} />
      {(hint || fault) && <span id={`${id}-more`} class={fault ? "fault" : "hint"}>{fault || hint}</span>}
    </div>
  );
}

export function Area({ label, hint, fault, grow, ...area }: Labelled & Omit<JSX.IntrinsicElements["textarea"], "label">) {
  const id = useId();
  return (
    <div class={grow ? "field grow" : "field"}>
      <label for={id}>{label}</label>
      <textarea id={id} aria-describedby={hint || fault ? `${id}-more` : undefined} {...area} />
      {(hint || fault) && <span id={`${id}-more`} class={fault ? "fault" : "hint"}>{fault || hint}</span>}
    </div>
  );
}

export function Select({ label, options, hint, grow, ...select }: Labelled & Omit<JSX.IntrinsicElements["select"], "label" | "value" | "size" | "role"> & { value: string; options: [string, string][] }) {
  const id = useId();
  return (
    <div class={grow ? "field grow" : "field"}>
      <label for={id}>{label}</label>
      <select id={id} {...(select as object)}>
        {options.map(([value, text]) => <option key={value} value={value} selected={value === select.value}>{text}</option>)}
      </select>
      {hint && <span class="hint">{hint}</span>}
    </div>
  );
}

export function Choices<T extends string>({ label, value, options, onChange }: { label: string; value: T; options: [T, string][]; onChange: (value: T) => void }) {
  return (
    <div class="choices" role="group" aria-label={label}>
      {options.map(([each, text]) => <button key={each} type="button" aria-pressed={each === value} onClick={() => onChange(each)}>{text}</button>)}
    </div>
  );
}

export function Action({ task, label, busy, primary, danger, ...button }: { task?: Task; label: string; busy?: string; primary?: boolean; danger?: boolean } & Omit<JSX.IntrinsicElements["button"], "label">) {
  return (
    <button type="button" class={primary ? "primary" : danger ? "danger" : undefined} disabled={task?.running} {...button}>
      {task?.running ? busy ?? `${label}…` : label}
    </button>
  );
}

export interface Column<Row> {
  name: string;
  key: string;
  num?: boolean;
  cell: (row: Row) => ComponentChildren;
  sort?: (row: Row) => string | number | null | undefined;
}

/** Rows, sorted by the chosen column; a click or Enter on a row opens it. */
export function Table<Row>({ label, rows, columns, id, open, selected, sorted, onSort }: {
  label: string; rows: Row[]; columns: Column<Row>[]; id: (row: Row) => string;
  open?: (row: Row) => void; selected?: string; sorted?: string; onSort?: (key: string) => void;
}) {
  const own = useSignal(sorted ?? "");
  const by = onSort ? sorted ?? "" : own.value;
  const [key, down] = by.startsWith("-") ? [by.slice(1), true] : [by, false];
  const sort = columns.find((each) => each.key === key)?.sort;
  const shown = sort ? sortRows(rows, sort, down) : rows;
  const choose = (name: string): void => {
    const next = key === name && !down ? `-${name}` : name;
    if (onSort) onSort(next);
    else own.value = next;
  };
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            {columns.map((each) => (
              <th key={each.key} scope="col" class={each.num ? "num" : undefined} aria-sort={each.key === key && sort ? (down ? "descending" : "ascending") : undefined}>
                {each.sort ? <button type="button" onClick={() => choose(each.key)}>{each.name}{each.key === key ? (down ? " ↓" : " ↑") : ""}</button> : each.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={id(row)} class={open ? "link" : undefined} aria-selected={selected === undefined ? undefined : selected === id(row)} onClick={open && ((event) => { if (!(event.target as Element).closest("a, button, input")) open(row); })}>
              {columns.map((each) => <td key={each.key} class={each.num ? "num" : undefined}>{each.cell(row)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function sortRows<Row>(rows: Row[], by: (row: Row) => string | number | null | undefined, down: boolean): Row[] {
  return [...rows].sort((one, other) => {
    const [a, b] = [by(one), by(other)];
    if (a == null || b == null) return a == null ? (b == null ? 0 : 1) : -1; // unknown values last, either way
    const order = typeof a === "string" && typeof b === "string" ? a.localeCompare(b) : a < b ? -1 : a > b ? 1 : 0;
    return down ? -order : order;
  });
}

export function Bar({ share, tone, label }: { share: number; tone?: Tone; label?: string }) {
  const width = `${Math.max(0, Math.min(1, share)) * 100}%`;
  return <div class="bar" data-tone={tone} role="img" aria-label={label ?? `${Math.round(share * 100)}%`}><i style={{ width }} /></div>;
}

/** Names, bars and values; the longest bar fills the width. */
export function Bars({ rows, most }: { rows: { name: ComponentChildren; key: string; value: number; text: string; tone?: Tone }[]; most?: number }) {
  const top = most ?? Math.max(...rows.map((row) => row.value), 1e-9);
  return (
    <div class="bars">
      {rows.map((row) => (
        <>
          <span key={`${row.key}-name`}>{row.name}</span>
          <Bar key={`${row.key}-bar`} share={row.value / top} tone={row.tone} label={row.text} />
          <span key={`${row.key}-value`} class="num">{row.text}</span>
        </>
      ))}
    </div>
  );
}

export function Facts({ of }: { of: [string, ComponentChildren][] }) {
  return <dl class="facts">{of.filter(([, value]) => value !== undefined && value !== null && value !== "").map(([name, value]) => <><dt>{name}</dt><dd>{value}</dd></>)}</dl>;
}

export function Tabs({ label, of, current }: { label: string; of: [string, string][]; current: string }) {
  return <nav class="tabs" aria-label={label}>{of.map(([to, text]) => <a key={to} href={to} aria-current={to === current ? "page" : undefined}>{text}</a>)}</nav>;
}

/** A confirmation of an action that cannot be undone. */
export function Confirm({ open, title, yes, danger, task, onYes, onNo, children }: Children & { open: boolean; title: string; yes: string; danger?: boolean; task?: Task; onYes: () => void; onNo: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    if (open && !dialog.current?.open) dialog.current?.showModal();
    if (!open && dialog.current?.open) dialog.current.close();
  }, [open]);
  return (
    <dialog ref={dialog} aria-labelledby={id} onCancel={(event) => { event.preventDefault(); onNo(); }}>
      {open && (
        <form method="dialog" onSubmit={(event) => { event.preventDefault(); onYes(); }}>
          <h2 id={id}>{title}</h2>
          {children}
          <Fault error={task?.error} />
          <div class="row" style={{ justifyContent: "flex-end" }}>
            <button type="button" onClick={onNo}>Cancel</button>
            <Action type="submit" label={yes} task={task} primary={!danger} danger={danger} />
          </div>
        </form>
      )}
    </dialog>
  );
}

/** Content for signed-in people; others see how to sign in. */
export function SignedIn({ children, operators }: Children & { operators?: boolean }) {
  if (!person.value) {
    return (
      <Card>
        <Empty title={operators ? "This is for operators" : "Sign in to see this"}>
          <p>{operators ? "Sign in with an account of the group operators." : "It shows your own data, so you must sign in first."}</p>
          <a class="button primary" href={`#/sign-in?then=${encodeURIComponent(location.hash.slice(1))}`}>Sign in</a>
        </Empty>
      </Card>
    );
  }
  if (operators && !person.value.groups.includes("operators")) {
    return <Card><Empty title="This is for operators"><p>{person.value.name} is not in the group operators. An administrator can add the account.</p></Empty></Card>;
  }
  return <>{children}</>;
}

const told = signal("");
let forgetting: ReturnType<typeof setTimeout>;

/** Show a brief message that an action is done. */
export function tell(text: string): void {
  told.value = text;
  clearTimeout(forgetting);
  forgetting = setTimeout(() => { told.value = ""; }, 4000);
}

export const Toast = () => <div role="status" aria-live="polite">{told.value && <div class="toast">{told.value}</div>}</div>;

import { useSignal } from "@preact/signals";
import { errorOf, ok, raw, api } from "../api";
import { bytes, words } from "../format";
import { useLoad, useTask } from "../load";
import { addressOf, boundsOf, exampleOf, kindOf, matches, nameOf, operations, resolve, type Description, type Listed, type Schema } from "../openapi";
import { href, query, setQuery } from "../router";
import { person } from "../session";
import { Action, Area, Card, Chip, Empty, Fault, Field, Page, Show } from "../ui";

const PROOFS: Record<string, string> = { cognito: "needs a signed-in person", operator: "for operators" };

export function Reference() {
  const description = useLoad("openapi", async () => (await ok(api.GET("/openapi.json"))) as unknown as Description);
  const { q = "", op } = query.value;
  return (
    <Page title="API reference" lead="Generated from the contracts that the routes enforce. Requests use your own sign-in." actions={<a class="button" href="api/openapi.json" download="openapi.json">openapi.json</a>}>
      <Field label="Search" type="search" placeholder="method, path, words or parameter" value={q} onInput={(event) => setQuery({ q: event.currentTarget.value })} />
      <Show of={description} lines={14}>
        {(found) => {
          const all = operations(found);
          const shown = all.filter((each) => matches(each, q.trim()));
          const tags = [...new Set(shown.map((each) => each.tags?.[0] ?? "other"))];
          const chosen = all.find((each) => each.operationId === op);
          return (
            <div class="split">
              <div class="stack">
                {!shown.length && <Card><Empty title="Nothing matches"><button type="button" onClick={() => setQuery({ q: null })}>Clear the search</button></Empty></Card>}
                {tags.map((tag) => (
                  <Card key={tag} title={words(tag)}>
                    <ul class="plain stack tight">
                      {shown.filter((each) => (each.tags?.[0] ?? "other") === tag).map((each) => (
                        <li key={each.operationId}>
                          <a class="wrap operation" href={href("/reference", { q, op: each.operationId })} aria-current={each === chosen ? "true" : undefined}><span class="method">{each.method}</span><code>{each.path}</code></a>
                          <div class="small quiet">{each.summary}</div>
                        </li>
                      ))}
                    </ul>
                  </Card>
                ))}
              </div>
              <div class="stack" id="operation">
                {chosen ? <OneOperation key={chosen.operationId} operation={chosen} description={found} /> : <Card><Empty title="Choose an operation"><p>Its parameters, schemas and an example appear here, with a form to try it.</p></Empty></Card>}
              </div>
            </div>
          );
        }}
      </Show>
    </Page>
  );
}

function OneOperation({ operation, description }: { operation: Listed; description: Description }) {
  const proof = operation.security?.flatMap(Object.keys).map((each) => PROOFS[each] ?? each);
  const body = Object.entries(operation.requestBody?.content ?? {});
  return (
    <>
      <Card title={operation.summary} side={proof?.map((each) => <Chip key={each} tone="busy">{each}</Chip>)}>
        <p class="wrap"><span class="method">{operation.method}</span> <code>{operation.path}</code></p>
        {operation.description && <p style={{ marginTop: "8px" }}>{operation.description}</p>}
        {!!operation.parameters?.length && (
          <dl class="facts" style={{ marginTop: "12px" }}>
            {operation.parameters.map((each) => <><dt><code>{each.name}</code>{each.required && " *"}</dt><dd><span class="small">{kindOf(each.schema)}</span> <span class="small quiet">{[each.in, boundsOf(each.schema)].filter(Boolean).join(", ")}</span><br />{each.description ?? each.schema.description}</dd></>)}
          </dl>
        )}
      </Card>
      <TryIt operation={operation} description={description} />
      {body.map(([kind, { schema }]) => <Card key={kind} title="Body" note={kind}><Shape schema={schema} description={description} /></Card>)}
      {Object.entries(operation.responses).filter(([, each]) => each.content).map(([status, each]) => (
        <Card key={status} title={`Answer ${status}`}>{Object.entries(each.content!).map(([kind, { schema }]) => <Shape key={kind} schema={schema} description={description} />)}</Card>
      ))}
    </>
  );
}

/** A schema's fields; referenced schemas can be opened in place. */
function Shape({ schema, description, depth = 0 }: { schema: Schema; description: Description; depth?: number }) {
  const found = resolve(schema.type === "array" ? schema.items ?? {} : schema, description);
  const fields = Object.entries(found.properties ?? {});
  if (!fields.length) return <p><code>{kindOf(schema)}</code> {found.description}</p>;
  return (
    <div class="stack tight">
      {found.description && <p class="quiet small">{found.description}</p>}
      <dl class="facts">
        {fields.map(([name, each]) => {
          const inner = [each, each.items, ...(each.anyOf ?? []), ...(each.anyOf ?? []).map((part) => part.items), typeof each.additionalProperties === "object" ? each.additionalProperties : undefined].find((part) => part && nameOf(part));
          return (
            <>
              <dt class="wrap"><code>{name}</code>{found.required?.includes(name) && " *"}</dt>
              <dd>
                <span class="small">{kindOf(each)}</span> <span class="small quiet">{boundsOf(each)}</span>
                {each.description && <div>{each.description}</div>}
                {inner && depth < 4 && <details><summary class="small">{nameOf(inner)}</summary><Shape schema={inner} description={description} depth={depth + 1} /></details>}
              </dd>
            </>
          );
        })}
      </dl>
    </div>
  );
}

function TryIt({ operation, description }: { operation: Listed; description: Description }) {
  const [kind, content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  const given = useSignal<Record<string, string>>({});
  const body = useSignal(kind === "application/json" ? JSON.stringify(exampleOf(content!.schema, description), null, 2) : "");
  const answer = useSignal<{ status: number; ms: number; text: string; type: string } | null>(null);
  const [task, run] = useTask();
  const parameters = (operation.parameters ?? []).filter((each) => each.in !== "header" || !["If-None-Match", "X-Operator-Token"].includes(each.name));
  const send = (): void => void run(async () => {
    answer.value = null;
    const headers: Record<string, string> = kind ? { "Content-Type": kind } : {};
    for (const each of parameters) if (each.in === "header" && given.value[each.name]) headers[each.name] = given.value[each.name];
    const started = performance.now();
    const found = await raw(operation.method, addressOf(operation, given.value), kind ? body.value : undefined, headers);
    const text = await found.text();
    const type = found.headers.get("Content-Type") ?? "";
    answer.value = { status: found.status, ms: Math.round(performance.now() - started), text, type };
    if (!found.ok) throw errorOf(found, jsonOf(text));
  });
  return (
    <Card title="Try it" side={<span class="small quiet">{person.value ? `as ${person.value.name}` : "signed out"}</span>}>
      <form class="stack" onSubmit={(event) => { event.preventDefault(); send(); }}>
        {parameters.map((each) => (
          <Field key={each.name} label={each.name} required={each.required} value={given.value[each.name] ?? ""} placeholder={String(each.schema.examples?.[0] ?? each.schema.default ?? "")} hint={kindOf(each.schema)} onInput={(event) => { given.value = { ...given.value, [each.name]: event.currentTarget.value }; }} />
        ))}
        {kind && <Area label={`Body, ${kind}`} rows={Math.min(14, body.value.split("\n").length + 1)} class="mono" spellcheck={false} value={body.value} onInput={(event) => { body.value = event.currentTarget.value; }} />}
        <div class="row"><Action type="submit" primary label={`Send ${operation.method}`} busy="Sending…" task={task.value} />{operation.method !== "GET" && <span class="small quiet">This changes data or may incur costs.</span>}</div>
        <Fault error={task.value.error} />
        {answer.value && (
          <div class="stack tight" role="status">
            <p><Chip tone={answer.value.status < 400 ? "good" : "bad"}>{answer.value.status}</Chip> <span class="small quiet">{answer.value.ms} ms, {bytes(answer.value.text.length)}</span></p>
            <pre tabIndex={0} aria-label="Answer">{pretty(answer.value.text)}</pre>
          </div>
        )}
      </form>
    </Card>
  );
}

const SHOWN = 20_000;

function pretty(text: string): string {
  const found = jsonOf(text);
  const whole = found === undefined ? text : JSON.stringify(found, null, 2);
  return whole.length > SHOWN ? `${whole.slice(0, SHOWN)}\n… ${bytes(whole.length - SHOWN)} more` : whole;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { api, ApiError, ok, type Schemas } from "../api";
import { config } from "../config";
import { ago, percent, plural, words } from "../format";
import { useKept, useLoad, useTask } from "../load";
import { query, setQuery } from "../router";
import { person } from "../session";
import { Card, Empty, Fault, Page, Show, tell } from "../ui";

type Reply = Schemas["ChatReply"];
interface Said { mine: boolean; text: string; reply?: Reply; stopped?: boolean; error?: unknown }

const MAX = 4000;
const SILENCE_MS = 30_000;
const STARTERS = ["Which venues are the most popular?", "Recommend some jazz concerts in New York", "How did revenue develop by genre?", "How many tickets will the first one sell?"];

interface Asked { message: string; session_id?: string; user_id?: string }
interface Listener { words: (text: string) => void; restart: () => void; reply: (reply: Reply) => void; fail: (error: unknown) => void }

/** One answer streamed over the socket, or over REST if no socket opens. */
class Answer {
  private socket: WebSocket | null = null;
  private done = false;
  private readonly request: Asked;
  private readonly hear: Listener;

  constructor(request: Asked, hear: Listener) {
    this.request = request;
    this.hear = hear;
    if (config.socket) this.overSocket(config.socket);
    else void this.overRest();
  }

  stop(): void {
    this.done = true;
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ action: "chat_stop" }));
    this.socket?.close();
  }

  private overSocket(url: string): void {
    let heard = false;
    let silence: ReturnType<typeof setTimeout>;
    const finish = (then: () => void): void => {
      if (this.done) return;
      this.done = true;
      clearTimeout(silence);
      socket.close();
      then();
    };
    const wait = (): void => {
      clearTimeout(silence);
      silence = setTimeout(() => finish(() => this.hear.fail(new ApiError(0, "timeout", "The chat did not answer in time."))), SILENCE_MS);
    };
    const socket = new WebSocket(`${url}?channel=chat`);
    this.socket = socket;
    wait();
    socket.onopen = () => socket.send(JSON.stringify({ action: "chat", ...this.request }));
    socket.onmessage = ({ data }) => {
      if (this.done) return;
      heard = true;
      wait();
      const message = JSON.parse(data);
      if (message.action === "CHAT_DELTA") this.hear.words(message.text);
      else if (message.action === "CHAT_RESTART") this.hear.restart();
      else if (message.action === "CHAT_DONE") finish(() => this.hear.reply(message.reply));
      else if (message.action === "ERROR") {
        const { code, message: text, request_id: id, details } = message.error;
        finish(() => this.hear.fail(new ApiError(422, code, text, id, null, details)));
      }
    };
    socket.onclose = () => {
      if (this.done) return;
      clearTimeout(silence);
      if (heard) finish(() => this.hear.fail(new ApiError(0, "cut", "The connection broke in the middle of the answer.")));
      else void this.overRest(); // no socket to be had: the whole answer at once
    };
  }

  private async overRest(): Promise<void> {
    try {
      const reply = await ok(api.POST("/chat", { body: this.request }));
      if (!this.done) this.hear.reply(reply);
    } catch (error) {
      if (!this.done) this.hear.fail(error);
    }
    this.done = true;
  }
}

export function Chat() {
  const kept = useKept("omnibus-chat", "[]");
  const said = useSignal<Said[]>(JSON.parse(kept.peek()));
  const draft = useKept("omnibus-chat-draft");
  const answer = useSignal<Answer | null>(null);
  const end = useRef<HTMLDivElement>(null);
  const last = said.value.at(-1);
  const session = query.value.session;

  useEffect(() => { end.current?.scrollTo({ top: end.current.scrollHeight }); }, [said.value]);
  useEffect(() => () => answer.peek()?.stop(), []);

  const update = (change: Partial<Said>): void => {
    said.value = [...said.value.slice(0, -1), { ...said.value.at(-1)!, ...change }];
  };
  const settle = (change: Partial<Said>): void => {
    update(change);
    answer.value = null;
    kept.value = JSON.stringify(said.value.slice(-40).map(({ error, ...rest }) => (error ? { ...rest, stopped: true } : rest)));
  };
  const ask = (text: string): void => {
    const message = text.trim();
    if (!message || answer.value) return;
    draft.value = "";
    said.value = [...said.value, { mine: true, text: message }, { mine: false, text: "" }];
    answer.value = new Answer({ message, ...(session ? { session_id: session } : {}), ...(person.value ? { user_id: person.value.id } : {}) }, {
      words: (more) => update({ text: said.value.at(-1)!.text + more }),
      restart: () => update({ text: "" }),
      reply: (reply) => { setQuery({ session: reply.session_id }); settle({ text: reply.message, reply }); },
      fail: (error) => settle({ error }),
    });
  };
  const stop = (): void => { answer.value?.stop(); settle({ stopped: true }); };
  const again = (): void => {
    const question = said.value.findLast((each) => each.mine)?.text;
    said.value = said.value.slice(0, -2);
    if (question) ask(question);
  };
  const fresh = (): void => { said.value = []; kept.value = "[]"; setQuery({ session: null }); };

  return (
    <Page title="Chat" lead="Ask about concerts, venues, forecasts and totals. Answers use the season's data and name their source." actions={said.value.length > 0 && <button type="button" disabled={!!answer.value} onClick={fresh}>New chat</button>}>
      <section class="card flush chat">
        <div class="log" ref={end} role="log" aria-label="Conversation" tabIndex={0}>
          {!said.value.length && <Empty title="What would you like to know?"><div class="suggestions">{STARTERS.map((each) => <button key={each} type="button" onClick={() => ask(each)}>{each}</button>)}</div></Empty>}
          {said.value.map((each, index) => (
            <>
              <div key={index} class={each.mine ? "said mine" : "said theirs"}><span class="visually-hidden">{each.mine ? "You: " : "Answer: "}</span>{each.text || (each.error ? "No answer." : each.stopped ? "Stopped." : "…")}</div>
              {each.reply && <Meta reply={each.reply} />}
              {each.stopped && <div class="meta">Stopped before the end.</div>}
            </>
          ))}
          {!!last?.error && <Fault error={last.error} again={again} />}
          {last?.stopped && <div class="meta"><button type="button" onClick={again}>Ask again</button></div>}
          {!!last?.reply?.suggestions.length && <div class="suggestions">{last.reply.suggestions.map((each) => <button key={each} type="button" onClick={() => ask(each)}>{each}</button>)}</div>}
        </div>
        <form class="ask" onSubmit={(event) => { event.preventDefault(); ask(draft.value); }}>
          <textarea aria-label="Message" rows={1} maxLength={MAX} placeholder="Ask about concerts" value={draft.value}
            onInput={(event) => { draft.value = event.currentTarget.value; }}
            onKeyDown={(event) => { if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); ask(draft.value); } }} />
          {answer.value ? <button type="button" onClick={stop}>Stop</button> : <button type="submit" class="primary" disabled={!draft.value.trim()}>Send</button>}
        </form>
      </section>
      {person.value && <Sessions owner={person.value.id} changed={said.value.length} open={(view) => { said.value = view; kept.value = JSON.stringify(view); }} />}
    </Page>
  );
}

/** The signed-in person's chats, to continue or delete. */
function Sessions({ owner, changed, open }: { owner: string; changed: number; open: (said: Said[]) => void }) {
  const list = useLoad(`chats ${changed >> 1}`, () => ok(api.GET("/chat/sessions")));
  const [task, run] = useTask();
  const at = (id: string) => ({ params: { path: { session_id: id }, query: { user_id: owner } } });
  const show = (id: string): void => void run(async () => {
    const view = await ok(api.GET("/chat/sessions/{session_id}", at(id)));
    open(view.exchanges.flatMap((each): Said[] => [{ mine: true, text: each.message }, { mine: false, text: each.reply }]));
    setQuery({ session: id });
  });
  const drop = (id: string): void => void run(async () => {
    await ok(api.DELETE("/chat/sessions/{session_id}", at(id)));
    list.reload();
    tell("The chat is deleted.");
  });
  return (
    <Card title="Your chats" note="Chats are kept for a while, then deleted automatically.">
      <Fault error={task.value.error} />
      <Show of={list} lines={2}>
        {(found) => found.sessions.length
          ? <ul class="plain stack tight">
              {found.sessions.map((each) => (
                <li key={each.session_id} class="row between">
                  <span class="wrap"><bdi>{each.first_message}</bdi> <span class="small quiet">{plural(each.exchanges, "answer")}, {ago(each.updated_at)}</span></span>
                  <span class="row"><button type="button" onClick={() => show(each.session_id)}>Open</button><button type="button" class="plain" onClick={() => drop(each.session_id)}>Forget</button></span>
                </li>
              ))}
            </ul>
          : <p class="quiet">None yet.</p>}
      </Show>
    </Card>
  );
}

function Judge({ reply }: { reply: Reply }) {
  const given = useSignal<boolean | null>(null);
  const [task, run] = useTask();
  const judge = (helpful: boolean): void => void run(async () => {
    await ok(api.POST("/chat/sessions/{session_id}/feedback", { params: { path: { session_id: reply.session_id } }, body: { at: reply.timestamp, helpful, ...(person.value ? { user_id: person.value.id } : {}) } }));
    given.value = helpful;
  });
  return (
    <span class="row" role="group" aria-label="Was this answer helpful?">
      <button type="button" class="plain small" aria-pressed={given.value === true} disabled={task.value.running} onClick={() => judge(true)}>Helpful</button>
      <button type="button" class="plain small" aria-pressed={given.value === false} disabled={task.value.running} onClick={() => judge(false)}>Not helpful</button>
      {!!task.value.error && <span class="text-bad">not saved</span>}
    </span>
  );
}

function Meta({ reply }: { reply: Reply }) {
  return (
    <div class="meta">
      <span>{words(reply.intent)}, {percent(reply.confidence)} sure</span>
      <span>source: {reply.source}</span>
      {reply.understood && <span>understood: {reply.understood}</span>}
      {reply.fallback && <span>instead of {reply.fallback.instead_of}: {reply.fallback.reason}</span>}
      {reply.remembered === false && <span>this exchange was not saved</span>}
      {reply.remembered !== false && <Judge reply={reply} />}
      {Object.keys(reply.data).length > 0 && <details><summary class="small">Data</summary><pre>{JSON.stringify(reply.data, null, 1)}</pre></details>}
    </div>
  );
}

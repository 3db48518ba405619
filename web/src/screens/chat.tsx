import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { api, ApiError, ok, type Schemas } from "../api";
import { config } from "../config";
import { percent, words } from "../format";
import { useKept } from "../load";
import { query, setQuery } from "../router";
import { Empty, Fault, Page } from "../ui";

type Reply = Schemas["ChatReply"];
interface Said { mine: boolean; text: string; reply?: Reply; stopped?: boolean; error?: unknown }

const MAX = 4000;
const SILENCE_MS = 30_000;
const STARTERS = ["Which venues are the most popular?", "Recommend some jazz concerts in New York", "How did revenue develop by genre?", "How many tickets will the first one sell?"];

interface Listener { words: (text: string) => void; restart: () => void; reply: (reply: Reply) => void; fail: (error: unknown) => void }

/** One answer over the socket, as the words arise; over REST where no socket opens. */
class Answer {
  private socket: WebSocket | null = null;
  private done = false;
  private readonly request: { message: string; session_id?: string };
  private readonly hear: Listener;

  constructor(request: { message: string; session_id?: string }, hear: Listener) {
    this.request = request;
    this.hear = hear;
    if (config.socket) this.overSocket(config.socket);
    else void this.overRest();
  }

  stop(): void {
    this.done = true;
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
      silence = setTimeout(() => finish(() => this.hear.fail(new ApiError(0, "timeout", "No answer arrived in time."))), SILENCE_MS);
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
      if (heard) finish(() => this.hear.fail(new ApiError(0, "cut", "The connection was cut in the middle of the answer.")));
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
    answer.value = new Answer({ message, ...(session ? { session_id: session } : {}) }, {
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
    <Page title="Chat" lead="Ask about concerts, venues, forecasts and totals. Answers use the season's own data and name their source." actions={said.value.length > 0 && <button type="button" disabled={!!answer.value} onClick={fresh}>New chat</button>}>
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
    </Page>
  );
}

function Meta({ reply }: { reply: Reply }) {
  return (
    <div class="meta">
      <span>{words(reply.intent)}, {percent(reply.confidence)} sure</span>
      <span>source: {reply.source}</span>
      {reply.fallback && <span>instead of {reply.fallback.instead_of}: {reply.fallback.reason}</span>}
      {reply.remembered === false && <span>this exchange was not remembered</span>}
      {Object.keys(reply.data).length > 0 && <details><summary class="small">Data</summary><pre>{JSON.stringify(reply.data, null, 1)}</pre></details>}
    </div>
  );
}

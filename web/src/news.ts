// News over sockets. Polling continues slowly in parallel, and faster while a socket is disconnected.

import { useSignal, type Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { config } from "./config.ts";
import { person, token } from "./session.ts";

export interface News { action: string; [field: string]: unknown }
type Hear = (news: News) => void;
type Told = (connected: boolean) => void;

const HEARTBEAT_MS = 60_000; // API Gateway closes sockets that are idle for ten minutes
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;
const LINGER_MS = 20_000; // the next screen may want the same news

/** `first` ms, twice as long after each consecutive failure, at most `longest`. */
export const backoff = (failures: number, first: number, longest: number): number => Math.min(longest, first * 2 ** failures);

/** The delay before the next attempt to open a socket, after this many consecutive failures. */
export const retryAfter = (failures: number): number => backoff(failures, FIRST_RETRY_MS, LONGEST_RETRY_MS);

/** A socket that reopens whenever it closes, until it is released; `greeting` is its first message. */
export class Line {
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly beat: ReturnType<typeof setInterval>;
  private failures = 0;
  private ended = false;
  private readonly address: string;
  private readonly hear: Hear;
  private readonly told: Told;
  private readonly greeting: () => Promise<object | null>;

  constructor(address: string, hear: Hear, told: Told, heartbeat: object, greeting: () => Promise<object | null>) {
    this.address = address;
    this.hear = hear;
    this.told = told;
    this.greeting = greeting;
    this.beat = setInterval(() => this.send(heartbeat), HEARTBEAT_MS);
    this.open();
  }

  close(): void {
    this.ended = true;
    clearTimeout(this.timer);
    clearInterval(this.beat);
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.close(); // one that is opening closes itself then: to close it now would be an error
  }

  private send(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private open(): void {
    const socket = new WebSocket(this.address);
    this.socket = socket;
    socket.onopen = async () => {
      if (this.ended) { socket.close(); return; }
      const greeting = await this.greeting();
      if (greeting) this.send(greeting);
      this.failures = 0;
      this.told(true);
    };
    socket.onmessage = ({ data }) => this.hear(JSON.parse(data));
    socket.onclose = () => {
      if (this.ended) return;
      this.told(false);
      this.timer = setTimeout(() => this.open(), retryAfter(this.failures++));
    };
  }
}

type Channel = "jobs" | "me" | "runs";
interface Kind { news: string; watch: string; ready: string; proof: boolean }

/** A channel's message name, subscription, confirmation, and whether it requires a sign-in. */
const KINDS: Record<Channel, Kind> = {
  jobs: { news: "JOB", watch: "watch_jobs", ready: "JOBS_WATCHED", proof: true },
  me: { news: "PROGRESS", watch: "watch_me", ready: "PROGRESS", proof: true },
  runs: { news: "RUN", watch: "ping", ready: "PONG", proof: false },
};

interface Shared { line: Line; hearers: Set<Hear>; watchers: Set<Told>; connected: boolean; leaving?: ReturnType<typeof setTimeout> }
const shared = new Map<string, Shared>();

function join(name: string, channel: Channel): Shared {
  let found = shared.get(name);
  if (!found) {
    const made: Shared = { line: null!, hearers: new Set(), watchers: new Set(), connected: false };
    const tell = (connected: boolean): void => {
      made.connected = connected;
      made.watchers.forEach((told) => told(connected));
    };
    const { news: wanted, watch, ready, proof } = KINDS[channel];
    made.line = new Line(`${config.socket}?channel=${channel}`, (news) => {
      if (news.action === ready) tell(true);
      if (news.action === wanted) made.hearers.forEach((hear) => hear(news));
    }, (open) => { if (!open) tell(false); }, { action: "ping" }, async () => (proof ? { action: watch, authorization: await token() } : { action: watch })); // URLs end up in logs: the proof is in the message
    shared.set(name, made);
    found = made;
  }
  clearTimeout(found.leaving);
  return found;
}

/** Receive a channel's news while the screen is shown; returns whether its socket is open. Screens share one socket. */
export function useNews(channel: Channel, hear: Hear): Signal<boolean> {
  const connected = useSignal(false);
  const latest = useRef(hear);
  latest.current = hear;
  const who = KINDS[channel].proof ? person.value?.id ?? null : "";
  useEffect(() => {
    if (!config.socket || who === null) return;
    const name = `${channel} ${who}`;
    const own = join(name, channel);
    const hearer: Hear = (news) => latest.current(news);
    const told: Told = (now) => { connected.value = now; };
    own.hearers.add(hearer);
    own.watchers.add(told);
    connected.value = own.connected;
    return () => {
      own.hearers.delete(hearer);
      own.watchers.delete(told);
      own.leaving = setTimeout(() => {
        if (own.hearers.size) return;
        shared.delete(name);
        own.line.close();
      }, LINGER_MS);
    };
  }, [channel, who]);
  return connected;
}

/** A list, newest first, after news of one row: replaced, or added on top if new, or removed if it no longer matches. */
export function afterNews<Row>(rows: Row[], row: Row, id: (row: Row) => string, shown: boolean): Row[] {
  if (!shown) return rows.filter((each) => id(each) !== id(row));
  return rows.some((each) => id(each) === id(row)) ? rows.map((each) => (id(each) === id(row) ? row : each)) : [row, ...rows];
}

/** Call `work` once, shortly after the first of several triggers; not while the tab is hidden. */
export function useSoon(work: () => void, ms = 1000): () => void {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const latest = useRef(work);
  latest.current = work;
  useEffect(() => () => clearTimeout(timer.current), []);
  return () => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      if (!document.hidden) latest.current();
    }, ms);
  };
}

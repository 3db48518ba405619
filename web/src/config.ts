// The deployment's description of itself: config.json next to index.html.

import { setClock } from "./clock.ts";
import { query, setQuery } from "./router.ts";

export interface Config {
  api: string;
  socket: string | null;
  stage: string;
  release: string;
  client: string;
  signIn: { kind: "hosted"; domain: string } | { kind: "password"; endpoint: string };
  people?: Record<string, [string, string]>;
}

export let config: Config;

const KEY = "omnibus-local-key";

export async function configure(): Promise<void> {
  takeKey(); // before the first wait: a visitor who moves on meanwhile would lose it
  const answer = await fetch("config.json", { cache: "no-store" });
  setClock(answer.headers);
  if (!answer.ok) throw new Error(await answer.text());
  config = await answer.json();
  if (config.signIn.kind === "password") config.people = await testUsers();
}

/** Keep the key that the address of `make up` has, in the browser instead of the address. */
function takeKey(): void {
  const { key } = query.peek();
  if (!key) return;
  localStorage.setItem(KEY, key);
  setQuery({ key: null });
}

/** A local cloud's test users, for visitors with its key. */
async function testUsers(): Promise<Config["people"]> {
  const key = localStorage.getItem(KEY);
  if (!key) return undefined;
  const answer = await fetch("people.json", { cache: "no-store", headers: { "X-Console-Key": key } });
  if (answer.ok) return answer.json();
  localStorage.removeItem(KEY); // of an earlier start
  return undefined;
}

// The deployment's description of itself: config.json next to index.html.

import { href, parse, route } from "./router.ts";

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
  const answer = await fetch("config.json", { cache: "no-store" });
  if (!answer.ok) throw new Error(await answer.text());
  config = await answer.json();
  if (config.signIn.kind === "password") config.people = await testUsers();
}

/** A local cloud's test users, for visitors with the key of the address that `make up` prints; the browser keeps the key. */
async function testUsers(): Promise<Config["people"]> {
  const { path, query: { key: given, ...rest } } = route.peek();
  if (given) {
    localStorage.setItem(KEY, given);
    history.replaceState(null, "", href(path, rest));
    route.value = parse(location.hash);
  }
  const key = given ?? localStorage.getItem(KEY);
  if (!key) return undefined;
  const answer = await fetch("people.json", { cache: "no-store", headers: { "X-Console-Key": key } });
  if (answer.ok) return answer.json();
  localStorage.removeItem(KEY); // of an earlier start
  return undefined;
}

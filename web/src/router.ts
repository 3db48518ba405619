// The address holds the state: #/flights?phase=CLIMB. It contains everything that a reload must keep.

import { computed, signal } from "@preact/signals";

export type Query = Record<string, string>;
export interface Route { path: string; query: Query }

export function parse(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#/, "").split("?", 2);
  return { path: path || "/", query: Object.fromEntries(new URLSearchParams(search)) };
}

export function href(path: string, query: Record<string, string | number | null | undefined> = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `#${path}${search ? `?${search}` : ""}`;
}

export const route = signal<Route>(parse(typeof location === "undefined" ? "" : location.hash));
export const query = computed(() => route.value.query);

/** The parts of the path: /flights/runs/states_1 is ["flights", "runs", "states_1"]. */
export const parts = computed(() => route.value.path.split("/").filter(Boolean).map(decoded));

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch { // an address that somebody typed
    return part;
  }
}

export function go(path: string, search: Parameters<typeof href>[1] = {}): void {
  location.hash = href(path, search);
}

/** Change part of the query; typing in a filter adds no history entries. */
export function setQuery(change: Parameters<typeof href>[1]): void {
  const { path, query } = route.peek();
  history.replaceState(null, "", href(path, { ...query, ...change }));
  route.value = parse(location.hash);
}

if (typeof window !== "undefined") {
  window.addEventListener("hashchange", () => {
    const before = route.peek().path;
    route.value = parse(location.hash);
    if (before !== route.peek().path) window.scrollTo(0, 0);
  });
}

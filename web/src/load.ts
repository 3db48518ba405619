// Loading for screens: the data or an error; polling pauses while the tab is hidden.

import { useSignal, type Signal } from "@preact/signals";
import { useCallback, useEffect, useRef } from "preact/hooks";
import { ApiError } from "./api";
import { backoff } from "./news";

export interface Loaded<T> {
  data: T | undefined;
  error: unknown;
  loading: boolean;
  reload: () => void;
  set: (data: T) => void;
}

interface State<T> { data: T | undefined; error: unknown; loading: boolean; key: string }

const FIRST_REPEAT_MS = 10_000;
const LONGEST_REPEAT_MS = 300_000;

/** The result of `fetch`, repeated whenever `key` changes, every `every` ms, and ever more slowly after passing errors; only while the tab is visible. */
export function useLoad<T>(key: string, fetch: () => Promise<T>, every?: number): Loaded<T> {
  const state = useSignal<State<T>>({ data: undefined, error: undefined, loading: true, key });
  const latest = useRef(fetch);
  latest.current = fetch;
  const run = useRef(0);
  const load = useCallback(async () => {
    const mine = ++run.current;
    const before = state.peek();
    state.value = before.key === key ? { ...before, loading: true } : { data: undefined, error: undefined, loading: true, key };
    try {
      const data = await latest.current();
      if (mine === run.current) state.value = { data, error: undefined, loading: false, key };
      return undefined;
    } catch (error) {
      if (mine === run.current) state.value = { ...state.peek(), error, loading: false, key };
      return error;
    }
  }, [key]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stopped = false;
    let failures = 0;
    let due = false; // while the tab was hidden
    const round = async (): Promise<void> => {
      const error = await load();
      const known = error instanceof ApiError ? error : null;
      if (stopped || !(every || known?.passing)) return;
      const asked = known?.retryAfter ? known.retryAfter * 1000 : every;
      const wait = asked || backoff(failures++, FIRST_REPEAT_MS, LONGEST_REPEAT_MS);
      timer = setTimeout(() => { due = document.hidden; if (!due) void round(); }, wait);
    };
    const seen = (): void => {
      if (!due || document.hidden) return;
      due = false;
      void round();
    };
    void round();
    document.addEventListener("visibilitychange", seen);
    return () => {
      stopped = true;
      run.current++;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [key, every]);
  const now = state.value;
  const current = now.key === key ? now : { data: undefined, error: undefined, loading: true };
  const set = (data: T): void => {
    run.current++; // an answer that is still under way is older
    state.value = { data, error: undefined, loading: false, key };
  };
  return { data: current.data, error: current.error, loading: current.loading, reload: () => void load(), set };
}

/** A button's action: whether it is running, and its error. */
export interface Task { running: boolean; error: unknown }

export function useTask(): [Signal<Task>, (work: () => Promise<unknown>) => Promise<boolean>] {
  const task = useSignal<Task>({ running: false, error: undefined });
  const latest = useRef(0);
  const run = async (work: () => Promise<unknown>): Promise<boolean> => {
    const mine = ++latest.current;
    task.value = { running: true, error: undefined };
    const error = await work().then(() => undefined, (cause: unknown) => cause);
    if (mine === latest.current) task.value = { running: false, error };
    return error === undefined;
  };
  return [task, run];
}

/** A text that survives a reload, such as a draft; only in this tab. */
export function useKept(name: string, initial = ""): Signal<string> {
  const value = useSignal(sessionStorage.getItem(name) ?? initial);
  useEffect(() => value.subscribe((text) => {
    if (text === initial) sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, text);
  }), []);
  return value;
}

// The REST API, typed by its own description: each build generates web/generated/api.ts from openapi.json.

import createClient from "openapi-fetch";
import type { components, paths } from "../generated/api";
import { setClock } from "./clock.ts";
import { config } from "./config.ts";
import { expired, renew, token } from "./session.ts";

export type Schemas = components["schemas"];

const TIMEOUT_MS = 35_000; // API Gateway gives up after 29 s

export interface Problem { field: string; problem: string; expected: string }

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string;
  readonly retryAfter: number | null;
  readonly details: Problem[];

  constructor(status: number, code: string, message: string, requestId = "", retryAfter: number | null = null, details: Problem[] = []) {
    super(message);
    this.status = status;
    this.code = code;
    this.requestId = requestId;
    this.retryAfter = retryAfter;
    this.details = details;
  }

  /** Whether the same request might succeed later. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Advice for the user about an error. */
export function advice(error: unknown): string {
  if (!(error instanceof ApiError)) return "This is a defect of the console. Reload the page.";
  const wait = error.retryAfter ? ` in ${error.retryAfter} s` : " in a moment";
  if (error.status === 0) return "Check the connection, then try again.";
  if (error.status === 401) return "Sign in to see this.";
  if (error.status === 403) return "Your account does not have permission. Ask an operator.";
  if (error.status === 404) return "It may have been deleted, or it does not exist yet.";
  if (error.status === 409) return "Somebody else changed it. Reload, then check it again.";
  if (error.status === 429) return `Too many requests. Try again${wait}.`;
  if (error.status >= 500) return `The service could not answer. Try again${wait}; if the error persists, give an operator the request id.`;
  return "Correct the fields named, then try again.";
}

const known = new Map<string, { etag: string; text: string; type: string }>();

interface Sent { url: string; method: string; headers: Headers; body: BodyInit | undefined; signal: AbortSignal }

async function send(sent: Sent): Promise<Response> {
  const bearer = await token();
  const cacheKey = `${bearer ? "own" : "public"} ${sent.url}`;
  const cached = sent.method === "GET" ? known.get(cacheKey) : undefined;
  let answer = await attempt(sent, bearer, cached?.etag);
  if (answer.status === 401 && bearer) {
    const renewed = await renew();
    if (renewed) answer = await attempt(sent, renewed, cached?.etag);
    else expired.value = true;
  }
  if (answer.status === 304 && cached) {
    return new Response(cached.text, { status: 200, headers: { "Content-Type": cached.type } });
  }
  const etag = answer.headers.get("ETag");
  if (answer.ok && etag && sent.method === "GET") {
    known.set(cacheKey, { etag, text: await answer.clone().text(), type: answer.headers.get("Content-Type") ?? "application/json" });
    if (known.size > 50) known.delete(known.keys().next().value!);
  }
  return answer;
}

async function attempt({ url, method, headers: given, body, signal: outer }: Sent, bearer: string | null, etag?: string): Promise<Response> {
  const headers = new Headers(given);
  if (bearer) headers.set("Authorization", `Bearer ${bearer}`);
  if (etag) headers.set("If-None-Match", etag);
  const signal = AbortSignal.any([outer, AbortSignal.timeout(TIMEOUT_MS)]);
  try {
    const answer = await fetch(url, { method, headers, body, cache: "no-store", credentials: "omit", signal });
    setClock(answer.headers);
    return answer;
  } catch (cause) {
    if (outer.aborted) throw cause;
    const late = (cause as Error).name === "TimeoutError";
    throw new ApiError(0, late ? "timeout" : "offline", late ? "The API did not answer in time." : "The API cannot be reached.");
  }
}

/** Clear all cached answers, e.g. when somebody else signs in. */
export const forget = (): void => known.clear();

/** A request with its complete body: streaming would need HTTP/2. */
async function wholly(request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const body = request.body === null ? undefined : await request.arrayBuffer();
  return send({ url: config.api + pathname + search, method: request.method, headers: request.headers, body, signal: request.signal });
}

export const api = createClient<paths>({ baseUrl: "", fetch: wholly });

/** The data of an answer, or ApiError. */
export async function ok<T>(answer: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await answer;
  if (response.ok) return data as T;
  throw errorOf(response, error);
}

/** An answer that may be 202 with a query id: the request is repeated with the id until the data is ready. */
export async function patiently<T>(ask: (query: string | undefined) => Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let query: string | undefined;
  for (let rounds = 0; rounds < 60; rounds++) {
    const answer = await ask(query);
    if (answer.response.status !== 202) return ok(Promise.resolve(answer));
    query = (answer.data as { query?: string } | undefined)?.query;
    const wait = Number(answer.response.headers.get("Retry-After")) || 2;
    await new Promise((resolve) => setTimeout(resolve, wait * 1000));
  }
  throw new ApiError(504, "timeout", "The query takes too long. Choose a shorter period.");
}

export function errorOf(response: Response, content: unknown): ApiError {
  const said = (content as { error?: { code?: string; message?: string; request_id?: string; details?: Problem[] } } | undefined)?.error ?? {};
  const wait = Number(response.headers.get("Retry-After"));
  return new ApiError(
    response.status, said.code ?? "unknown", said.message || `The server answered ${response.status}.`,
    said.request_id || response.headers.get("X-Request-Id") || "", wait || null, said.details ?? [],
  );
}

/** A request without types from the description: with another kind of body, or to a path that the user typed. */
export async function raw(method: string, path: string, body?: BodyInit, headers: HeadersInit = {}): Promise<Response> {
  return send({ url: config.api + path, method, headers: new Headers(headers), body, signal: new AbortController().signal });
}

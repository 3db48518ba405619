// The REST side of an upload session, for both pages. Addresses are relative to this file, so that the application
// works below any path: a stage, a custom domain, a local gateway.

const ROOT = new URL("../../", import.meta.url);

export class ApiError extends Error {
  constructor(status, code, message, retryAfter) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }

  // Would the same request perhaps work later?
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

// What the API says to programs about its tokens is no help to a person.
const WORDS = {
  401: "This link is not complete. Scan the code again.",
  403: "This link does not open the session. Scan the code again.",
  404: "This code is gone. Get a new one on the other screen.",
};

async function call(method, path, { query = {}, headers = {}, signal } = {}) {
  const url = new URL(path, ROOT);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  let response;
  try {
    response = await fetch(url, { method, headers, signal, cache: "no-store", credentials: "omit" });
  } catch (cause) {
    if (cause.name === "AbortError") throw cause;
    throw new ApiError(0, "offline", "The network is not there just now.");
  }
  const content = response.status === 204 ? null : await response.json().catch(() => null);
  if (response.ok) return content;
  const { code = "unknown", message: said } = content?.error ?? {};
  const message = WORDS[response.status] ?? said ?? `The server answered ${response.status}.`;
  throw new ApiError(response.status, code, message, Number(response.headers.get("Retry-After")) || 0);
}

export const openSession = () => call("POST", "sessions", { query: { phonePage: new URL("u", ROOT).href } });

export const viewAsOwner = ({ sessionId, ownerToken }) =>
  call("GET", `sessions/${sessionId}`, { headers: { "X-Owner-Token": ownerToken } });

export const endSession = ({ sessionId, ownerToken }) =>
  call("DELETE", `sessions/${sessionId}`, { headers: { "X-Owner-Token": ownerToken } });

export const viewAsPhone = ({ sessionId, uploadToken }) =>
  call("GET", `sessions/${sessionId}`, { headers: { "X-Upload-Token": uploadToken } });

export const permitUpload = ({ sessionId, uploadToken }, signal) =>
  call("GET", "upload-url", { query: { sessionId }, headers: { "X-Upload-Token": uploadToken }, signal });

// The time by the API's clock: this computer's may be wrong by a day, and periods and ages are of the API's moments.

const TOLERATED_MS = 60_000; // the header has whole seconds, and an answer takes some

let ahead = 0;

/** Set the clock by an answer's headers; a cache may have kept the answer for a while. */
export function setClock(headers: Headers, local = Date.now()): void {
  const served = Date.parse(headers.get("Date") ?? "") + 1000 * Number(headers.get("Age"));
  if (!Number.isNaN(served)) ahead = Math.abs(served - local) < TOLERATED_MS ? 0 : served - local;
}

/** Milliseconds since 1970 by the API's clock. */
export const clock = (local = Date.now()): number => local + ahead;

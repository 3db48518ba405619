import assert from "node:assert/strict";
import { test } from "node:test";
import { clock, setClock } from "../src/clock.ts";

const NOON = Date.parse("2026-11-29T12:00:00Z");
const DAY_MS = 86_400_000;

test("the clock is the API's where this computer's is wrong", () => {
  for (const wrong of [-DAY_MS, DAY_MS]) {
    setClock(new Headers({ Date: "Sun, 29 Nov 2026 12:00:00 GMT" }), NOON + wrong);
    assert.equal(clock(NOON + wrong), NOON);
  }
  setClock(new Headers({ Date: "Sun, 29 Nov 2026 11:00:00 GMT", Age: "7200" }), NOON);
  assert.equal(clock(NOON), NOON + 3_600_000);
  setClock(new Headers(), NOON);
  assert.equal(clock(NOON), NOON + 3_600_000, "an answer without a time changes nothing");
});

test("seconds of difference are an answer's way", () => {
  setClock(new Headers({ Date: "Sun, 29 Nov 2026 11:59:30 GMT" }), NOON);
  assert.equal(clock(NOON), NOON);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { ago, bytes, cents, countsOf, date, duration, money, number, percent, plural, short, time, words } from "../src/format.ts";

test("numbers are grouped, and what is unknown is a dash", () => {
  assert.equal(number(1234567.4), "1,234,567");
  assert.equal(number(1.005, 2), "1.01");
  assert.equal(number(null), "–");
  assert.equal(short(1_234_567), "1.2M");
  assert.equal(percent(0.97142, 1), "97.1%");
  assert.equal(percent(null), "–");
});

test("counts of things are told, those of nothing are not", () => {
  assert.equal(countsOf({ accounts: 2, transactions: 1200, liabilities: 1, removed: 0 }), "2 accounts, 1,200 transactions, 1 liability");
  assert.equal(countsOf({ accounts: 0 }), "");
});

test("money is in its own currency, one that no standard knows included", () => {
  assert.equal(cents(-123_456), "-$1,234.56");
  assert.equal(cents(null), "–");
  assert.equal(money("5408971.00", "USD", 0), "$5,408,971");
  assert.equal(cents(1000, "EUR"), "€10.00");
  assert.equal(cents(1000, "not a currency"), "10.00 not a currency");
});

test("moments are in UTC, whatever this computer's zone", () => {
  assert.equal(time("2026-11-29T23:59:59-01:00"), "Nov 30, 00:59 UTC");
  assert.equal(time(1795970570), "Nov 29, 16:42 UTC");
  assert.equal(date("2026-11-21"), "Nov 21, 2026");
  assert.equal(date("nonsense"), "–");
  assert.equal(time(""), "–");
});

test("ages and durations use the largest unit that fits", () => {
  const now = Date.parse("2026-11-29T12:00:00Z");
  assert.equal(ago("2026-11-29T11:59:58Z", now), "just now");
  assert.equal(ago("2026-11-29T11:48:00Z", now), "12 min ago");
  assert.equal(ago("2026-11-30T12:00:00Z", now), "in 24 h");
  assert.deepEqual([0.25, 1.23, 59, 90, 7200, 259_200, null].map(duration), ["250 ms", "1.2 s", "59 s", "2 min", "2 h", "3 days", "–"]);
});

test("bytes, words and plurals", () => {
  assert.equal(words("sagemaker"), "SageMaker");
  assert.deepEqual([999, 48_500, 48_500_000, 2_000_000_000].map(bytes), ["999 bytes", "49 kB", "48.5 MB", "2.00 GB"]);
  assert.equal(words("FOOD_AND_DRINK"), "Food and drink");
  assert.equal(words("anomaly-detection"), "Anomaly detection");
  assert.equal(words(null), "–");
  assert.equal(plural(1, "run"), "1 run");
  assert.equal(plural(1200, "run"), "1,200 runs");
});

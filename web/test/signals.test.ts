import assert from "node:assert/strict";
import { test } from "node:test";
import { groupsOf, nameOfSignal, thresholdOf, valueOf } from "../src/signals.ts";

test("a signal's value and what it is compared with have its unit", () => {
  assert.equal(nameOfSignal("monthly_recurring_cents"), "Monthly recurring");
  assert.equal(valueOf("monthly_recurring_cents", 18_100), "$181.00");
  assert.equal(valueOf("subscription_share", 0.0914), "9.1%");
  assert.equal(valueOf("emergency_months", 2.5), "2.50");
  assert.equal(valueOf("overdue", false), "no");
  assert.equal(valueOf("max_utilization", null), "unknown");
  assert.equal(thresholdOf("monthly_recurring_cents", ">= 5000"), "at least $50.00");
  assert.equal(thresholdOf("utilization", "< 0.3"), "less than 30.0%");
  assert.equal(thresholdOf("overdue", "is true"), "is true");
  assert.equal(thresholdOf("x", null), "–");
});

test("nested signals become groups", () => {
  const groups = groupsOf({ as_of: "2026-11-29", credit: { limit: 2, top: { name: "x" } } });
  assert.deepEqual(groups.map((group) => group.title), ["", "Credit", "Credit: Top"]);
});

test("signals are in the order of their topics, whatever the API's order", () => {
  const groups = groupsOf({ cards: 2, spend_cents: 7, unheard_of: 1, transactions: 9 });
  assert.deepEqual(groups.map(({ title, rows }) => [title, rows.map(([name]) => name)]), [
    ["", ["unheard_of"]], ["Spending", ["transactions", "spend_cents"]], ["Credit cards", ["cards"]],
  ]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { afterNews, retryAfter } from "../src/news.ts";

test("a socket that is cut is tried again, less and less often", () => {
  assert.deepEqual([0, 1, 2, 5, 50].map(retryAfter), [1000, 2000, 4000, 30_000, 30_000]);
});

test("news of a row goes where the row is, on top, or takes it away", () => {
  const rows = [{ id: "b", state: "running" }, { id: "a", state: "failed" }];
  const idOf = ({ id }: { id: string }): string => id;
  assert.deepEqual(afterNews(rows, { id: "a", state: "queued" }, idOf, true), [rows[0], { id: "a", state: "queued" }]);
  assert.deepEqual(afterNews(rows, { id: "c", state: "queued" }, idOf, true).map(idOf), ["c", "b", "a"]);
  assert.deepEqual(afterNews(rows, { id: "b", state: "failed" }, idOf, false), [rows[1]]);
  assert.deepEqual(afterNews([], { id: "b", state: "failed" }, idOf, false), []);
});

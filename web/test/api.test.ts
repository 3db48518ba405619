import assert from "node:assert/strict";
import { test } from "node:test";
import { advice, ApiError, errorOf } from "../src/api.ts";
import { claimsOf, lifetime } from "../src/session.ts";

test("an error says what to do and keeps its request id", () => {
  const answer = new Response("{}", { status: 429, headers: { "Retry-After": "7", "X-Request-Id": "req-1" } });
  const error = errorOf(answer, { error: { code: "rate_limited", message: "Too many", request_id: "", details: [] } });
  assert.deepEqual([error.status, error.code, error.message, error.requestId, error.retryAfter, error.passing], [429, "rate_limited", "Too many", "req-1", 7, true]);
  assert.match(advice(error), /again in 7 s/);
  for (const status of [0, 401, 403, 404, 409, 422, 503]) assert.ok(advice(new ApiError(status, "x", "y")).length > 10);
  assert.match(advice(new TypeError("bug")), /defect/);
});

test("an answer that is no error of ours is one all the same", () => {
  assert.equal(errorOf(new Response("<html>", { status: 502 }), undefined).message, "The server answered 502.");
});

test("a token lives as long as it says, whatever the clock of this computer", () => {
  const part = (content: object) => Buffer.from(JSON.stringify(content)).toString("base64url");
  const token = `${part({})}.${part({ sub: "ünïcode", iat: 1000, exp: 4600 })}.x`;
  assert.equal(lifetime(token), 3_600_000);
  assert.equal(claimsOf(token).sub, "ünïcode");
});

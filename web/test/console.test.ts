import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf, boundsOf, exampleOf, kindOf, matches, operations, type Description } from "../src/openapi.ts";
import { isThisComputer, keptSessions } from "../src/photos.ts";
import { href, parse, parts, route } from "../src/router.ts";

test("addresses keep their query, and leave out what is empty", () => {
  assert.equal(href("/flights", { q: "a b&c", phase: "", low: null, at: 3 }), "#/flights?q=a+b%26c&at=3");
  assert.deepEqual(parse("#/flights?q=a+b%26c&at=3"), { path: "/flights", query: { q: "a b&c", at: "3" } });
  assert.deepEqual(parse(""), { path: "/", query: {} });
  assert.deepEqual(parse("#/people/%D7%A9?x=%3Cb%3E"), { path: "/people/%D7%A9", query: { x: "<b>" } });
});

test("an address that is not encoded is shown as it was typed", () => {
  route.value = parse("#/people/100%/%D7%A9");
  assert.deepEqual(parts.value, ["people", "100%", "ש"]);
});

const description: Description = {
  paths: { "/tickets/{id}": { post: {
    operationId: "predict", summary: "Forecast sales", tags: ["concerts"], parameters: [
      { name: "id", in: "path", required: true, schema: { type: "string" } }, { name: "days", in: "query", schema: { type: "integer", minimum: 1, maximum: 31, default: 1 } },
    ],
    requestBody: { content: { "application/json": { schema: { $ref: "#/components/schemas/Query" } } } }, responses: {},
  } } },
  components: { schemas: {
    Query: { type: "object", required: ["id", "when", "kind", "tags"], properties: {
      id: { type: "string", examples: ["con-1"] }, when: { type: "string", format: "date" }, kind: { enum: ["a", "b"] },
      tags: { type: "array", items: { type: "number", minimum: 2 } }, more: { anyOf: [{ $ref: "#/components/schemas/Query" }, { type: "null" }] },
    } },
  } },
};

test("the reference reads a description", () => {
  const [operation] = operations(description);
  assert.equal(`${operation.method} ${operation.path}`, "POST /tickets/{id}");
  assert.ok(matches(operation, "forecast post") && matches(operation, "DAYS") && !matches(operation, "forecast venue"));
  assert.equal(addressOf(operation, { id: "a/b", days: "" }), "/tickets/a%2Fb");
  assert.equal(addressOf(operation, { id: "x", days: "3" }), "/tickets/x?days=3");
  assert.deepEqual(exampleOf({ $ref: "#/components/schemas/Query" }, description), { id: "con-1", when: "2026-11-21", kind: "a", tags: [2] });
  assert.equal(kindOf(description.components.schemas.Query.properties!.more), "Query | null");
  assert.equal(boundsOf(operation.parameters![1].schema), "1 to 31, default 1");
});

test("a schema that holds itself has an end", () => {
  const endless: Description = { paths: {}, components: { schemas: { A: { type: "object", required: ["a"], properties: { a: { $ref: "#/components/schemas/A" } } } } } };
  assert.ok(exampleOf({ $ref: "#/components/schemas/A" }, endless));
});

test("codes are kept for a day, and nonsense is no code", () => {
  const now = Date.now();
  const kept = [{ sessionId: "1", openedAt: now - 1000 }, { sessionId: "2", openedAt: now - 90_000_000 }];
  assert.deepEqual(keptSessions(JSON.stringify(kept), now).map((each) => each.sessionId), ["1"]);
  assert.deepEqual(keptSessions("{", now), []);
  assert.ok(isThisComputer("http://127.0.0.1:8080/api/u/x") && !isThisComputer("https://d1.cloudfront.net/api/u/x"));
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { nameFor, outputFor } from "../src/places.ts";

test("output is named after the data and the model", () => {
  assert.equal(outputFor("s3://b/data/uploads/rows.csv.gz", "demo/price model.skops"), "s3://b/output/rows-price-model.csv.gz");
  assert.equal(outputFor("s3://b/rows", "m"), "s3://b/output/rows-m");
});

test("any file name becomes one that the API takes", () => {
  const taken = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/;
  for (const name of ["rows.csv", "мои данные.csv", "..hidden", "x".repeat(300) + ".csv.gz", "", "a b/c.parquet"]) assert.match(nameFor(name), taken);
  assert.ok(nameFor("x".repeat(300) + ".csv.gz").endsWith(".csv.gz"));
});

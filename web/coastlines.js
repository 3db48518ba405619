// Makes the coastlines of a map that is zoomed in: Natural Earth's 1:10 m, without the points that no zoom shows.

import { readFileSync, writeFileSync } from "node:fs";
import { filter, filterWeight, presimplify, simplify, sphericalTriangleArea } from "topojson-simplify";
import { quantize } from "topojson-client";

const SMALLEST = 2e-8; // steradians of the triangle that a point stands for: 0.8 square kilometres
const STEPS = 1e6; // in each direction: 40 m
const source = new URL("node_modules/world-atlas/countries-10m.json", import.meta.url);
const target = new URL("generated/coastlines-10m.json", import.meta.url);

const whole = JSON.parse(readFileSync(source, "utf8"));
for (const country of whole.objects.countries.geometries) delete country.properties;
delete whole.objects.land;
const simple = simplify(presimplify(whole, sphericalTriangleArea), SMALLEST);
writeFileSync(target, JSON.stringify(quantize(filter(simple, filterWeight(simple, SMALLEST, sphericalTriangleArea)), STEPS)));

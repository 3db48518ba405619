// Signals in readable form: names, values and comparisons.

import { cents, number, percent, words } from "./format.ts";

export const nameOfSignal = (name: string): string => words(name.replace(/_cents$/, ""));

/** A signal's value by its name: cents are money, shares and rates percent. */
export function valueOf(name: string, value: unknown): string {
  if (value === null || value === undefined) return "unknown";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "number") return String(value);
  if (name.endsWith("_cents")) return cents(value);
  if (/(share|utilization|rate|growth|ratio)$/.test(name)) return percent(value, 1);
  return number(value, Number.isInteger(value) ? 0 : 2);
}

const COMPARED: Record<string, string> = { ">=": "at least", ">": "more than", "<=": "at most", "<": "less than", "=": "", "==": "" };

/** ">= 5000" of a signal in cents is "at least $50.00"; other texts are unchanged. */
export function thresholdOf(name: string, threshold: string | null): string {
  const [, sign, text] = /^(>=|<=|==|>|<|=)\s*(-?[\d.]+)$/.exec(threshold ?? "") ?? [];
  return sign === undefined ? threshold ?? "–" : `${COMPARED[sign]} ${valueOf(name, Number(text))}`.trim();
}

export interface Group { title: string; rows: [string, unknown][] }

/** Signals as groups of names and values; nested signals get a group of their own. */
export function groupsOf(signals: Record<string, unknown>): Group[] {
  const plain: [string, unknown][] = [];
  const groups: Group[] = [];
  for (const [name, value] of Object.entries(signals)) {
    if (value !== null && typeof value === "object" && !Array.isArray(value)) {
      groups.push(...groupsOf(value as Record<string, unknown>).map((group) => ({ title: group.title ? `${words(name)}: ${group.title}` : words(name), rows: group.rows })));
    } else plain.push([name, value]);
  }
  return plain.length ? [{ title: "", rows: plain }, ...groups] : groups;
}

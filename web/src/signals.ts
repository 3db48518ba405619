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

/** The topics of signals, in the order of reading; the API's own order is not always one. */
const TOPICS: [string, string[]][] = [
  ["Spending", ["observed_days", "transactions", "other_currency_transactions", "spend_cents", "monthly_expenses_cents"]],
  ["Subscriptions", ["recurring_merchants", "recurring_spend_cents", "monthly_recurring_cents", "subscription_share", "top_subscription"]],
  ["Savings", ["savings_accounts", "high_yield_accounts", "savings_balance_cents", "savings_inflow_cents", "monthly_savings_inflow_cents", "savings_growth", "emergency_fund_cents", "emergency_months", "emergency_band"]],
  ["Credit cards", ["cards", "cards_unmeasured", "max_utilization", "total_utilization", "cards_at_30", "cards_at_50", "cards_at_80", "top_card", "minimum_only_cards", "interest_cents", "overdue_cards"]],
  ["Income", ["income_lookback_days", "pay_dates", "median_pay_gap_days", "pay_variation", "monthly_income_cents", "checking_balance_cents", "buffer_months"]],
];

export interface Group { title: string; rows: [string, unknown][] }

/** Signals as groups of names and values by topic, after those without one; nested signals get a group of their own. */
export function groupsOf(signals: Record<string, unknown>): Group[] {
  const plain: [string, unknown][] = [];
  const groups: Group[] = [];
  for (const [name, value] of Object.entries(signals)) {
    if (value !== null && typeof value === "object" && !Array.isArray(value)) {
      groups.push(...groupsOf(value as Record<string, unknown>).map((group) => ({ title: group.title ? `${words(name)}: ${group.title}` : words(name), rows: group.rows })));
    } else plain.push([name, value]);
  }
  const topical = new Set(TOPICS.flatMap(([, names]) => names));
  const topics = TOPICS.map(([title, names]): Group => ({ title, rows: names.flatMap((name) => plain.filter((row) => row[0] === name)) }));
  return [{ title: "", rows: plain.filter(([name]) => !topical.has(name)) }, ...topics].filter((group) => group.rows.length).concat(groups);
}

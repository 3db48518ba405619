// Formatting of values for people. Pure functions, testable without a browser.

import { clock } from "./clock.ts";

const LOCALE = "en-US";
const whole = new Intl.NumberFormat(LOCALE);
const compact = new Intl.NumberFormat(LOCALE, { notation: "compact", maximumFractionDigits: 1 });
const day = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const moment = new Intl.DateTimeFormat(LOCALE, {
  day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "UTC",
});

export const NONE = "–";

export const number = (value: number | null | undefined, digits = 0): string =>
  value == null ? NONE : digits ? value.toLocaleString(LOCALE, { minimumFractionDigits: digits, maximumFractionDigits: digits }) : whole.format(Math.round(value));

export const short = (value: number | null | undefined): string => (value == null ? NONE : compact.format(value));

export const percent = (share: number | null | undefined, digits = 0): string =>
  share == null ? NONE : `${(share * 100).toFixed(digits)}%`;

/** Money in hundredths of a currency. */
export function cents(value: number | null | undefined, currency = "USD"): string {
  return value == null ? NONE : money(value / 100, currency);
}

export function money(value: number | string | null | undefined, currency = "USD", digits = 2): string {
  if (value == null) return NONE;
  const options = { style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits } as const;
  try {
    return Number(value).toLocaleString(LOCALE, options);
  } catch { // a currency that no standard knows
    return `${Number(value).toLocaleString(LOCALE, { minimumFractionDigits: digits })} ${currency}`;
  }
}

/** A day such as 2026-11-21, or a moment, as a day in UTC. */
export const date = (value: string | number | null | undefined): string => {
  const at = instant(value);
  return at ? day.format(at) : NONE;
};

/** A moment to the minute in UTC. Numbers are seconds since 1970. */
export const time = (value: string | number | null | undefined): string => {
  const at = instant(value);
  return at ? `${moment.format(at)} UTC` : NONE;
};

export function instant(value: string | number | null | undefined): Date | null {
  if (value == null || value === "") return null;
  const at = new Date(typeof value === "number" ? value * 1000 : value);
  return Number.isNaN(at.getTime()) ? null : at;
}

/** Time since a moment, in the largest suitable unit. */
export function ago(value: string | number | null | undefined, now = clock()): string {
  const at = instant(value);
  if (!at) return NONE;
  const seconds = Math.round((now - at.getTime()) / 1000);
  return seconds < 0 ? `in ${duration(-seconds)}` : seconds < 5 ? "just now" : `${duration(seconds)} ago`;
}

export function duration(seconds: number | null | undefined): string {
  if (seconds == null) return NONE;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds < 10 ? Number(seconds.toFixed(1)) : Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 2 * 86400) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

export function bytes(count: number | null | undefined): string {
  if (count == null) return NONE;
  if (count < 1000) return `${count} bytes`;
  if (count < 1e6) return `${Math.round(count / 1e3)} kB`;
  return count < 1e9 ? `${(count / 1e6).toFixed(1)} MB` : `${(count / 1e9).toFixed(2)} GB`;
}

const SPELLED: Record<string, string> = { mcp: "MCP", sagemaker: "SageMaker", spendsense: "SpendSense", subscription_heavy: "Subscription-heavy" };

/** FOOD_AND_DRINK, on-ground-speed and emergency_months become words. */
export function words(name: string | null | undefined): string {
  if (!name) return NONE;
  if (SPELLED[name]) return SPELLED[name];
  const text = name.replaceAll(/[_-]+/g, " ").trim().toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${whole.format(count)} ${count === 1 ? one : many}`;

/** Counts of things by their plural names, such as "2 accounts, 1 liability"; empty if there is nothing. */
export const countsOf = (counts: Record<string, number>): string =>
  Object.entries(counts).filter(([, count]) => count).map(([name, count]) => plural(count, name.replace(/ies$/, "y").replace(/s$/, ""), name)).join(", ");

export const lastPart = (uri: string | null | undefined): string => uri?.split("/").filter(Boolean).pop() ?? NONE;

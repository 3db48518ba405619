// Selection, colours and order of the aircraft.

export interface Plane {
  icao24: string;
  callsign: string | null;
  origin_country: string | null;
  latitude: number;
  longitude: number;
  baro_altitude_ft: number | null;
  velocity_kt: number | null;
  true_track: number | null;
  vertical_rate_fpm: number | null;
  flight_phase: string | null;
  last_contact: number | null;
}

export interface Filter { text: string; phase: string; low: number | null; high: number | null }

export const PHASES = ["GROUND", "CLIMB", "CRUISE", "LEVEL", "DESCENT"] as const;

export function filterOf(query: Record<string, string>): Filter {
  return { text: query.q ?? "", phase: query.phase ?? "", low: numberOf(query.low), high: numberOf(query.high) };
}

export function numberOf(text: string | undefined): number | null {
  if (text === undefined || text.trim() === "") return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

/** Whether an aircraft passes. Unknown altitudes pass no altitude filter. */
export function passes(plane: Plane, filter: Filter): boolean {
  if (filter.phase && plane.flight_phase !== filter.phase) return false;
  const altitude = plane.baro_altitude_ft;
  if (filter.low !== null && (altitude === null || altitude < filter.low)) return false;
  if (filter.high !== null && (altitude === null || altitude > filter.high)) return false;
  const text = filter.text.trim().toLowerCase();
  return !text || plane.icao24.includes(text) || (plane.callsign ?? "").trim().toLowerCase().includes(text)
    || (plane.origin_country ?? "").toLowerCase().includes(text);
}

/** Bands of altitude: the name, and the colour on light and on dark ground. */
export const BANDS = [
  { name: "ground or unknown", below: 1, light: "#6b7585", dark: "#8d97a6" },
  { name: "below 10,000 ft", below: 10_000, light: "#c2410c", dark: "#fb923c" },
  { name: "below 25,000 ft", below: 25_000, light: "#0f766e", dark: "#2dd4bf" },
  { name: "25,000 ft and above", below: Infinity, light: "#2456d6", dark: "#8fb0ff" },
] as const;

export function bandOf(plane: Plane): number {
  if (plane.flight_phase === "GROUND" || plane.baro_altitude_ft === null) return 0;
  return BANDS.findIndex((band, index) => index > 0 && plane.baro_altitude_ft! < band.below);
}

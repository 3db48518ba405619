// The upload sessions of this browser, which is the only place with their owner tokens.

export interface KeptSession {
  sessionId: string;
  ownerToken: string;
  phoneUrl: string;
  qrCode: string;
  socketUrl: string | null;
  openedAt: number; // ms by this computer's clock, as is endsAt: the server's clock may differ
  endsAt: number;
}

const NAME = "omnibus-photos";
const DAY_MS = 86_400_000;

export function keptSessions(text: string | null = localStorage.getItem(NAME), now = Date.now()): KeptSession[] {
  try {
    const found = JSON.parse(text ?? "[]") as KeptSession[];
    return found.filter((each) => now - each.openedAt < DAY_MS); // photos are kept for a day
  } catch {
    return [];
  }
}

export function keep(session: KeptSession): void {
  save([session, ...keptSessions().filter((each) => each.sessionId !== session.sessionId)]);
}

export const drop = (id: string): void => save(keptSessions().filter((each) => each.sessionId !== id));

const save = (sessions: KeptSession[]): void => localStorage.setItem(NAME, JSON.stringify(sessions));

/** Whether no other device can reach this address. */
export const isThisComputer = (url: string): boolean => ["localhost", "127.0.0.1", "[::1]"].includes(new URL(url).hostname);

export const REASONS: Record<string, string> = {
  not_an_image: "That file is not a supported photo. Send a JPEG, PNG, GIF, WebP or HEIC.",
  too_large: "That photo is too large.",
  empty: "That file is empty.",
};

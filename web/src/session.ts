// The signed-in person. Tokens are kept only in memory and are renewed without a reload.
//
// In AWS, Cognito's own pages sign people in (authorization code with PKCE); in the local cloud, our own form calls
// Cognito's InitiateAuth. A token's expiry is counted from its arrival, because this computer's clock may be wrong.

import { computed, signal } from "@preact/signals";
import { config } from "./config.ts";

interface Tokens { id: string; refresh: string | null; endsAt: number }
export interface Person { id: string; name: string; groups: string[] }

const MARGIN_MS = 60_000;
const PENDING = "omnibus-sign-in";
const KNOWN = "omnibus-known";

const tokens = signal<Tokens | null>(null);
export const expired = signal(false);

export const person = computed<Person | null>(() => {
  if (!tokens.value) return null;
  const claims = claimsOf(tokens.value.id);
  const groups = claims["cognito:groups"];
  return {
    id: String(claims.sub),
    name: String(claims.email ?? claims["cognito:username"] ?? claims.sub),
    groups: Array.isArray(groups) ? groups.map(String) : [],
  };
});
export const isOperator = computed(() => person.value?.groups.includes("operators") ?? false);

export function claimsOf(token: string): Record<string, unknown> {
  const text = atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"));
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(text, (letter) => letter.charCodeAt(0))));
}

/** A token's lifetime in milliseconds, according to its claims. */
export function lifetime(token: string): number {
  const { iat, exp } = claimsOf(token);
  return (Number(exp) - Number(iat)) * 1000;
}

/** Whether somebody was signed in before this page was loaded. */
export const wasSignedIn = (): boolean => sessionStorage.getItem(KNOWN) !== null;

function keep(id: string, refresh: string | null): void {
  tokens.value = { id, refresh, endsAt: performance.now() + lifetime(id) };
  expired.value = false;
  sessionStorage.setItem(KNOWN, "1");
}

/** The ID token for the next request, renewed if it is about to expire; null if nobody is signed in. */
export async function token(): Promise<string | null> {
  const now = tokens.peek();
  if (!now) return null;
  if (now.endsAt - performance.now() > MARGIN_MS) return now.id;
  return (await renew()) ?? now.id;
}

let renewing: Promise<string | null> | null = null;

/** A new ID token, or null if the session has ended. */
export function renew(): Promise<string | null> {
  renewing ??= renewOnce().finally(() => { renewing = null; });
  return renewing;
}

async function renewOnce(): Promise<string | null> {
  const now = tokens.peek();
  if (!now) return null;
  if (now.refresh) {
    try {
      const found = config.signIn.kind === "hosted"
        ? await exchange({ grant_type: "refresh_token", refresh_token: now.refresh })
        : await initiate("REFRESH_TOKEN_AUTH", { REFRESH_TOKEN: now.refresh });
      keep(found.id, found.refresh ?? now.refresh);
      return tokens.peek()!.id;
    } catch (error) {
      if (error instanceof TypeError) return null; // offline: the old token may still do
    }
  }
  tokens.value = null;
  expired.value = true;
  return null;
}

export class SignInError extends Error {}

export async function signInWithPassword(username: string, password: string): Promise<void> {
  const found = await initiate("USER_PASSWORD_AUTH", { USERNAME: username, PASSWORD: password });
  keep(found.id, found.refresh);
}

/** Go to Cognito's pages, which redirect back here. */
export async function leaveToSignIn(): Promise<void> {
  const verifier = random(48);
  const state = random(16);
  const back = location.hash;
  sessionStorage.setItem(PENDING, JSON.stringify({ verifier, state, back }));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const asked = new URLSearchParams({
    response_type: "code", client_id: config.client, redirect_uri: here(), scope: "openid email", state,
    code_challenge_method: "S256", code_challenge: base64url(new Uint8Array(digest)),
  });
  if (config.signIn.kind === "hosted") location.assign(`${config.signIn.domain}/oauth2/authorize?${asked}`);
}

/** Complete the sign-in after Cognito's redirect, if there was one. */
export async function resume(): Promise<void> {
  const given = new URLSearchParams(location.search);
  const code = given.get("code");
  if (!code && !given.has("error")) return;
  const pending = JSON.parse(sessionStorage.getItem(PENDING) ?? "null");
  sessionStorage.removeItem(PENDING);
  history.replaceState(null, "", `${location.pathname}${pending?.back ?? ""}`);
  if (!code || pending?.state !== given.get("state")) return; // refused, or not asked for by this page
  const found = await exchange({ grant_type: "authorization_code", code, code_verifier: pending.verifier, redirect_uri: here() });
  keep(found.id, found.refresh);
}

export async function signOut(): Promise<void> {
  const refresh = tokens.peek()?.refresh;
  tokens.value = null;
  expired.value = false;
  sessionStorage.removeItem(KNOWN);
  if (config.signIn.kind === "hosted") {
    location.assign(`${config.signIn.domain}/logout?${new URLSearchParams({ client_id: config.client, logout_uri: here() })}`);
  } else if (refresh) {
    await ask("RevokeToken", { ClientId: config.client, Token: refresh }).catch(() => undefined);
  }
}

async function exchange(form: Record<string, string>): Promise<{ id: string; refresh: string | null }> {
  if (config.signIn.kind !== "hosted") throw new SignInError("This deployment has no sign-in page.");
  const answer = await fetch(`${config.signIn.domain}/oauth2/token`, {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ ...form, client_id: config.client }),
  });
  if (!answer.ok) throw new SignInError("Cognito did not accept the sign-in. Sign in again.");
  const content = await answer.json();
  return { id: content.id_token, refresh: content.refresh_token ?? null };
}

async function initiate(flow: string, parameters: Record<string, string>): Promise<{ id: string; refresh: string | null }> {
  const content = await ask("InitiateAuth", { AuthFlow: flow, ClientId: config.client, AuthParameters: parameters });
  const result = content.AuthenticationResult as { IdToken: string; RefreshToken?: string } | undefined;
  if (!result) throw new SignInError("This account needs another step before it can sign in; ask an operator.");
  return { id: result.IdToken, refresh: result.RefreshToken ?? null };
}

async function ask(action: string, content: unknown): Promise<Record<string, unknown>> {
  if (config.signIn.kind !== "password") throw new SignInError("This deployment has a sign-in page of its own.");
  const answer = await fetch(`${config.signIn.endpoint}/`, {
    method: "POST",
    headers: { "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": `AWSCognitoIdentityProviderService.${action}` },
    body: JSON.stringify(content),
  });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new SignInError(said.message ?? "The sign-in failed.");
  return said;
}

const here = (): string => `${location.origin}${location.pathname}`;
const random = (count: number): string => base64url(crypto.getRandomValues(new Uint8Array(count)));
const base64url = (data: Uint8Array): string =>
  btoa(String.fromCharCode(...data)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

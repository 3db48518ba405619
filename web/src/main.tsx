import "./app.css";
import { render, type ComponentType } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { effect, signal, useSignal } from "@preact/signals";
import { forget } from "./api";
import { config, configure } from "./config";
import { href, route } from "./router";
import { expired, isOperator, person, resume, signOut } from "./session";
import { Bones, Empty, Fault, Note, Page, Toast } from "./ui";

type Screen = ComponentType;
interface Entry { path: string; name: string; load: () => Promise<Screen>; operators?: boolean; menu?: false }

const SECTIONS: { title: string; entries: Entry[] }[] = [
  { title: "", entries: [{ path: "/", name: "Overview", load: async () => (await import("./screens/overview")).Overview }] },
  {
    title: "Flights",
    entries: [
      { path: "/flights", name: "Live map", load: async () => (await import("./screens/live")).Live },
      { path: "/flights/traffic", name: "Traffic", load: async () => (await import("./screens/traffic")).Traffic },
      { path: "/flights/runs", name: "Runs and quality", load: async () => (await import("./screens/runs")).Runs },
      { path: "/flights/ingestion", name: "Ingestion", operators: true, load: async () => (await import("./screens/runs")).Ingestion },
    ],
  },
  {
    title: "Concerts",
    entries: [
      { path: "/concerts", name: "Find a concert", load: async () => (await import("./screens/concerts")).Finder },
      { path: "/concerts/venues", name: "Venue ranking", load: async () => (await import("./screens/concerts")).Venues },
      { path: "/concerts/recommendations", name: "Recommendations", load: async () => (await import("./screens/concerts")).Recommendations },
      { path: "/concerts/forecast", name: "Sales forecast", load: async () => (await import("./screens/concerts")).Forecast },
      { path: "/concerts/chat", name: "Chat", load: async () => (await import("./screens/chat")).Chat },
    ],
  },
  {
    title: "Predictions",
    entries: [
      { path: "/predictions", name: "Jobs", operators: true, load: async () => (await import("./screens/predictions")).Jobs },
      { path: "/predictions/models", name: "Models", operators: true, load: async () => (await import("./screens/predictions")).Models },
      { path: "/predictions/new", name: "New job", operators: true, load: async () => (await import("./screens/predictions")).NewJob },
    ],
  },
  {
    title: "My money",
    entries: [
      { path: "/money", name: "At a glance", load: async () => (await import("./screens/money")).Month },
      { path: "/money/transactions", name: "Transactions", load: async () => (await import("./screens/money")).Transactions },
      { path: "/money/recommendations", name: "Recommendations", load: async () => (await import("./screens/money")).Advice },
      { path: "/money/data", name: "Consent and data", load: async () => (await import("./screens/money")).OwnData },
    ],
  },
  {
    title: "Operators",
    entries: [
      { path: "/people", name: "People", operators: true, load: async () => (await import("./screens/people")).People },
      { path: "/review", name: "Review queue", operators: true, load: async () => (await import("./screens/people")).Review },
      { path: "/fairness", name: "Coverage and fairness", operators: true, load: async () => (await import("./screens/people")).Fairness },
    ],
  },
  { title: "Photos", entries: [{ path: "/photos", name: "From your phone", load: async () => (await import("./screens/photos")).Photos }] },
  {
    title: "Developers",
    entries: [
      { path: "/reference", name: "API reference", load: async () => (await import("./screens/reference")).Reference },
      { path: "/sign-in", name: "Sign in", menu: false, load: async () => (await import("./screens/signin")).SignIn },
    ],
  },
];
const ENTRIES = SECTIONS.flatMap((section) => section.entries);

/** The entry whose path is the longest prefix of the address. */
const entryOf = (path: string): Entry | undefined =>
  ENTRIES.filter((entry) => path === entry.path || (entry.path !== "/" && path.startsWith(`${entry.path}/`)))
    .sort((one, other) => other.path.length - one.path.length)[0];

const THEMES = ["system", "light", "dark"] as const;
const theme = signal(localStorage.getItem("omnibus-theme") ?? "system");
effect(() => {
  document.documentElement.dataset.theme = theme.value;
  localStorage.setItem("omnibus-theme", theme.value);
});
const online = signal(navigator.onLine);
addEventListener("online", () => { online.value = true; });
addEventListener("offline", () => { online.value = false; });

function Outlet() {
  const { path } = route.value;
  const entry = entryOf(path);
  const screen = useSignal<{ of: Entry; is: Screen } | null>(null);
  const error = useSignal<unknown>(null);
  useEffect(() => {
    if (!entry || screen.peek()?.of === entry) return;
    error.value = null;
    let left = false; // for another screen, before this one was loaded
    entry.load().then((is) => { if (!left) screen.value = { of: entry, is }; }, (cause) => { if (!left) error.value = cause; });
    return () => { left = true; };
  }, [entry]);
  if (!entry) {
    return <Page title="There is no such page"><Empty title="No page has this address"><a class="button" href="#/">Go to the overview</a></Empty></Page>;
  }
  if (error.value) return <Fault error={error.value} again={() => location.reload()} />;
  const Found = screen.value?.of === entry ? screen.value.is : null;
  return Found ? <Found key={entry.path} /> : <Bones lines={8} height={28} />;
}

function Frame() {
  const open = useSignal(false);
  const main = useRef<HTMLElement>(null);
  const { path } = route.value;
  const current = entryOf(path);
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) main.current?.focus({ preventScroll: true });
    first.current = false;
  }, [current]);
  useEffect(() => {
    const close = (event: KeyboardEvent): void => { if (event.key === "Escape") open.value = false; };
    addEventListener("keydown", close);
    return () => removeEventListener("keydown", close);
  }, []);
  const sections = SECTIONS.map((section) => ({
    ...section, entries: section.entries.filter((entry) => entry.menu !== false && (!entry.operators || isOperator.value)),
  })).filter((section) => section.entries.length);
  const brand = <a class="brand" href="#/"><img src="favicon.svg" alt="" />Omnibus{config.stage !== "prod" && <small>{config.stage}</small>}</a>;
  const opened = open.value ? true : undefined;
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>Skip to the content</a>
      <div class="frame">
        <header class="top">
          {brand}
          <button type="button" aria-expanded={open.value} aria-controls="side" onClick={() => { open.value = !open.value; }}>Menu</button>
        </header>
        <button type="button" class="scrim" data-open={opened} aria-label="Close the menu" tabIndex={-1} onClick={() => { open.value = false; }} />
        <aside id="side" class="side" data-open={opened} aria-label="Console">
          {brand}
          <nav class="menu" aria-label="Screens" onClick={() => { open.value = false; }}>
            {sections.map((section) => (
              <div key={section.title}>
                {section.title && <h2>{section.title}</h2>}
                {section.entries.map((entry) => (
                  <a key={entry.path} href={href(entry.path)} aria-current={entry === current ? "page" : undefined}>{entry.name}</a>
                ))}
              </div>
            ))}
          </nav>
          <div class="who">
            {person.value
              ? <>
                  <span class="name" title={person.value.name}>{person.value.name}</span>
                  <div class="row"><span class="quiet">{isOperator.value ? "Operator" : "Signed in"}</span><button type="button" class="plain" onClick={() => { forget(); void signOut(); }}>Sign out</button></div>
                </>
              : <a class="button primary" href={href("/sign-in", { then: path === "/sign-in" ? null : location.hash.slice(1) })}>Sign in</a>}
            <div class="row">
              <label for="theme" class="quiet">Theme</label>
              <select id="theme" style={{ width: "auto" }} value={theme.value} onChange={(event) => { theme.value = event.currentTarget.value; }}>
                {THEMES.map((each) => <option key={each} value={each} selected={each === theme.value}>{each.charAt(0).toUpperCase() + each.slice(1)}</option>)}
              </select>
            </div>
          </div>
        </aside>
        <main ref={main} id="main" tabIndex={-1} data-at={location.hash}>
          {!online.value && <Note tone="warn"><p role="status">You are offline. The data shown may be old; it reloads when the connection is back.</p></Note>}
          {expired.value && !person.value && path !== "/sign-in" && (
            <Note tone="warn"><p class="row between" role="status"><span>Your session has ended. Sign in again to continue where you were.</span><a class="button" href={href("/sign-in", { then: location.hash.slice(1) })}>Sign in</a></p></Note>
          )}
          <Outlet />
        </main>
      </div>
      <Toast />
    </>
  );
}

async function start(): Promise<void> {
  const root = document.getElementById("app")!;
  try {
    await configure();
    await resume().catch(() => { expired.value = true; });
  } catch (error) {
    render(<main><Page title="Omnibus"><Fault error={error} again={() => location.reload()} /></Page></main>, root);
    return;
  }
  render(<Frame />, root);
}

void start();

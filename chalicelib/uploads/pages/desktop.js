// The desktop's page: opens a session, shows its code, and shows the photo when it arrives.

import { ApiError, endSession, openSession, viewAsOwner } from "./api.js";
import { Listener } from "./listener.js";
import { bytes, complain, minutes, REASONS, say } from "./words.js";

const KEPT = "omnibus-upload-session";
const element = (id) => document.getElementById(id);

let listener;
let clock;
let shown;
let current;

async function begin(session) {
  listener?.stop();
  clearInterval(clock);
  shown = undefined;
  element("arrived").hidden = true;
  element("again").hidden = true;
  element("scan").hidden = true;
  complain(null);
  say("Preparing a code…");
  try {
    session ??= await openSession();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const again = error.retryAfter ? ` Try again in ${minutes(error.retryAfter)}.` : "";
    return giveUp(`We could not prepare a code. ${error.message}${again}`, "Try again");
  }
  // This computer's clock may be wrong, so the end is counted from now, not read from the server's clock.
  session.deadline ??= Date.now() + (session.expiresAt - session.createdAt) * 1000;
  sessionStorage.setItem(KEPT, JSON.stringify(session)); // a reload goes on with the same code
  element("code").src = session.qrCode;
  element("link").value = session.phoneUrl;
  element("here").href = session.phoneUrl;
  element("local").hidden = !["localhost", "127.0.0.1", "[::1]"].includes(new URL(session.phoneUrl).hostname);
  element("scan").hidden = false;
  say("Waiting for your phone");
  countDown(session);
  listener = new Listener(session, {
    onState: (state) => show(session, state),
    onMode: (mode) => { document.body.dataset.mode = mode; },
    onFailure: (error) => giveUp(error.message, "Get a new code"),
  });
  listener.start();
}

function show(session, state) {
  const news = `${state.status} ${state.uploadKey ?? ""} ${state.imageUrl ? "image" : ""}`;
  if (news === shown || shown?.startsWith("COMPLETED") && shown.endsWith("image")) return;
  shown = news;
  switch (state.status) {
    case "PHONE_CONNECTED":
    case "UPLOAD_REQUESTED":
      complain(null);
      return say("Phone connected, waiting for the photo");
    case "REJECTED":
      complain(REASONS[state.reason] ?? "That file could not be used.");
      return say("Waiting for another attempt", "bad");
    case "EXPIRED":
      return giveUp("This code has expired.", "Get a new code");
    case "COMPLETED":
      return state.imageUrl ? arrive(session, state) : fetchPhoto(session);
  }
}

// The socket says that the photo is there; only the REST side may say where.
async function fetchPhoto(session) {
  try {
    show(session, await viewAsOwner(session));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (!error.passing) return giveUp(error.message, "Get a new code");
    shown = undefined;
    setTimeout(() => fetchPhoto(session), 2000);
  }
}

function arrive(session, state) {
  listener.stop();
  clearInterval(clock);
  sessionStorage.setItem(KEPT, JSON.stringify({ ...session, arrived: true })); // a reload shows the photo again
  current = session;
  complain(null);
  element("scan").hidden = true;
  const photo = element("photo");
  photo.hidden = false;
  element("no-preview").hidden = true;
  photo.addEventListener("error", () => { photo.hidden = true; element("no-preview").hidden = false; }, { once: true });
  photo.src = state.imageUrl;
  const kind = state.contentType.replace("image/", "");
  element("save").dataset.name = `photo.${kind === "jpeg" ? "jpg" : kind}`;
  element("facts").textContent = `${kind.toUpperCase()}, ${bytes(state.size)}`;
  element("arrived").hidden = false;
  element("again").textContent = "Receive another photo";
  element("again").hidden = false;
  say("Your photo is here", "good");
}

function giveUp(text, offer) {
  listener?.stop();
  clearInterval(clock);
  sessionStorage.removeItem(KEPT);
  element("scan").hidden = true;
  complain(text);
  say("Not connected", "bad");
  element("again").textContent = offer;
  element("again").hidden = false;
}

function countDown(session) {
  const tick = () => {
    const left = (session.deadline - Date.now()) / 1000;
    element("left").textContent = minutes(left);
    if (left <= 0) giveUp("This code has expired.", "Get a new code");
  };
  if (session.arrived) return;
  clock = setInterval(tick, 1000);
  tick();
}

function kept() {
  try {
    const session = JSON.parse(sessionStorage.getItem(KEPT));
    return session && (session.arrived || session.deadline > Date.now() + 30_000) ? session : undefined;
  } catch {
    return undefined;
  }
}

// The photo's address works for five minutes: each use asks for a new one.
async function withPhoto(use) {
  complain(null);
  try {
    await use((await viewAsOwner(current)).imageUrl);
  } catch (error) {
    complain(`${error.message} Try again.`);
  }
}

async function save(url) {
  const answer = await fetch(url, { cache: "no-store" }).catch(() => null); // cached as an image, it may lack the header for scripts
  if (!answer?.ok) throw new ApiError(0, "storage", "Storage did not return the photo.");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = element("save").dataset.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function openFull() {
  const tab = window.open("about:blank");
  withPhoto((url) => {
    if (!tab) return location.assign(url);
    tab.opener = null;
    tab.location.href = url;
  });
}

async function remove() {
  try {
    await endSession(current);
  } catch (error) {
    return complain(`${error.message} The photo was not deleted. Try again.`);
  }
  sessionStorage.removeItem(KEPT);
  element("photo").removeAttribute("src");
  element("arrived").hidden = true;
  say("The photo is deleted", "good");
}

element("open").addEventListener("click", openFull);
element("save").addEventListener("click", () => withPhoto(save));
element("delete").addEventListener("click", remove);
element("again").addEventListener("click", () => begin());
element("link").addEventListener("focus", (event) => event.target.select());
element("copy").addEventListener("click", async () => {
  await navigator.clipboard?.writeText(element("link").value);
  element("copy").textContent = "Copied";
  setTimeout(() => { element("copy").textContent = "Copy"; }, 2000);
});

begin(kept());

// The phone's page: takes a photo, sends it straight to storage, and waits until it was looked at.

import { ApiError, permitUpload, viewAsPhone } from "./api.js";
import { bytes, complain, REASONS, say } from "./words.js";

const ATTEMPTS = 4;
const FIRST_WAIT_MS = 800;
const LOOK_MS = 700;
const LOOKS = 90;
const TYPES = { jpg: "image/jpeg", jpeg: "image/jpeg", png: "image/png", gif: "image/gif", webp: "image/webp",
  heic: "image/heic", heif: "image/heif" };

const element = (id) => document.getElementById(id);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const session = readToken(location.hash.slice(1));
addEventListener("hashchange", () => location.reload()); // another code was scanned into the open page
let chosen;
let sending;

// The fragment of the address, which no server sees: the session's id without dashes, a dot, and the phone's secret.
function readToken(text) {
  const found = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})\.([\w-]+)$/.exec(text);
  return found && { sessionId: found.slice(1, 6).join("-"), uploadToken: found[6] };
}

async function begin() {
  if (!session) return end("This link is not complete. Scan the code again.");
  complain(null);
  element("retry").hidden = true;
  try {
    const { status } = await viewAsPhone(session);
    if (status === "COMPLETED") return done();
    if (status === "EXPIRED") return end("This code has expired. Get a new one on the other screen.");
    ask();
  } catch (error) {
    fail(error, begin);
  }
}

function ask() {
  say("Ready", "good");
  element("choose").hidden = false;
}

async function send(file) {
  if (file.size === 0) return startOver(REASONS.empty);
  if (!typeOf(file)) return startOver(REASONS.not_an_image);
  chosen = file;
  showPreview(file);
  element("choose").hidden = true;
  element("retry").hidden = true;
  complain(null);
  sending = new AbortController();
  try {
    const sent = await sendWithPatience(file, sending.signal);
    if (sent) await watch(sent);
  } catch (error) {
    if (error.name === "AbortError") return startOver(null);
    fail(error, () => send(chosen));
  } finally {
    element("sending").hidden = true;
  }
}

// Each attempt asks for a new permission, so that one that got through unnoticed cannot be confused with the next.
async function sendWithPatience(file, signal) {
  for (let attempt = 1; ; attempt++) {
    try {
      say(attempt === 1 ? "Sending your photo" : `Sending your photo, attempt ${attempt}`);
      const permission = await permitUpload(session, signal);
      if (file.size > permission.maxBytes) {
        startOver(`That photo has ${bytes(file.size)}; at most ${bytes(permission.maxBytes)} can be sent.`);
        return null;
      }
      await post(permission.form, file, signal);
      return permission.uploadKey;
    } catch (error) {
      if (error.name === "AbortError" || !error.passing || attempt === ATTEMPTS) throw error;
      say("The network is slow; trying again");
      await pause(FIRST_WAIT_MS * 2 ** (attempt - 1));
      signal.throwIfAborted();
    }
  }
}

// XMLHttpRequest, because fetch tells no progress of what it sends.
function post({ url, fields }, file, signal) {
  return new Promise((resolve, reject) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    body.append("Content-Type", typeOf(file));
    body.append("file", file);
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.upload.addEventListener("progress", ({ loaded, total }) => showProgress(loaded / total));
    request.addEventListener("load", () => {
      if (request.status < 300) return resolve();
      if (request.status >= 500) return reject(new ApiError(request.status, "storage", "Storage is busy."));
      reject(new ApiError(422, "refused", "Storage refused that file. Choose another photo."));
    });
    request.addEventListener("error", () => reject(new ApiError(0, "offline", "The connection was lost.")));
    request.addEventListener("abort", () => reject(new DOMException("cancelled", "AbortError")));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    showProgress(0);
    element("sending").hidden = false;
    request.send(body);
  });
}

// The photo is sent; the server looks at it before anyone calls it one.
async function watch(uploadKey) {
  element("sending").hidden = true;
  say("Sent. Checking the photo…");
  for (let look = 0; look < LOOKS; look++) {
    const state = await viewAsPhone(session).catch((error) => {
      if (!error.passing) throw error;
      return { status: "UPLOAD_REQUESTED", uploadKey };
    });
    if (state.status === "COMPLETED") return done();
    if (state.status === "REJECTED" && state.uploadKey === uploadKey) {
      return startOver(REASONS[state.reason] ?? "That file could not be used.");
    }
    if (state.status === "EXPIRED") return end("This code has expired. Get a new one on the other screen.");
    await pause(LOOK_MS);
  }
  say("Sent. The other screen will show it soon.", "good");
}

function showPreview(file) {
  const picture = element("picture");
  URL.revokeObjectURL(picture.src);
  picture.hidden = false;
  element("no-preview").hidden = true;
  picture.onerror = () => {
    picture.hidden = true;
    element("no-preview").textContent = `${file.name} (${bytes(file.size)}, no preview)`;
    element("no-preview").hidden = false;
  };
  picture.src = URL.createObjectURL(file);
  element("preview").hidden = false;
}

function showProgress(part) {
  const percent = Math.round(part * 100);
  element("progress").value = percent;
  element("percent").textContent = `${percent} %`;
}

function startOver(text) {
  element("preview").hidden = true;
  complain(text);
  ask();
  if (text) say("Choose another photo", "bad");
}

function done() {
  complain(null);
  element("choose").hidden = true;
  say("Done. Your photo is on the other screen.", "good");
}

function end(text) {
  element("preview").hidden = true;
  element("choose").hidden = true;
  complain(text);
  say("Not connected", "bad");
}

function fail(error, again) {
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 409) return done();
  if (error.status === 410) return end("This code has expired. Get a new one on the other screen.");
  if (error.code === "refused") return startOver(error.message);
  if (!error.passing) return end(`${error.message}`);
  complain(`${error.message} Your photo is still here.`);
  say("Not sent", "bad");
  element("retry").hidden = false;
  element("retry").onclick = again;
}

// What the file is sent as; nothing for what neither its type nor its name calls a photo. Some pickers tell no type.
function typeOf(file) {
  if (file.type.startsWith("image/")) return file.type;
  const named = TYPES[file.name.split(".").pop().toLowerCase()];
  const untold = !file.type || file.type === "application/octet-stream";
  return named ?? (untold && !file.name.includes(".") ? "image/jpeg" : undefined);
}

for (const id of ["camera", "file"]) {
  element(id).addEventListener("change", ({ target }) => {
    const [file] = target.files;
    target.value = "";
    if (file) send(file);
  });
}
element("choose").addEventListener("submit", (event) => event.preventDefault());
element("cancel").addEventListener("click", () => sending?.abort());

begin();

// Keeps the desktop informed: over the socket while there is one, by polling while there is none.

import { ApiError, viewAsOwner } from "./api.js";

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 20_000;
const POLL_MS = 2_500;
const HEARTBEAT_MS = 60_000; // API Gateway closes sockets that are idle for ten minutes

export class Listener {
  // `onState` gets each session state, `onMode` gets "socket" or "polling".
  constructor(session, { onState, onMode, onFailure }) {
    this.session = session;
    this.onState = onState;
    this.onMode = onMode;
    this.onFailure = onFailure;
    this.attempts = 0;
    this.stopped = false;
    this.online = () => this.#reconnectNow();
    this.visible = () => document.visibilityState === "visible" && this.#reconnectNow();
  }

  start() {
    addEventListener("online", this.online);
    document.addEventListener("visibilitychange", this.visible);
    if (this.session.socketUrl) this.#connect();
    this.#poll();
  }

  stop() {
    this.stopped = true;
    removeEventListener("online", this.online);
    document.removeEventListener("visibilitychange", this.visible);
    clearTimeout(this.retry);
    clearTimeout(this.polling);
    clearInterval(this.heartbeat);
    this.socket?.close();
  }

  get #open() {
    return this.socket?.readyState === WebSocket.OPEN && this.listening;
  }

  #connect() {
    if (this.stopped || this.socket?.readyState <= WebSocket.OPEN) return;
    const url = new URL(this.session.socketUrl);
    url.searchParams.set("sessionId", this.session.sessionId);
    url.searchParams.set("ownerToken", this.session.ownerToken);
    const socket = new WebSocket(url);
    this.socket = socket;
    this.listening = false;
    socket.addEventListener("open", () => this.#sync());
    socket.addEventListener("message", ({ data }) => this.#hear(JSON.parse(data)));
    socket.addEventListener("close", () => this.#reconnectLater());
    clearInterval(this.heartbeat);
    this.heartbeat = setInterval(() => this.#sync(), HEARTBEAT_MS);
  }

  // The upload may have been faster than the socket: ask.
  #sync() {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    const { sessionId, ownerToken } = this.session;
    this.socket.send(JSON.stringify({ action: "sync", sessionId, ownerToken }));
  }

  #hear(message) {
    if (this.stopped) return;
    if (message.action === "SESSION_STATE") {
      this.listening = message.listening;
      this.attempts = 0;
      this.onMode(this.listening ? "socket" : "polling");
      this.onState(message);
      if (!this.listening) this.#poll();
    } else if (message.action === "PHONE_CONNECTED") {
      this.onState({ status: message.action });
    } else if (message.action === "UPLOAD_REQUESTED") {
      this.onState({ status: message.action, uploadKey: message.uploadKey });
    } else if (message.action === "UPLOAD_COMPLETED" || message.action === "UPLOAD_REJECTED") {
      this.#ask();
    } else if (message.action === "REPLACED") {
      this.listening = false; // another window listens now; this one polls rather than fight for the place
      this.onMode("polling");
      this.#poll();
    }
  }

  #reconnectLater() {
    if (this.stopped) return;
    this.listening = false;
    this.onMode("polling");
    this.#poll();
    const wait = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.attempts++);
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.#connect(), wait * (0.5 + Math.random() / 2));
  }

  #reconnectNow() {
    this.attempts = 0;
    if (this.#open) this.#sync();
    else if (this.session.socketUrl) this.#connect();
  }

  #poll() {
    clearTimeout(this.polling);
    this.polling = setTimeout(async () => {
      if (this.stopped || this.#open) return;
      await this.#ask();
      this.#poll();
    }, POLL_MS);
  }

  async #ask() {
    try {
      const state = await viewAsOwner(this.session);
      if (!this.stopped) this.onState(state);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!error.passing && !this.stopped) this.onFailure(error);
      else if (!this.stopped) this.#poll();
    }
  }
}

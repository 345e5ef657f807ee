// The live socket: keeps every room's newest state and its last two minutes of beats, and reconnects by itself.

import { toLogin } from "../../shared/dom.js";

export const STALE_MS = 2400; // drawn at most half a second later, so that no page looks live 3 s after the last message
const KEEP_S = 120;
const DEAD_MS = 25000; // more than two missed heartbeats: the socket is open in name only
const BACK_OFF_MS = [250, 500, 1000, 2000, 4000]; // give or take a quarter: all pages of a practice are back 5 s after the server is

export class Room {
  constructor(id) {
    this.id = id;
    this.state = null;
    this.session = null;
    this.seq = 0;
    this.beats = []; // [end_s, rr_ms, accepted, gap_before]
    this.heardMs = 0;
    this.anchorS = 0;
    this.anchorMs = 0;
    this.story = null; // the session from its beginning, on pages that watch this room alone
  }

  // Applies a message; returns false where a batch is missing and the snapshot must be requested.
  apply(message, nowMs) {
    if (message.type === "snapshot") {
      this.session = message.session;
      this.beats = message.beats;
    } else if (message.session !== this.session || message.first_seq !== this.seq + 1) {
      return false;
    } else {
      for (const batch of message.batches) this.beats.push(...batch);
    }
    this.seq = message.seq;
    this.setClock(message.state, nowMs, message.type === "snapshot");
    this.state = message.state;
    this.heardMs = nowMs;
    const first = this.beats.findIndex((beat) => beat[0] >= this.state.now_s - KEEP_S - 5);
    if (first > 0) this.beats.splice(0, first);
    return true;
  }

  // Messages arrive unevenly; the clock on the page runs evenly and is steered slowly towards them.
  setClock(state, nowMs, jump) {
    const error = state.now_s - this.nowS(nowMs);
    const far = Math.abs(error) > Math.max(0.8, 0.8 * state.speed);
    this.anchorS = jump || far || !this.state ? state.now_s : this.nowS(nowMs) + 0.15 * error;
    this.anchorMs = nowMs;
  }

  get ended() { return this.state?.phase === "ended"; }

  // Session time now; it stops while the session is paused or no messages arrive.
  nowS(nowMs) {
    if (!this.state || this.ended) return this.state?.now_s ?? 0;
    return this.anchorS + (Math.min(nowMs - this.anchorMs, STALE_MS) / 1000) * this.state.speed;
  }

  // Time by which a duration in the state has grown since it was sent, s.
  grownS(nowMs) { return Math.max(0, this.nowS(nowMs) - (this.state?.now_s ?? 0)); }
}

export class Live extends EventTarget {
  constructor(room = null, view = null) {
    super();
    this.watched = room;
    this.view = view; // to "client" the server sends neither names nor figures
    this.rooms = new Map();
    this.known = null; // identifiers of all rooms; null until the server has sent them
    this.open = false;
    this.heardMs = performance.now();
    this.tries = 0;
    this.socket = null;
    this.timer = 0;
  }

  start() {
    this.connect();
    setInterval(() => this.watch(), 1000);
    addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.retryNow(); });
    return this;
  }

  connect() {
    clearTimeout(this.timer);
    const address = new URL("/live", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    if (this.watched) address.searchParams.set("room", this.watched);
    if (this.view) address.searchParams.set("view", this.view);
    const socket = new WebSocket(address);
    this.socket = socket;
    socket.addEventListener("open", () => { this.open = true; this.openedMs = performance.now(); });
    socket.addEventListener("message", (event) => { if (this.socket === socket) this.take(JSON.parse(event.data)); });
    socket.addEventListener("close", () => { if (this.socket === socket) this.lost(); });
  }

  lost() {
    if (!this.open) askLogin(); // the connection was refused; the browser does not say why
    this.open = false;
    this.socket = null;
    const wait = BACK_OFF_MS[Math.min(this.tries, BACK_OFF_MS.length - 1)];
    this.tries += 1;
    this.timer = setTimeout(() => this.connect(), wait * (0.75 + 0.5 * Math.random()));
    this.dispatchEvent(new Event("change"));
  }

  // What this browser may see has changed: have the server send everything again.
  restart() {
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    this.open = false;
    this.tries = 0;
    this.connect();
  }

  retryNow() {
    if (!this.socket) { this.tries = 0; this.connect(); }
  }

  watch() {
    if (this.socket && this.open && performance.now() - Math.max(this.heardMs, this.openedMs) > DEAD_MS) {
      const socket = this.socket;
      this.lost();
      socket.close();
    }
  }

  take(message) {
    const nowMs = performance.now();
    this.heardMs = nowMs;
    this.tries = 0;
    if (message.type === "snapshot" || message.type === "update") {
      const id = message.state.room;
      if (!this.rooms.has(id)) this.rooms.set(id, new Room(id));
      if (!this.rooms.get(id).apply(message, nowMs)) this.socket.send(JSON.stringify({ type: "ask", room: id }));
    } else if (message.type === "story") {
      const room = this.rooms.get(message.room);
      if (room) room.story = message;
    } else if (message.type === "rooms") {
      this.known = message.rooms;
      for (const id of [...this.rooms.keys()]) if (!message.rooms.includes(id)) this.rooms.delete(id);
    } else if (message.type === "client-view") {
      this.dispatchEvent(new CustomEvent("client-view", { detail: message }));
    } else if (message.type === "heartbeat") {
      this.dispatchEvent(new CustomEvent("adapter", { detail: message.adapter }));
    }
    this.dispatchEvent(new Event("change"));
  }

  // Time since the last message about a room, ms; 0 while it is recent.
  silentMs(room, nowMs = performance.now()) {
    const quietByRight = !room?.state || room.ended;
    const silent = nowMs - (quietByRight ? this.heardMs : room.heardMs);
    if (quietByRight && this.open) return 0;
    return silent > STALE_MS ? silent : 0;
  }
}

// Where the login has ended, messages come again only after a new one.
async function askLogin() {
  const answer = await fetch("/api/v1/me", { signal: AbortSignal.timeout(5000) }).catch(() => null);
  if (answer?.status === 401) toLogin();
}

// Keeps the screen on while a session runs.
export class WakeLock {
  constructor() {
    this.lock = null;
    this.wanted = false;
    document.addEventListener("visibilitychange", () => { this.lock = null; this.want(this.wanted); });
  }

  get held() { return this.lock !== null && !this.lock.released; }

  async want(wanted) {
    this.wanted = wanted;
    if (!wanted) { this.lock?.release(); this.lock = null; return; }
    if (this.lock || this.asking || document.hidden || !navigator.wakeLock) return;
    this.asking = true;
    try { this.lock = await navigator.wakeLock.request("screen"); } catch { /* the browser refuses, for instance to save battery */ }
    this.asking = false;
  }
}

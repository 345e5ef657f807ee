// The outbox of entries. Each is kept in this browser, with its time, until it is known to be stored; they are sent in order, and each counts once.

import { send } from "../../shared/dom.js";

const SHELF = "restbeat-press:";
export const AGAIN_MS = 2000;
const LINGER_MS = 1500; // until the live socket reports it too
const LONGEST_AGO_S = 7200;
export const REFUSED = new Set([400, 409, 413, 415]); // sending it again cannot help
const AFTER = { settle: "baseline", baseline: "massage", massage: "recovery", recovery: "ended" };

// Web storage may be forbidden; then an entry is kept only as long as its page.
const shelf = {
  put(entry) { try { localStorage.setItem(SHELF + entry.key, JSON.stringify(entry)); } catch { /* full or forbidden */ } },
  drop(key) { try { localStorage.removeItem(SHELF + key); } catch { /* forbidden */ } },
  all() {
    try {
      const keys = Object.keys(localStorage).filter((name) => name.startsWith(SHELF));
      return keys.map((name) => JSON.parse(localStorage.getItem(name))).filter(Boolean);
    } catch { return []; }
  },
};

function newKey() {
  const words = crypto.getRandomValues(new Uint32Array(4));
  return [...words].map((word) => word.toString(16).padStart(8, "0")).join("");
}

export class Outbox extends EventTarget {
  constructor(room) {
    super();
    this.room = room;
    this.entries = shelf.all().filter((entry) => entry.room === room).map((entry) => ({ ...entry, flying: false })).sort((a, b) => a.atMs - b.atMs);
    this.sending = false;
    this.trouble = "";
    setInterval(() => this.flush(), AGAIN_MS);
  }

  // kind: phase, mark, pain or stop. Returns the entry, which counts from now, or from `atMs`.
  add(kind, path, body, text, state, atMs = Date.now()) {
    const entry = { key: newKey(), flying: false, room: this.room, session: state.session, speed: state.speed, kind, path, body, text, atMs, fate: "waiting" };
    this.entries.push(entry);
    shelf.put(entry);
    this.changed();
    this.flush();
    return entry;
  }

  // Time since then, s of the session's clock.
  agoS(entry) { return Math.max(0, ((Date.now() - entry.atMs) / 1000) * (entry.speed || 1)); }

  get waiting() { return this.entries.filter((entry) => entry.fate === "waiting"); }

  remove(entry) {
    this.entries = this.entries.filter((other) => other !== entry);
    shelf.drop(entry.key);
    this.changed();
  }

  redate(entry, agoS) {
    entry.atMs = Date.now() - (1000 * agoS) / (entry.speed || 1);
    shelf.put(entry);
    this.changed();
  }

  refuse(entry, why) {
    entry.fate = "refused";
    entry.why = why;
    shelf.drop(entry.key);
    this.changed();
  }

  // The phase that the server will report once it has all of these entries, and its beginning, ms of Date.now(); null where none of them begins a phase.
  phaseAhead(state) {
    let [phase, sinceMs] = [state.phase, null];
    for (const entry of this.entries) {
      if (entry.session !== state.session || entry.fate === "refused") continue;
      const moves = entry.kind === "phase" ? entry.body.leaving === phase : entry.kind === "stop" && phase === "massage";
      if (moves) [phase, sinceMs] = [AFTER[phase], entry.atMs];
    }
    return sinceMs === null ? null : { phase, sinceMs };
  }

  // Forgets entries that the live socket has reported by now.
  settle(state) {
    const told = new Set(state.actions.map((action) => action.number));
    const known = (entry) => told.has(entry.number) || (entry.kind === "phase" && entry.body.leaving !== state.phase);
    const gone = this.entries.filter((entry) => entry.fate === "sent" && (known(entry) || performance.now() - entry.sentMs > LINGER_MS));
    if (gone.length) this.entries = this.entries.filter((entry) => !gone.includes(entry));
  }

  async flush() {
    if (this.sending) return;
    this.sending = true;
    try {
      for (let entry = this.waiting[0]; entry; entry = this.waiting[0]) if (!(await this.deliver(entry))) break;
    } finally {
      this.sending = false;
    }
  }

  // Sends an entry. Returns whether the next one may be sent.
  async deliver(entry) {
    const agoS = this.agoS(entry);
    if (agoS > LONGEST_AGO_S) { this.refuse(entry, "It is more than two hours old."); return true; }
    const { key, session, kind, path, body } = entry;
    entry.flying = true;
    try {
      const ended = kind === "phase" && body.leaving === "recovery"; // the end of a session counts from its arrival at the server
      const answer = await send("POST", `/api/v1/rooms/${encodeURIComponent(this.room)}/${path}`, { ...body, ago_s: ended ? 0 : agoS, key, session });
      this.trouble = "";
      entry.fate = "sent";
      entry.number = answer.number ?? null;
      entry.sentMs = performance.now();
      shelf.drop(key);
    } catch (error) {
      this.trouble = error.message;
      if (!REFUSED.has(error.status)) return false;
      if (entry.fate === "waiting") this.refuse(entry, error.message);
    } finally {
      entry.flying = false;
    }
    this.changed();
    return true;
  }

  changed() { this.dispatchEvent(new Event("change")); }
}

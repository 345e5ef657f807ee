// The bar of the newest entries, each of which can be undone or given an earlier time while it is recent.

import { byId, make, send, setData, setText, show } from "../../shared/dom.js";
import { AGAIN_MS, REFUSED } from "../live/outbox.js";
import { ago } from "./room_text.js";

const MOST = 4;
const LOST_MS = 5000; // time that a stored entry may take to appear on the live socket

export class Entries {
  // person: name of the person logged in; trouble: shows what went wrong; spoken: speaks in the live region.
  constructor({ room, person, outbox, trouble, spoken }) {
    Object.assign(this, { room, person, outbox, trouble, spoken });
    this.list = byId("entries-list");
    this.chips = new Map();
    this.selected = null;
    this.seen = null; // numbers of entries already announced
    this.said = []; // own entries that were announced but are not stored yet
    this.items = [];
    this.changes = []; // changes to entries that are still being sent: { entry, how, atMs }; applied once these are stored
    this.leaving = new Set(); // numbers of stored entries that are being undone
    byId("undo").addEventListener("click", () => this.undo());
    for (const button of document.querySelectorAll("[data-shift-min]")) button.addEventListener("click", () => this.redate(Math.max((this.chosen?.agoS ?? 0) + 60 * Number(button.dataset.shiftMin), 0)));
    for (const button of document.querySelectorAll("[data-ago-min]")) button.addEventListener("click", () => this.redate(60 * Number(button.dataset.agoMin)));
  }

  get chosen() { return this.items.find((item) => item.id === this.selected) ?? this.items[0] ?? null; }

  render(state, nowS, away) {
    this.away = away;
    this.outbox.settle(state);
    const told = new Set(state.actions.map((action) => action.number));
    const gone = new Set(this.changes.filter((change) => change.how === "undo").map((change) => change.entry));
    const own = this.outbox.entries.filter((entry) => entry.session === state.session && !gone.has(entry) && !(entry.fate === "sent" && told.has(entry.number)));
    this.catchUp(state);
    for (const number of this.leaving) if (!told.has(number)) this.leaving.delete(number);
    const items = [
      ...own.map((entry) => ({ id: entry.key, entry, text: entry.text, agoS: this.outbox.agoS(entry), kind: entry.kind, fate: entry.fate, left: null })).reverse(),
      ...state.actions.filter((action) => !this.leaving.has(action.number)).map((action) => ({ id: String(action.number), action, text: action.text, agoS: nowS - action.at_s, kind: action.kind, fate: "stored", left: action.left_s, redateLeft: action.redate_left_s, by: action.by })),
    ];
    this.items = items.filter((item, n) => n < MOST || item.redateLeft > item.left); // the beginning of a massage stays at hand
    this.announce();
    if (!this.chosen || this.chosen.id !== this.selected) this.selected = this.chosen?.id ?? null;
    this.drawChips();
    this.drawMend();
  }

  // A new entry is the one most likely to be changed next. An own entry is announced when it is pressed, not again when it is stored;
  // a phase announces itself.
  announce() {
    const fresh = this.items.filter((item) => !this.seen?.has(item.id)).reverse();
    for (const item of fresh) {
      const own = item.action && this.said.indexOf(item.text);
      if (item.entry) this.said.push(item.text);
      if (own >= 0 && item.action) this.said.splice(own, 1);
      else if (this.seen && item.kind !== "phase") this.spoken(`${item.text}, entered`);
      this.selected = item.id;
    }
    this.seen = new Set([...(this.seen ?? []), ...fresh.map((item) => item.id)]);
  }

  drawChips() {
    const ids = new Set(this.items.map((item) => item.id));
    for (const [id, chip] of this.chips) if (!ids.has(id)) { chip.parentElement.remove(); this.chips.delete(id); }
    this.items.forEach((item, n) => {
      let chip = this.chips.get(item.id);
      if (!chip) {
        chip = make("button", "chip");
        chip.type = "button";
        chip.append(make("span", "what"), make("span", "when"), make("i"));
        chip.addEventListener("click", () => this.choose(item.id));
        make("li").append(chip);
        this.chips.set(item.id, chip);
      }
      if (this.list.children[n] !== chip.parentElement) this.list.insertBefore(chip.parentElement, this.list.children[n] ?? null);
      setText(chip.children[0], item.text);
      setText(chip.children[1], this.when(item));
      setData(chip, "fate", item.fate);
      chip.setAttribute("aria-pressed", String(item.id === this.selected));
      chip.children[2].style.transform = `scaleX(${item.left === null ? 0 : Math.max(0, item.left / 30).toFixed(2)})`;
    });
    show(byId("entries-none"), this.items.length === 0);
  }

  when(item) {
    if (item.fate === "refused") return `not entered: ${item.entry.why}`;
    const by = item.by && item.by !== this.person ? `, ${item.by}` : "";
    return item.fate === "waiting" ? `waiting, ${ago(item.agoS)}` : `${ago(item.agoS)}${by}`;
  }

  drawMend() {
    const item = this.chosen;
    show(byId("mend"), item !== null);
    if (!item) return;
    const refused = item.fate === "refused";
    const datable = !refused && !(item.kind === "phase" && item.text.startsWith("Session ended"));
    setText(byId("undo-word"), refused ? "Understood" : "Undo");
    setText(byId("undo-what"), `: ${item.text}`);
    byId("undo").setAttribute("aria-disabled", String(item.fate === "stored" && this.away));
    const undoable = item.left === null || item.left > 0;
    show(byId("undo"), undoable);
    show(byId("redate"), datable && undoable);
    show(byId("shift"), datable && !undoable);
    show(byId("date-other"), datable);
    setText(byId("date-word"), undoable ? "Earlier" : "Set …");
    setText(byId("date-what"), `“${item.text}” was`);
  }

  choose(id) {
    this.selected = id;
    this.drawChips();
    this.drawMend();
  }

  undo() {
    const item = this.chosen;
    if (!item || item.left === 0) return;
    if (!item.entry) this.change(item.action, "undo");
    else if (this.underWay(item.entry)) this.changes.push({ entry: item.entry, how: "undo", atMs: Date.now() });
    else {
      this.outbox.remove(item.entry);
      this.done(item, "undo");
    }
  }

  redate(agoS) {
    const item = this.chosen;
    if (!item || item.fate === "refused") return;
    if (!item.entry) this.change(item.action, "redate", { ago_s: agoS });
    else if (this.underWay(item.entry)) this.changes.push({ entry: item.entry, how: "redate", atMs: Date.now() - (1000 * agoS) / (item.entry.speed || 1) });
    else {
      this.outbox.redate(item.entry, agoS);
      this.done(item, "redate");
    }
  }

  done({ text }, how) { this.spoken(`${text}, ${how === "undo" ? "taken back" : "given another time"}`); }

  // Sent or being sent: whether the server has stored it is not known yet.
  underWay(entry) { return entry.flying || entry.fate === "sent"; }

  // Applies the changes requested while entries were being sent: now they are stored, or came back unsent.
  catchUp(state) {
    for (const change of [...this.changes]) {
      const { entry, how, atMs } = change;
      const action = state.actions.find(({ number, kind, text }) => (entry.number ? number === entry.number : kind === entry.kind && text === entry.text));
      const agoS = Math.max(0, ((Date.now() - atMs) / 1000) * (entry.speed || 1));
      if (entry.fate === "sent" && action) this.change(action, how, how === "undo" ? {} : { ago_s: agoS });
      else if (entry.flying || (entry.fate === "sent" && Date.now() - entry.atMs < LOST_MS)) continue;
      else if (entry.fate === "waiting" && how === "undo") this.outbox.remove(entry);
      else if (entry.fate === "waiting") this.outbox.redate(entry, agoS);
      this.changes.splice(this.changes.indexOf(change), 1);
    }
  }

  // Sent again until it is answered: asked twice, the server changes nothing more.
  async change(action, how, body = {}) {
    if (how === "undo") this.leaving.add(action.number);
    try {
      await send("POST", `/api/v1/rooms/${encodeURIComponent(this.room)}/actions/${action.number}/${how}`, body);
      this.trouble("");
      this.done(action, how);
    } catch (error) {
      this.trouble(error.message);
      if (!REFUSED.has(error.status) && error.status !== 404) setTimeout(() => this.change(action, how, how === "undo" ? body : { ago_s: body.ago_s + AGAIN_MS / 1000 }), AGAIN_MS);
      else this.leaving.delete(action.number);
    }
  }
}

// The therapist's controls: next phase, marks, pain. Every entry goes through the outbox, so that none is lost.

import { byId, setData, setText, show } from "../../shared/dom.js";
import { EarlyMassage } from "./early_massage.js";
import { beganWord, doing } from "./room_text.js";
import { nextWord, sentence } from "../../shared/live_text.js";

const REST_MS = 1200; // a double press begins only one phase
const AFTER = { settle: "baseline", baseline: "massage", massage: "recovery", recovery: "ended" };

export class Controls {
  constructor({ outbox, entries, sheets, opens, spoken }) {
    Object.assign(this, { outbox, entries, sheets, opens });
    this.early = new EarlyMassage({ begin: () => this.next(), spoken });
    this.state = null;
    this.idle = null;
    this.until = 0;
    byId("next").addEventListener("click", () => this.next());
    byId("stop").addEventListener("click", () => this.stop());
    for (const button of document.querySelectorAll("[data-mark]")) {
      button.addEventListener("click", () => { this.mark({ [button.dataset.mark]: button.dataset.value }); sheets.close(); });
    }
    for (const button of document.querySelectorAll("[data-score]")) {
      button.addEventListener("click", () => { this.pain(Number(button.dataset.score)); sheets.close(); });
    }
    for (const button of document.querySelectorAll(".sheet [data-ago-min]")) button.addEventListener("click", () => sheets.close());
    byId("date-form").addEventListener("submit", (event) => {
      event.preventDefault();
      entries.redate(60 * byId("date-minutes").valueAsNumber);
      sheets.close();
    });
  }

  // ahead: the phase that pending entries lead to, if any; told: its time, by `phaseTime`.
  update(state, { away, ahead, told, story }) {
    const phase = ahead ?? state.phase;
    if (this.phase && this.phase !== phase) this.until = performance.now() + REST_MS; // also after a press on another screen
    this.state = state;
    this.away = away;
    this.phase = phase;
    this.told = told;
    if (this.early.sinceMs !== null && phase !== "baseline") this.early.close();
    const ended = this.phase === "ended";
    const [next, hint] = this.words();
    setText(byId("next-word"), next);
    setText(byId("next-hint"), hint);
    for (const name of ["next", "early-begin"]) byId(name).setAttribute("aria-disabled", String(this.held));
    setData(byId("next"), "full", told.full && !ended ? "yes" : "no");
    const idle = ended || state.bench;
    if (idle !== this.idle) for (const button of document.querySelectorAll(".enters")) button.setAttribute("aria-disabled", String(idle));
    this.idle = idle;
    const now = doing(story);
    for (const name of ["technique", "region", "pressure"]) setText(byId(`doing-${name}`), sentence(now[name] ?? "–"));
  }

  words() {
    const { state } = this;
    if (state.bench) return ["To the bench", "Pause, seek, trouble"];
    if (this.phase === "ended") return state.phase === "ended" ? [nextWord(this.phase, state.kind), "Then the summary"] : ["Session ended", "Waiting to be sent"];
    const waits = this.away && this.phase === "recovery";
    return [nextWord(this.phase, state.kind), waits ? "Waits until restbeat is back" : byId("next").dataset.keys];
  }

  // Only the server reports the end of a session, so that a double press cannot end it twice.
  get held() {
    if (!this.state || performance.now() < this.until) return true;
    return this.away && (this.state.bench || this.phase === "recovery" || this.phase === "ended");
  }

  get open() { return this.state && !this.state.bench && this.phase !== "ended"; }

  // Whether the next phase would begin before the baseline has its planned usable time; not known where no HRV comes.
  get cutsBaseline() { return this.phase === "baseline" && this.state.phase === "baseline" && typeof this.state.baseline_usable_s === "number" && Boolean(this.told?.usable) && !this.told.full; }

  next() {
    if (this.held) return;
    const { state } = this;
    if (state.bench) { this.opens("/bench"); return; }
    if (state.phase === "ended") { this.opens(`/sessions/${state.session}/notes`); return; }
    if (this.phase === "ended") return;
    this.until = performance.now() + REST_MS;
    for (const name of ["next", "early-begin"]) byId(name).setAttribute("aria-disabled", "true");
    this.sheets.close();
    const { sinceMs } = this.early;
    if (sinceMs === null && this.cutsBaseline) { this.early.ask(this.told.usable); return; }
    this.outbox.add("phase", "advance", { leaving: this.phase }, beganWord(AFTER[this.phase], state.kind), state, sinceMs ?? Date.now());
    this.early.close();
  }

  mark(fields) {
    if (!this.open) return;
    this.outbox.add("mark", "marks", fields, Object.values(fields).join(", "), this.state);
  }

  pain(score) {
    if (!this.open) return;
    this.outbox.add("pain", "pain", { score }, `Pain ${score}`, this.state);
  }

  stop() {
    if (!this.open) return;
    this.sheets.close();
    this.outbox.add("stop", "stop", {}, "Pain increased – stopped", this.state);
  }

  // Enters the nth technique, counted from 1.
  technique(n) { document.querySelectorAll('#sheet-technique [data-mark="technique"]')[n - 1]?.click(); }
}

// Sheets of large buttons above the row of controls: one is open at a time, and a choice closes it.
export class Sheets {
  constructor() {
    this.name = null;
    for (const opener of document.querySelectorAll("[data-sheet]")) {
      opener.addEventListener("click", (event) => this.toggle(opener.dataset.sheet, { opener, byKey: event.detail === 0 }));
    }
    for (const button of document.querySelectorAll(".sheet .closes")) button.addEventListener("click", () => this.close());
  }

  get panel() { return this.name && byId(`sheet-${this.name}`); }

  toggle(name, { opener = null, byKey = true } = {}) {
    const opens = this.name !== name;
    this.close();
    const from = opener ?? document.querySelector(`[data-sheet="${name}"]`);
    if (!opens || from.getAttribute("aria-disabled") === "true") return;
    this.name = name;
    this.before = document.activeElement; // the element that gets the focus back; none after a shortcut
    this.set(true);
    this.mark(true);
    if (byKey) this.panel.querySelector("button, input").focus();
  }

  close() {
    if (!this.name) return;
    const inside = this.panel.contains(document.activeElement) ? document.activeElement : null;
    this.set(false);
    this.mark(false);
    this.name = null;
    inside?.blur();
    if (inside && this.before?.offsetParent) this.before.focus();
  }

  // The marks are a sheet on small screens only; elsewhere they are always visible.
  set(open) { if (this.panel.classList.contains("sheet")) show(this.panel, open); else this.panel.classList.toggle("open", open); }

  mark(open) { for (const opener of document.querySelectorAll(`[data-sheet="${this.name}"]`)) opener.setAttribute("aria-expanded", String(open)); }

  // Chooses what an open sheet offers under a key; returns false where it offers nothing.
  pick(key) {
    const button = this.panel?.querySelector(`[data-key="${CSS.escape(key)}"]`);
    button?.click();
    return Boolean(button);
  }
}

// The button to the next phase. It sends the phase that it ends, and pauses after a press, also on another screen: two presses begin only one phase.
// Where a massage would cut its baseline short, it asks once; the massage then counts from the first press.

import { post, setText } from "../../shared/dom.js";
import { clock, nextWord } from "../../shared/live_text.js";

const REST_MS = 1200;
const ASKS_MS = 30_000; // how long a press without an answer counts

export class NextButton {
  constructor(button, word, { trouble, opens }) {
    this.button = button;
    this.word = word;
    this.trouble = trouble;
    this.opens = opens;
    this.state = null;
    this.until = 0;
    this.busy = false;
    this.askedMs = null; // when the press that asked was made, ms of Date.now()
    button.addEventListener("click", () => this.press());
  }

  update(state, stale) {
    if (this.state && state.phase !== this.state.phase) this.until = performance.now() + REST_MS;
    this.state = state;
    this.stale = stale;
    if (this.askedMs !== null && (!this.cutsBaseline || Date.now() - this.askedMs > ASKS_MS)) this.askedMs = null;
    if (this.askedMs === null) setText(this.word, state.bench ? "To the bench" : nextWord(state.phase, state.kind));
    const rests = stale || this.resting;
    this.button.setAttribute("aria-disabled", String(rests));
  }

  get resting() { return this.busy || performance.now() < this.until; }

  get cutsBaseline() {
    const { phase, baseline_usable_s: usableS, target_s: targetS } = this.state;
    return phase === "baseline" && typeof usableS === "number" && Boolean(targetS) && usableS < targetS;
  }

  async press() {
    if (!this.state || this.stale || this.resting) return;
    if (this.state.bench) { this.opens("/bench"); return; }
    if (this.state.phase === "ended") { this.opens(`/sessions/${this.state.session}/notes`); return; }
    if (this.cutsBaseline && this.askedMs === null) {
      this.askedMs = Date.now();
      this.until = performance.now() + REST_MS;
      this.button.setAttribute("aria-disabled", "true");
      setText(this.word, `${clock(this.state.baseline_usable_s)} of ${clock(this.state.target_s)} usable: begin anyway?`);
      return;
    }
    const agoS = this.askedMs === null ? 0 : ((Date.now() - this.askedMs) / 1000) * (this.state.speed || 1);
    this.askedMs = null;
    this.busy = true;
    this.until = performance.now() + REST_MS;
    this.button.setAttribute("aria-disabled", "true");
    try {
      await post(`/api/v1/rooms/${encodeURIComponent(this.state.room)}/advance`, { leaving: this.state.phase, ago_s: agoS });
      this.trouble("");
    } catch (error) {
      this.trouble(error.message);
    } finally {
      this.busy = false;
    }
  }
}

// The button to the next phase. It sends the phase that it ends, and pauses after a press, also on another screen: two presses begin only one phase.

import { post, setText } from "../../shared/dom.js";
import { nextWord } from "../../shared/live_text.js";

const REST_MS = 1200;

export class NextButton {
  constructor(button, word, { trouble, opens }) {
    this.button = button;
    this.word = word;
    this.trouble = trouble;
    this.opens = opens;
    this.state = null;
    this.until = 0;
    this.busy = false;
    button.addEventListener("click", () => this.press());
  }

  update(state, stale) {
    if (this.state && state.phase !== this.state.phase) this.until = performance.now() + REST_MS;
    this.state = state;
    this.stale = stale;
    setText(this.word, state.bench ? "To the bench" : nextWord(state.phase, state.kind));
    const rests = stale || this.resting;
    this.button.setAttribute("aria-disabled", String(rests));
  }

  get resting() { return this.busy || performance.now() < this.until; }

  async press() {
    if (!this.state || this.stale || this.resting) return;
    if (this.state.bench) { this.opens("/bench"); return; }
    if (this.state.phase === "ended") { this.opens(`/sessions/${this.state.session}/notes`); return; }
    this.busy = true;
    this.until = performance.now() + REST_MS;
    this.button.setAttribute("aria-disabled", "true");
    try {
      await post(`/api/v1/rooms/${encodeURIComponent(this.state.room)}/advance`, { leaving: this.state.phase });
      this.trouble("");
    } catch (error) {
      this.trouble(error.message);
    } finally {
      this.busy = false;
    }
  }
}

// The question before a massage that would cut its baseline short. The massage counts from the first press, however late the answer.

import { byId, setText, show } from "../../shared/dom.js";

export class EarlyMassage {
  // begin: begins the massage, counted from the press that asked; spoken: speaks in the live region.
  constructor({ begin, spoken }) {
    this.sinceMs = null; // when the press that asked was made, ms of Date.now(); null while nothing is asked
    this.spoken = spoken;
    byId("early-begin").addEventListener("click", begin);
    byId("early-wait").addEventListener("click", () => this.close());
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") this.close(); });
  }

  ask(words) {
    this.sinceMs = Date.now();
    setText(byId("early-words"), `${words}: begin anyway?`);
    show(byId("early"), true);
    this.spoken(`${words}: begin anyway? The same key again begins.`);
  }

  close() {
    this.sinceMs = null;
    show(byId("early"), false);
  }
}

// The question after a long sleep of the computer: whether the session goes on.

import { byId, send, setText, show } from "../../shared/dom.js";
import { clock } from "../../shared/live_text.js";

export class AfterSleep {
  constructor(element, room, { trouble }) {
    Object.assign(this, { element, room, trouble });
    this.buttons = [...element.querySelectorAll("button")];
    for (const button of this.buttons) button.addEventListener("click", () => this.answer(button.dataset.goOn === "yes"));
  }

  update(state, away) {
    const slept = state.slept_s ?? null;
    show(this.element, slept !== null);
    if (slept !== null) setText(byId("slept"), `This computer slept for ${clock(slept)}. Nothing was recorded meanwhile: that time is a gap. Does this session go on?`);
    for (const button of this.buttons) button.disabled = away;
  }

  async answer(goOn) {
    try {
      await send("POST", `/api/v1/rooms/${encodeURIComponent(this.room)}/after-sleep`, { go_on: goOn });
      this.trouble("");
    } catch (error) {
      this.trouble(error.message);
    }
  }
}

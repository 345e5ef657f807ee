// The therapist's switches for the client's own screen. The state belongs to the room, so that two tablets show the same.

import { button, dialog } from "../../shared/dialog.js";
import { make, send, setData, setText, show } from "../../shared/dom.js";

const SWITCHES = [
  ["field", "Colour field", "Follows the response, slowly"],
  ["tone", "Soft tone", "Follows it too; one press there lets it sound"],
  ["pacer", "Breathing pacer", "A circle to breathe with, in recovery"],
  ["pacer_sound", "Sound with the pacer", "A soft wave, in and out"],
];
const PACES = { least: 4, most: 7, step: 0.5 };

export class ClientSwitches {
  constructor(room, { trouble }) {
    this.path = `/api/v1/rooms/${encodeURIComponent(room)}/client-view`;
    this.page = `/rooms/${encodeURIComponent(room)}/client`;
    this.trouble = trouble;
    this.view = null;
    this.open = button("Client view", "quiet", () => { this.build(); this.show(); this.dialog.showModal(); });
  }

  update(state) {
    this.view = state.client_view;
    show(this.open, !state.bench);
    const on = this.view.field || this.view.tone || this.view.pacer;
    setText(this.open, on ? "Client view · on" : "Client view");
    if (this.dialog?.open) this.show();
  }

  build() {
    if (this.dialog) return;
    const link = make("a", "button primary", "Open on a second screen");
    link.href = this.page;
    link.target = "_blank";
    link.rel = "noopener";
    this.switches = SWITCHES.map(([name, title, about]) => {
      const made = button("", "switch", () => this.put({ [name]: !this.view[name] }));
      made.setAttribute("role", "switch");
      const words = make("span");
      words.append(make("b", "", title), make("small", "sub", about));
      made.append(words, make("i", "knob"));
      made.dataset.name = name;
      return made;
    });
    this.pace = make("span", "pace");
    this.slower = button("−", "step", () => this.put({ pace_per_min: this.view.pace_per_min - PACES.step }));
    this.slower.setAttribute("aria-label", "Slower");
    this.faster = button("+", "step", () => this.put({ pace_per_min: this.view.pace_per_min + PACES.step }));
    this.faster.setAttribute("aria-label", "Faster");
    const pacing = make("div", "pacing");
    pacing.append(this.slower, this.pace, this.faster);
    const acts = make("div", "acts");
    this.off = button("All off", "", () => this.put({ field: false, tone: false, pacer: false, pacer_sound: false }));
    acts.append(this.off, button("Done", "", () => this.dialog.close()));
    const about = "No number and no name stand on it. Nothing follows a poor signal or a pain notice.";
    const honest = "Slow breathing widens the heart’s rhythm by itself: with the pacer, the recovery tells little of the massage.";
    this.dialog = dialog("Client view", make("p", "sub", about), link, ...this.switches, pacing, make("p", "sub", honest), acts).element;
  }

  show() {
    for (const made of this.switches) made.setAttribute("aria-checked", String(this.view[made.dataset.name]));
    const pace = this.view.pace_per_min;
    setText(this.pace, `${pace} breaths a minute`);
    this.slower.disabled = pace <= PACES.least;
    this.faster.disabled = pace >= PACES.most;
    setData(this.dialog, "pacer", this.view.pacer ? "on" : "off");
  }

  async put(changes) {
    try {
      const { client_view: view } = await send("PUT", this.path, { ...this.view, ...changes });
      this.view = view;
      this.show();
      this.trouble("");
    } catch (error) {
      this.trouble(error.message);
    }
  }
}

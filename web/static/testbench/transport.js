// The transport bar of one bench room: its position, and the controls that change it.

import { make, post, setData, setText } from "../shared/dom.js";
import { clock, phaseWord, signalWord } from "../shared/live_text.js";

export const SPEEDS = [0.5, 1, 2, 5, 10, 60, 200];
const SVG = "http://www.w3.org/2000/svg";
const SKIP_S = 10;

function svg(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

function button(text, label, act) {
  const element = make("button", "", text);
  element.type = "button";
  if (label) element.setAttribute("aria-label", label);
  element.addEventListener("click", act);
  return element;
}

export function speedOptions(select, chosen) {
  for (const speed of SPEEDS.includes(chosen) ? SPEEDS : [...SPEEDS, chosen].sort((a, b) => a - b)) {
    const option = make("option", "", `× ${speed}`);
    option.value = String(speed);
    option.selected = speed === chosen;
    select.append(option);
  }
}

export class Transport {
  constructor(played, { trouble, closed }) {
    this.trouble = trouble;
    this.closed = closed;
    this.dragging = false;
    this.ended = false;
    this.asked = 0;
    this.room = `/api/v1/bench/${encodeURIComponent(played.room)}`;
    this.element = make("section", "player");
    this.element.dataset.room = played.room;
    this.element.setAttribute("aria-label", `${played.name}, ${played.recording}`);
    const head = make("div", "player-head");
    const title = make("h2");
    const link = make("a", "", played.name);
    link.href = `/rooms/${encodeURIComponent(played.room)}`;
    title.append(link);
    head.append(title, make("span", "sub", played.recording));
    this.state = make("p", "player-state", "–");
    this.told = make("p", "sub");
    setText(this.told, played.told.length ? `Put in: ${played.told.join(" · ")}` : "No faults put in.");
    this.element.append(head, this.state, this.track(played), this.bar(played), this.told);
    this.take(played);
  }

  track(played) {
    const track = make("div", "track");
    const picture = svg("svg", { viewBox: `0 0 ${played.duration_s} 10`, preserveAspectRatio: "none", "aria-hidden": "true" });
    for (const band of played.phases) picture.append(svg("rect", { class: `band ${band.phase}`, x: band.start_s, y: 0, width: Math.max(0, band.end_s - band.start_s), height: 10 }));
    for (const at of played.ticks.slice(0, 400)) picture.append(svg("rect", { class: "tick", x: at, y: 0, width: played.duration_s / 500, height: 10 }));
    const names = make("div", "names sub");
    names.setAttribute("aria-hidden", "true");
    setText(names, played.phases.map((band) => `${phaseWord(band.phase)} ${clock(band.start_s)}`).join("  ·  "));
    this.slider = make("input");
    Object.assign(this.slider, { type: "range", min: "0", max: String(Math.ceil(played.duration_s)), step: String(SKIP_S) });
    this.slider.setAttribute("aria-label", `Position in ${played.name}`);
    this.slider.addEventListener("input", () => { this.dragging = true; this.showTime(Number(this.slider.value)); });
    this.slider.addEventListener("change", () => { this.dragging = false; this.steer({ at_s: Number(this.slider.value) }); });
    track.append(picture, this.slider, names);
    return track;
  }

  bar(played) {
    const bar = make("div", "transport");
    const skip = (by) => this.steer({ at_s: Math.max(0, Math.min(this.played.duration_s, this.atS + by)) });
    this.pause = button("Pause", "", () => this.steer(this.ended ? { paused: false, at_s: 0 } : { paused: !this.played.paused }));
    this.pause.className = "primary pause";
    const speed = make("select");
    speed.setAttribute("aria-label", `Speed of ${played.name}`);
    speedOptions(speed, played.speed);
    speed.addEventListener("change", () => this.steer({ speed: Number(speed.value) }));
    this.loop = button("Loop", "", () => this.steer({ loop: !this.played.loop }));
    this.time = make("span", "time", "–");
    const close = button("Close", `Close ${played.name}`, async () => {
      try { await post(`${this.room}/close`); this.closed(); } catch (error) { this.trouble(error.message); }
    });
    bar.append(
      button("Restart", "", () => this.steer({ at_s: 0 })), button(`− ${SKIP_S} s`, `Back ${SKIP_S} s`, () => skip(-SKIP_S)),
      this.pause, button(`+ ${SKIP_S} s`, `Forward ${SKIP_S} s`, () => skip(SKIP_S)), speed, this.loop, this.time, close,
    );
    return bar;
  }

  async steer(change) {
    const asked = ++this.asked;
    if (change.at_s !== undefined) this.atS = change.at_s;
    try {
      const played = await post(this.room, change);
      if (asked === this.asked) this.take(played);
    } catch (error) {
      this.trouble(error.message);
    }
  }

  take(played) {
    this.played = played;
    this.atS = played.at_s;
    this.loop.setAttribute("aria-pressed", String(played.loop));
    this.show();
  }

  // Takes the room's state from the live socket.
  hear(room, nowMs, silentMs) {
    const { state } = room;
    if (silentMs) { setText(this.state, "–"); return; }
    this.ended = room.ended;
    this.atS = Math.min(room.nowS(nowMs), this.played.duration_s);
    const figures = [state.hr_bpm === null ? "– bpm" : `${state.hr_bpm} bpm`, state.rmssd_ms === null ? "RMSSD –" : `RMSSD ${Math.round(state.rmssd_ms)} ms`];
    setText(this.state, [phaseWord(state.phase, state.kind), ...figures, signalWord(state, room.grownS(nowMs))].join(" · "));
    setData(this.element, "paused", state.paused ? "yes" : "no");
    this.show();
  }

  show() {
    setText(this.pause, this.ended ? "Again" : this.played.paused ? "Go on" : "Pause");
    if (this.dragging) return;
    this.slider.value = String(this.atS);
    this.showTime(this.atS);
  }

  showTime(atS) {
    const text = `${clock(atS)} of ${clock(this.played.duration_s)}`;
    setText(this.time, text);
    if (this.slider.getAttribute("aria-valuetext") !== text && (this.dragging || document.activeElement !== this.slider)) this.slider.setAttribute("aria-valuetext", text);
  }
}

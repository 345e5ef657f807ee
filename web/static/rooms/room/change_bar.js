// The bar of the change against the baseline: a dot for the phase so far, a broad line for its 95 % interval, a ring
// for the last 60 s. Until there is an interval, only the ring is shown.

import { setData, setText } from "../../shared/dom.js";
import { signed } from "../../shared/live_text.js";

const [MIDDLE, HALF, EDGE] = [320, 280, 300];
const WIDEST = Math.log(2.5); // the ends of the bar: ×2.5 and ÷2.5

const at = (percent) => MIDDLE + HALF * Math.max(-1, Math.min(1, Math.log(Math.max(1 + percent / 100, 0.1)) / WIDEST));
const past = (percent) => Math.abs(Math.log(Math.max(1 + percent / 100, 0.1))) > WIDEST;

export class ChangeBar {
  constructor(svg) {
    this.svg = svg;
    this.interval = svg.querySelector(".interval");
    this.dot = svg.querySelector(".dot");
    this.ring = svg.querySelector(".ring");
    this.percent = svg.querySelector(".percent");
    this.range = svg.querySelector(".range");
    this.drawn = "";
  }

  // percent: change against the baseline, null where unknown; low and high: its interval, null where unknown; minute: change of the last 60 s.
  draw(percent, low = null, high = null, minute = percent) {
    const key = [percent, low, high, minute].map((value) => (value === null ? "" : value.toFixed(1))).join();
    if (key === this.drawn) return;
    this.drawn = key;
    setData(this.svg, "empty", percent === null ? "yes" : "no"); // it keeps its space, so that nothing on the page jumps
    if (percent === null) return;
    const sure = low !== null && high !== null;
    this.svg.dataset.interval = sure ? "yes" : "no";
    if (sure) {
      const [from, to] = [past(low) && low < 0 ? MIDDLE - EDGE : at(low), past(high) && high > 0 ? MIDDLE + EDGE : at(high)];
      this.interval.setAttribute("x", String(from));
      this.interval.setAttribute("width", String(Math.max(to - from, 2)));
    }
    this.dot.setAttribute("cx", String(at(percent)));
    this.ring.setAttribute("cx", String(at(minute)));
    const half = this.svg.clientWidth < 420 && sure ? 150 : sure ? 100 : 44; // letters are relatively larger where the bar is small
    this.percent.parentElement.setAttribute("x", String(Math.max(10 + half, Math.min(630 - half, at(percent)))));
    setText(this.percent, `${signed(percent)} %`);
    setText(this.range, sure ? `${signed(low)} to ${signed(high)}` : "");
    const said = sure ? `Change of this phase so far: ${signed(percent)} %, between ${signed(low)} and ${signed(high)} %; last 60 s: ${signed(minute)} %` : `Change in the last 60 s: ${signed(minute)} %, its interval is not known yet`;
    this.svg.setAttribute("aria-label", `${said}; provisional`);
  }
}

// One room in the grid.

import { make, setData, setSignal, setText, show } from "./dom.js";
import { NextButton } from "./next_button.js";
import { Strip } from "./strip.js";
import { clock, phaseWord, quality, response, signalWord } from "./words.js";

const MARK = '<svg class="mark" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><path/></svg><span></span>';

export class Tile {
  constructor(id, element, trouble) {
    this.element = element;
    this.word = null;
    element.dataset.room = id;
    element.replaceChildren();
    const head = make("div", "tile-head");
    const title = make("h2");
    this.link = make("a");
    this.link.href = `/rooms/${encodeURIComponent(id)}`;
    title.append(this.link);
    this.signal = make("span", "signal");
    this.signal.innerHTML = MARK;
    head.append(title, this.signal);
    this.who = make("p", "sub who");
    const middle = make("div", "tile-middle");
    const rate = make("div", "rate");
    this.rate = make("span", "", "–");
    rate.append(this.rate, make("span", "unit", "bpm"));
    const answer = make("div", "answer");
    this.answer = make("div", "word", "–");
    this.detail = make("div", "sub");
    answer.append(this.answer, this.detail);
    middle.append(rate, answer);
    this.canvas = make("canvas", "strip");
    this.canvas.setAttribute("aria-hidden", "true");
    this.quality = make("p", "sub quality");
    const foot = make("div", "tile-foot");
    const phase = make("div", "phase");
    this.phase = make("span", "phase-word");
    this.elapsed = make("span", "elapsed", "–");
    phase.append(this.phase, this.elapsed);
    this.button = make("button", "next");
    this.button.type = "button";
    const word = make("span");
    this.button.append(word);
    foot.append(phase, this.button);
    element.append(head, this.who, middle, this.canvas, this.quality, foot);
    this.strip = new Strip(this.canvas, { small: true });
    this.next = new NextButton(this.button, word, { trouble, opens: (address) => location.assign(address) });
  }

  render(room, silentMs, nowMs, speaker) {
    const { state } = room;
    const stale = silentMs > 0;
    const grown = room.grownS(nowMs);
    const phase = phaseWord(state.phase, state.kind);
    setData(this.element, "stale", stale ? "yes" : "no");
    setText(this.link, state.name);
    setText(this.who, [state.client, state.kind === "rest" ? "rest only" : null, state.strap].filter(Boolean).join(" · ") || "No client named");
    this.next.update(state, stale);
    this.button.setAttribute("aria-label", `${this.button.textContent}, ${state.name}`);
    if (stale) {
      for (const element of [this.rate, this.answer, this.elapsed, this.phase]) setText(element, "–");
      setText(this.detail, "");
      setText(this.quality, "");
      setData(this.rate.parentElement, "none", "yes");
      setSignal(this.signal, "away", "No news");
      return;
    }
    const answer = response(state, this.word);
    this.word = answer.word;
    setText(this.rate, state.hr_bpm === null ? "–" : String(state.hr_bpm));
    setData(this.rate.parentElement, "none", state.hr_bpm === null ? "yes" : "no");
    setText(this.answer, answer.word);
    setData(this.answer, "tone", answer.tone);
    setData(this.answer, "long", answer.word.length > 14 ? "yes" : "no");
    setText(this.detail, answer.percent === null ? answer.detail.split(" · ")[0] : `${answer.percent > 0 ? "+" : answer.percent < 0 ? "−" : ""}${Math.abs(Math.round(answer.percent))} % against baseline`);
    setText(this.quality, [state.hint, quality(state)].filter(Boolean)[0] ?? "");
    setText(this.phase, phase);
    setText(this.elapsed, room.ended ? clock(state.now_s) : clock(state.phase_s + grown));
    setSignal(this.signal, state.signal, signalWord(state, grown));
    speaker.say(`${room.id} phase`, `${state.name}: ${phase}`);
    speaker.say(`${room.id} signal`, `${state.name}: ${state.signal_text}`);
    show(this.canvas, true);
  }
}

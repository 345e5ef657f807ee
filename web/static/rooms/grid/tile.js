// The tile of one room in the grid, with the room's state as shape, words and place.

import { make, setData, setMark, setSignal, setText, show } from "../../shared/dom.js";
import { NextButton } from "../room/next_button.js";
import { hides } from "../../shared/hide_clients.js";
import { Sparkline } from "./sparkline.js";
import { Place, standing } from "./room_order.js";
import { clock, phaseWord, quality, response, signalWord, signed } from "../../shared/live_text.js";

const MARK = '<svg class="mark" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path/></svg><span></span>';
const PENCIL = '<svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true"><path d="M4 20l1-4L16 5l3 3L8 19zM13.5 7.5l3 3" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round"/></svg>';

function marked(tag, className) {
  const element = make(tag, className);
  element.innerHTML = MARK;
  return element;
}

export class Tile {
  constructor(id, element, { trouble, reassign }) {
    this.id = id;
    this.element = element;
    this.word = null;
    this.place = new Place();
    this.kind = "quiet";
    element.dataset.room = id;
    this.link = make("a");
    this.link.href = `/rooms/${encodeURIComponent(id)}`;
    const title = make("h2");
    title.append(this.link);
    this.signal = marked("span", "signal");
    const head = make("div", "tile-head");
    head.append(title, this.signal);
    this.who = make("span", "who");
    this.change = make("button", "quiet change");
    this.change.type = "button";
    this.change.innerHTML = PENCIL;
    this.change.addEventListener("click", () => reassign(this.state));
    const about = make("div", "tile-who");
    about.append(this.who, this.change);
    this.notice = marked("p", "tile-notice");
    this.rate = make("span", "", "–");
    const rate = make("div", "rate");
    rate.append(this.rate, make("span", "unit", "bpm"));
    this.answer = make("div", "word", "–");
    this.detail = make("div", "sub");
    const answer = make("div", "answer");
    answer.append(this.answer, this.detail);
    const middle = make("div", "tile-middle");
    this.brief = make("p", "brief"); // replaces answer and notice where many rooms share the screen
    this.brief.append(make("b"), make("small"));
    middle.append(rate, answer, this.brief);
    this.canvas = make("canvas");
    this.canvas.setAttribute("aria-hidden", "true");
    const strip = make("div", "tile-strip");
    strip.append(this.canvas);
    this.quality = make("p", "sub quality");
    this.phase = make("span", "phase-word");
    this.elapsed = make("span", "elapsed", "–");
    const phase = make("div", "phase");
    phase.append(this.phase, this.elapsed);
    this.button = make("button", "next");
    this.button.type = "button";
    const word = make("span");
    this.button.append(word);
    const foot = make("div", "tile-foot");
    foot.append(phase, this.button);
    element.replaceChildren(head, about, this.notice, middle, strip, this.quality, foot);
    this.strip = new Sparkline(this.canvas);
    this.next = new NextButton(this.button, word, { trouble, opens: (address) => location.assign(address) });
  }

  remove() {
    this.strip.forget();
    this.element.remove();
  }

  // The room's rank, by which the grid is sorted.
  rank(nowMs) { return this.place.take(this.kind, nowMs); }

  // `roomy`: whether there is space for whole sentences.
  render(room, silentMs, nowMs, speaker, roomy) {
    const { state } = room;
    const stale = silentMs > 0;
    const grown = room.grownS(nowMs);
    this.state = state;
    this.stand(standing(state, silentMs), roomy);
    setData(this.element, "stale", stale ? "yes" : "no");
    setText(this.link, state.name);
    setText(this.who, [hides() ? "Client hidden" : state.client ?? "No client named", state.kind === "rest" ? "rest only" : "", state.bench ? "bench" : ""].filter(Boolean).join(" · "));
    show(this.change, !state.bench);
    setLabel(this.change, `Change client, ${state.name}`);
    this.next.update(state, stale);
    setLabel(this.button, `${this.button.textContent}, ${state.name}`);
    if (stale) this.dash(); else this.figures(room, state, grown);
    if (stale) return;
    speaker.say(`${this.id} phase`, `${state.name}: ${phaseWord(state.phase, state.kind)}`);
    speaker.say(`${this.id} signal`, `${state.name}: ${state.signal_text}`);
    speaker.say(`${this.id} notice`, `${state.name}: ${state.notice ?? "no pain notice any more"}`);
  }

  stand({ kind, text }, roomy) {
    this.kind = kind;
    setData(this.element, "standing", kind);
    setMark(this.notice, kind === "pain" ? "pain" : "poor");
    setText(this.notice.lastChild, kind === "pain" && !roomy ? painWords(this.state).join(": ") : text);
    show(this.notice, text !== "");
  }

  dash() {
    for (const element of [this.rate, this.answer, this.elapsed, this.phase]) setText(element, "–");
    this.inBrief(...(this.kind === "pain" ? painWords(this.state) : ["No news"]));
    for (const element of [this.detail, this.quality]) setText(element, "");
    setData(this.answer, "tone", "quiet");
    setData(this.rate.parentElement, "none", "yes");
    setSignal(this.signal, "away", "No news");
  }

  figures(room, state, grown) {
    const answer = response(state, this.word);
    this.word = answer.word;
    setText(this.rate, state.hr_bpm === null ? (state.phase === "ended" ? "" : "–") : String(state.hr_bpm));
    setData(this.rate.parentElement, "none", state.hr_bpm === null ? "yes" : "no");
    setText(this.answer, answer.word);
    setData(this.answer, "tone", answer.tone);
    setData(this.answer, "long", answer.word.length > 14 ? "yes" : "no");
    setText(this.detail, answer.percent === null ? answer.detail.split(" · ")[0].split(" Next:")[0] : `${signed(answer.percent)} % against baseline`);
    setText(this.quality, quality(state));
    setText(this.phase, phaseWord(state.phase, state.kind));
    setText(this.elapsed, room.ended ? clock(state.now_s) : clock(state.phase_s + grown));
    setSignal(this.signal, state.signal, signalWord(state, grown));
    if (this.kind === "pain") this.inBrief(...painWords(state));
    else if (this.kind === "technical" && state.signal !== "good") this.inBrief(...signalWord(state, grown).split(" · "));
    else if (state.signal === "hr-only") this.inBrief("Heart rate only");
    else this.inBrief(answer.word, answer.percent === null ? "" : `${signed(answer.percent)} %`, answer.tone);
  }

  inBrief(word, more = "", tone = "text") {
    const [bold, small] = this.brief.children;
    setText(bold, word);
    setText(small, more);
    setData(this.brief, "tone", tone);
    setData(this.brief, "long", word.length > 12 ? "very" : word.length > 8 ? "yes" : "no");
  }
}

const painWords = (state) => [state.pain === null ? "Pain" : `Pain ${state.pain}`, "lighten or stop"];

function setLabel(element, text) {
  if (element.getAttribute("aria-label") !== text) element.setAttribute("aria-label", text);
}

// One room, readable from two metres.

import { byId, make, setData, setSignal, setText, show, Speaker } from "./dom.js";
import { Live, WakeLock } from "./live.js";
import { NextButton } from "./next_button.js";
import { Readiness } from "./readiness.js";
import { rows, Strip } from "./strip.js";
import { clock, integrity, noNews, phaseWord, quality, response, signalWord } from "./words.js";

const id = byId("main").dataset.room;
const live = new Live(id).start();
const strip = new Strip(byId("strip"));
const speaker = new Speaker(byId("spoken"));
const wake = new WakeLock();
const ready = new Readiness(byId("ready"));
let trouble = "";
let word = null;
let tableMs = 0;

const say = (text) => { trouble = text; if (text) setTimeout(() => { trouble = ""; }, 6000); };
const next = new NextButton(byId("next"), byId("next-word"), { trouble: say, opens: (address) => location.assign(address) });
let tools = null;
import("./room_tools.js").then(({ RoomTools }) => { tools = new RoomTools(byId("tools"), id, { trouble: say }); }); // after the figures

function drawChange(percent) {
  const svg = byId("change");
  show(svg, percent !== null);
  if (percent === null) return;
  const at = 320 + 280 * Math.max(-1, Math.min(1, Math.log(Math.max(1 + percent / 100, 0.1)) / Math.log(2.5)));
  const fill = svg.querySelector(".fill");
  fill.setAttribute("x", String(Math.min(at, 320)));
  fill.setAttribute("width", String(Math.abs(at - 320)));
  svg.querySelector(".dot").setAttribute("cx", String(at));
  const text = svg.querySelector(".percent");
  text.setAttribute("x", String(Math.max(44, Math.min(596, at))));
  setText(text, `${percent > 0 ? "+" : percent < 0 ? "−" : ""}${Math.abs(Math.round(percent))} %`);
}

function drawTable(room, nowMs) {
  if (byId("table").hidden || nowMs - tableMs < 2000) return;
  tableMs = nowMs;
  const body = byId("table").querySelector("tbody");
  body.replaceChildren(...rows(room.beats, room.nowS(nowMs)).map((cells) => {
    const row = make("tr");
    row.append(...cells.map((cell, n) => {
      const element = make(n ? "td" : "th", "", cell);
      if (!n) element.scope = "row";
      return element;
    }));
    return row;
  }));
}

function drawStream(state, grown) {
  const list = byId("stream");
  if (list.hidden) return;
  const lines = integrity(state, grown);
  if (list.children.length !== lines.length) list.replaceChildren(...lines.map(() => { const line = make("div"); line.append(make("dt"), make("dd")); return line; }));
  lines.forEach(([name, value, odd], n) => {
    const line = list.children[n];
    setText(line.children[0], name);
    setText(line.children[1], value);
    setData(line, "odd", odd ? "yes" : "no");
  });
}

function news(room, silentMs) {
  if (silentMs) return noNews(silentMs);
  if (trouble) return trouble;
  if (live.known && !live.known.includes(id)) return "This room is not open any more. Its session is among the sessions.";
  return room?.state?.hint ?? "";
}

function render() {
  const nowMs = performance.now();
  const room = live.rooms.get(id);
  const silentMs = live.silentMs(room, nowMs);
  const text = news(room, silentMs);
  setText(byId("news"), text);
  show(byId("news"), text !== "");
  setData(document.body, "stale", silentMs ? "yes" : "no");
  if (!room?.state) return;
  const { state } = room;
  const phase = phaseWord(state.phase, state.kind);
  const grown = room.grownS(nowMs);
  setText(byId("name"), state.name);
  setText(byId("who"), [state.client, state.kind === "rest" ? "rest only" : null, state.strap, state.battery_pct === null ? null : `battery ${state.battery_pct} %`].filter(Boolean).join(" · "));
  for (const step of byId("steps").children) setData(step, "at", step.dataset.phase === state.phase ? "now" : "");
  next.update(state, silentMs > 0);
  tools?.update(state);
  ready.update(state, silentMs > 0);
  wake.want(!room.ended);
  if (silentMs) {
    for (const name of ["rate", "word", "elapsed"]) setText(byId(name), "–");
    for (const name of ["quality", "detail"]) setText(byId(name), "");
    setText(byId("phase"), "–");
    setData(byId("big"), "none", "yes");
    setSignal(byId("signal"), "away", "No news");
    drawChange(null);
    document.title = `No news · ${state.name} – restbeat`;
    speaker.say("stale", "No news from restbeat");
    return;
  }
  const answer = response(state, word);
  word = answer.word;
  setText(byId("rate"), state.hr_bpm === null ? "–" : String(state.hr_bpm));
  setData(byId("big"), "none", state.hr_bpm === null ? "yes" : "no");
  setText(byId("quality"), room.ended ? "" : quality({ ...state, battery_pct: null }) || "– % of beats used");
  setText(byId("word"), answer.word);
  setData(byId("word"), "tone", answer.tone);
  setData(byId("word"), "long", answer.word.length > 14 ? "yes" : "no");
  setText(byId("detail"), answer.detail);
  drawChange(answer.percent);
  setText(byId("phase"), phase);
  setText(byId("elapsed"), room.ended ? clock(state.now_s) : clock(state.phase_s + grown));
  setSignal(byId("signal"), state.signal, signalWord(state, grown));
  setText(byId("next-hint"), state.bench ? "Pause, seek, trouble" : room.ended ? "Then the summary" : "Space does the same");
  document.title = `${phase} · ${state.name} – restbeat`;
  speaker.say("stale", "News again");
  speaker.say("phase", phase);
  speaker.say("signal", state.signal_text);
  drawTable(room, nowMs);
  drawStream(state, grown);
}

function frame(nowMs) {
  const room = live.rooms.get(id);
  if (room?.state) strip.draw(room, nowMs, live.silentMs(room, nowMs) > 0);
  requestAnimationFrame(frame);
}

document.addEventListener("keydown", (event) => {
  if (event.code !== "Space" || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  const focused = document.activeElement;
  if (focused && focused !== document.body && focused.matches("a, button, input, select, textarea, [tabindex]")) return;
  event.preventDefault();
  next.press();
});

// The strip, the same as a table, or the signal in detail: one at a time.
function choose(event, wanted) {
  const chosen = byId(wanted).hidden ? wanted : "strip";
  for (const view of ["strip", "table", "stream"]) show(byId(view), view === chosen);
  for (const view of ["table", "stream"]) byId(`as-${view}`).setAttribute("aria-pressed", String(view === chosen));
  tableMs = 0;
  if (event.detail) event.currentTarget.blur();
  render();
}
byId("as-table").addEventListener("click", (event) => choose(event, "table"));
byId("as-stream").addEventListener("click", (event) => choose(event, "stream"));

live.addEventListener("change", render);
setInterval(render, 250);
requestAnimationFrame(frame);

// The page of one room, readable from two metres, controlled by touch, keys or a pedal.

import { AfterSleep } from "./after_sleep.js";
import { ChangeBar } from "./change_bar.js";
import { ResumeAfterOutage } from "../live/resume_after_outage.js";
import { Controls, Sheets } from "./controls.js";
import { byId, make, setData, setSignal, setText, show, Speaker } from "../../shared/dom.js";
import { Entries } from "./entries.js";
import { Keys } from "./keys.js";
import { Live, WakeLock } from "../live/live.js";
import { Outbox } from "../live/outbox.js";
import { SessionChart } from "../live/session_chart.js";
import { Readiness } from "./readiness.js";
import { asked, awake, breathing, lostOf, minuteRows, pain, phaseTime, wantsAnother } from "./room_text.js";
import { rows, Strip } from "./rr_strip.js";
import { clock, integrity, noNews, phaseWord, quality, response, sentence, signalWord } from "../../shared/live_text.js";

const ORDER = ["settle", "baseline", "massage", "recovery", "ended"];
const main = byId("main");
const { room: id, kind, person } = main.dataset;
const live = new Live(id).start();
const strip = new Strip(byId("strip"));
const bar = new ChangeBar(byId("change"));
const chart = new SessionChart(byId("plot"), byId("plot-read"), kind);
const speaker = new Speaker(byId("spoken"));
const wake = new WakeLock();
const outbox = new Outbox(id);
const sheets = new Sheets();
const say = (text) => { trouble = text; clearTimeout(troubleTimer); if (text) troubleTimer = setTimeout(() => { trouble = ""; render(); }, 8000); render(); };
const entries = new Entries({ room: id, person, outbox, trouble: (text) => say(text), spoken: (text) => speaker.tell(text) });
const controls = new Controls({ outbox, entries, sheets, opens: (address) => location.assign(address), spoken: (text) => speaker.tell(text) });
const resumption = new ResumeAfterOutage({ room: id, outbox, goes: (address) => location.replace(address) });
const ready = new Readiness(byId("ready"));
const afterSleep = new AfterSleep(byId("after-sleep"), id, { trouble: (text) => say(text) });
let trouble = "";
let troubleTimer = 0;
let word = null;
let tableMs = -Infinity;
let view = "pictures";
let drawn = false;
let wasAway = false;
let tools = null;

const keys = new Keys({
  next: main.dataset.nextKeys.split(" "),
  begin: () => controls.next(),
  technique: (n) => controls.technique(n),
  sheets,
  dialog: byId("help"),
  commands: {
    r: () => sheets.toggle("region"), d: () => sheets.toggle("pressure"), p: () => sheets.toggle("pain"), s: () => controls.stop(),
    t: () => byId("turned").click(), k: () => byId("talking").click(), h: () => byId("heat").click(), c: () => byId("cold").click(),
    u: () => entries.undo(), b: () => { if (!byId("mend").hidden && !byId("date-other").hidden) sheets.toggle("date"); },
    v: () => choose(view === "tables" ? "pictures" : "tables"), i: () => choose(view === "stream" ? "pictures" : "stream"),
    "?": () => help(true),
  },
});

function fill(table, lines) {
  table.querySelector("tbody").replaceChildren(...lines.map((cells) => {
    const row = make("tr");
    row.append(...cells.map((cell, n) => {
      const element = make(n ? "td" : "th", "", cell);
      if (!n) element.scope = "row";
      return element;
    }));
    return row;
  }));
}

function drawTables(room, nowMs) {
  if (byId("table").hidden && byId("whole-table").hidden || nowMs - tableMs < 2000) return;
  tableMs = nowMs;
  if (!byId("table").hidden) fill(byId("table"), rows(room.beats, room.nowS(nowMs)));
  if (!byId("whole-table").hidden && room.story) fill(byId("whole-table"), minuteRows(room.story, kind));
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

function news(state, silentMs, missing) {
  const waiting = outbox.waiting.length;
  const kept = waiting ? ` ${waiting} ${waiting === 1 ? "entry is" : "entries are"} kept here and sent when it is back.` : "";
  if (silentMs) return noNews(silentMs) + kept;
  if (missing) return resumption.words + (resumption.wanted ? kept : "");
  if (trouble) return trouble;
  if (waiting && outbox.trouble) return outbox.trouble + kept;
  return state?.signal === "hr-only" || state?.signal === "unsaved" ? "" : state?.hint ?? ""; // shown in place of RMSSD, and above all
}

// Nothing is known about strap and client at this moment: all numbers are removed.
function blank(text) {
  for (const name of ["rate", "word"]) setText(byId(name), "–");
  for (const name of ["quality", "detail", "between", "asked"]) setText(byId(name), "");
  setData(byId("big"), "none", "yes");
  setData(byId("word"), "tone", "quiet");
  setData(byId("word"), "long", "no");
  setSignal(byId("signal"), "away", text);
  bar.draw(null);
}

function drawPhase(phase, phaseS, state, unsent) {
  const told = phase === state.phase ? phaseTime(phase, phaseS, state.target_s, lostOf(state)) : phaseTime(phase, phaseS, null);
  setText(byId("phase"), phaseWord(phase, kind));
  setText(byId("elapsed"), phase === "ended" ? clock(state.now_s) : told.time);
  setText(byId("beside"), unsent ? "waiting to be sent" : phase === "ended" ? "in all" : told.beside);
  for (const step of byId("steps").children) {
    const at = ORDER.indexOf(step.dataset.phase) - ORDER.indexOf(phase);
    setData(step, "at", at === 0 ? "now" : at < 0 ? "over" : "");
    step.style.setProperty("--share", (at === 0 ? told.share ?? 1 : at < 0 ? 1 : 0).toFixed(3));
  }
  return told;
}

function drawFigures(state, room, grown) {
  const answer = response(state, word);
  word = answer.word;
  const ended = state.phase === "ended"; // then the length of the session stands in place of the heart rate
  setText(byId("rate-label"), ended ? "The session lasted" : "Heart rate");
  setText(byId("rate"), ended ? clock(state.now_s) : state.hr_bpm === null ? "–" : String(state.hr_bpm));
  setText(byId("rate-unit"), ended ? "" : "bpm");
  setData(byId("big"), "none", !ended && state.hr_bpm === null ? "yes" : "no");
  setData(document.body, "ended", ended ? "yes" : "no");
  setText(byId("quality"), room.ended ? "" : [quality({ ...state, battery_pct: null }) || "– % of beats used", breathing(state)].filter(Boolean).join(" · "));
  setText(byId("word"), answer.word);
  setData(byId("word"), "tone", answer.tone);
  setData(byId("word"), "long", answer.word.length > 14 ? "yes" : "no");
  const compared = answer.percent !== null;
  setText(byId("detail"), answer.detail);
  setText(byId("between"), compared ? sentence(state.change_why ?? "") : "");
  bar.draw(answer.percent, state.change_low_pct ?? null, state.change_high_pct ?? null, state.change_pct);
  setSignal(byId("signal"), state.signal, signalWord(state, grown));
}

function render() {
  const nowMs = performance.now();
  const room = live.rooms.get(id);
  const silentMs = live.silentMs(room, nowMs);
  const missing = live.open && live.known !== null && !live.known.includes(id);
  const text = news(room?.state, silentMs, missing);
  setText(byId("news"), text);
  show(byId("news"), text !== "");
  setData(document.body, "stale", silentMs || missing ? "yes" : "no");
  if (missing) resumption.missing();
  const state = room?.state ?? controls.state;
  if (!state) return;
  const away = silentMs > 0 || missing || !room;
  if (wasAway && !away) outbox.flush();
  wasAway = away;
  const ahead = outbox.phaseAhead(state);
  const phase = ahead?.phase ?? state.phase;
  const grown = room?.grownS(nowMs) ?? 0;
  const phaseS = ahead ? ((Date.now() - ahead.sinceMs) / 1000) * state.speed : state.phase_s + grown;
  const told = drawPhase(phase, phaseS, state, ahead !== null && away);
  setText(byId("name"), state.name);
  setText(byId("who"), [state.client, state.kind === "rest" ? "rest only" : state.technique, state.posture, state.battery_pct === null ? null : `battery ${state.battery_pct} %`, state.strap].filter(Boolean).join(" · "));
  setText(byId("pain-now"), pain(state));
  show(byId("pain-shown"), state.pain !== null);
  setText(byId("notice"), state.notice ?? "");
  show(byId("notice"), Boolean(state.notice));
  controls.update(state, { away, ahead: ahead?.phase ?? null, told, story: room?.story });
  entries.render(state, room?.nowS(nowMs) ?? state.now_s, away);
  tools?.update(state);
  show(byId("other-strap"), tools !== null && !away && wantsAnother(state));
  ready.update(state, away);
  afterSleep.update(state, away);
  wake.want(phase !== "ended");
  if (ahead || !away) speaker.say("phase", phaseWord(phase, kind));
  if (away) {
    blank("No news");
    if (!ahead) for (const name of ["phase", "elapsed"]) setText(byId(name), "–");
    if (!ahead) setText(byId("beside"), "");
    document.title = `No news · ${state.name} – restbeat`;
    speaker.say("stale", "No news from restbeat");
    return;
  }
  resumption.heard(state);
  setText(byId("asked"), state.bench ? "" : asked(phase, kind, told, lostOf(state), state.still_settling));
  drawFigures(state, room, grown);
  document.title = `${phaseWord(phase, kind)} · ${state.name} – restbeat`;
  speaker.say("stale", "News again");
  speaker.say("signal", state.signal_text);
  speaker.say("notice", state.notice ?? "");
  if (room.story) chart.show(room.story, state.baseline_short ? null : state.baseline_rmssd_ms);
  drawTables(room, nowMs);
  drawStream(state, grown);
  if (!drawn) begin();
}

// The first figures are shown: the heavier parts can load now.
async function begin() {
  drawn = true;
  import("./room_tools.js").then(({ RoomTools }) => { tools = new RoomTools(byId("tools"), id, { trouble: say }); });
  const charts = await chart.load().catch(() => false);
  setData(document.body, "charts", charts ? "yes" : "no");
  if (!charts) choose(view);
  render();
}

function frame(nowMs) {
  const room = live.rooms.get(id);
  if (room?.state && view === "pictures") strip.draw(room, nowMs, live.silentMs(room, nowMs) > 0);
  requestAnimationFrame(frame);
}

// Views: charts, the same as tables, or the signal in detail beside the chart of the session.
function choose(wanted) {
  view = wanted;
  const charts = document.body.dataset.charts !== "no";
  show(byId("strip"), view === "pictures");
  show(byId("table"), view === "tables");
  show(byId("stream"), view === "stream");
  show(byId("plot"), charts && view !== "tables");
  show(byId("whole-table"), !charts || view === "tables");
  byId("as-table").setAttribute("aria-pressed", String(view === "tables"));
  byId("as-stream").setAttribute("aria-pressed", String(view === "stream"));
  tableMs = -Infinity;
  setData(document.body, "view", view);
  render();
}
byId("as-table").addEventListener("click", () => choose(view === "tables" ? "pictures" : "tables"));
byId("as-stream").addEventListener("click", () => choose(view === "stream" ? "pictures" : "stream"));
for (const button of document.querySelectorAll("[data-zoom]")) button.addEventListener("click", () => chart.zoom(Number(button.dataset.zoom)));

function help(open) {
  const dialog = byId("help");
  setText(byId("awake"), awake(live.rooms.get(id)?.state?.kept_awake ?? null, wake.held));
  if (open) dialog.showModal(); else dialog.close();
}
byId("other-strap").querySelector("button").addEventListener("click", () => tools.strap.open(live.rooms.get(id)?.state));
byId("open-help").addEventListener("click", () => help(true));
byId("close-help").addEventListener("click", () => help(false));
byId("letters").setAttribute("aria-pressed", String(keys.letters));
byId("letters").addEventListener("click", () => {
  keys.letters = !keys.letters;
  byId("letters").setAttribute("aria-pressed", String(keys.letters));
  setText(byId("letters-word"), keys.letters ? "on" : "off");
});
setText(byId("letters-word"), keys.letters ? "on" : "off");

outbox.addEventListener("change", render);
live.addEventListener("change", render);
live.addEventListener("adapter", () => outbox.flush());
setInterval(render, 250);
requestAnimationFrame(frame);

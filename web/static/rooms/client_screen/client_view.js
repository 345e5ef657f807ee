// The client's own screen. The server sends it neither names nor figures.

import { Field } from "./client_field.js";
import { Pacer } from "./client_pacer.js";
import { Sound } from "./client_sound.js";
import { byId, setData, setText, show } from "../../shared/dom.js";
import { Live, WakeLock } from "../live/live.js";

const OLD_MS = 3000; // messages older than this are no longer shown
const FRAME_MS = 1000 / 30, FIELD_MS = 200, SOUND_MS = 100;
const WIDER = 0.15, NO_WIDER = 0.05;
const AWAKE_MS = 5000;

const NOTHING = { field: false, tone: false, level: null, pace_per_min: null, pacer_sound: false };
const REST = "Rest. There is nothing to do.";
const SWINGS = "Your heart’s rhythm swings a little wider now.";

const still = matchMedia("(prefers-reduced-motion: reduce)");
const [field, pacer, sound, wake] = [new Field(), new Pacer(), new Sound(), new WakeLock()];
const stage = byId("field"), circle = byId("circle");
let told = NOTHING, toldMs = -Infinity;
let wider = false, begun = false;
let [frameMs, fieldMs, soundMs, awakeMs] = [0, 0, 0, 0];

new Live(byId("main").dataset.room, "client").start().addEventListener("client-view", (event) => { told = event.detail; toldMs = performance.now(); });

const fresh = (nowMs) => (nowMs - toldMs < OLD_MS ? told : NOTHING);

// Only the pacer's circle needs every frame.
function turn() {
  const nowMs = performance.now();
  if (nowMs - frameMs >= FRAME_MS * 0.9) step(nowMs);
  if (pacer.shown > 0 && !still.matches) requestAnimationFrame(turn); else setTimeout(turn, FIELD_MS);
}

function step(nowMs) {
  const dt = (nowMs - frameMs) / 1000;
  frameMs = nowMs;
  const now = fresh(nowMs);
  const breath = pacer.step(now.pace_per_min, dt);
  paintField(now.field && !still.matches ? now.level : null, nowMs);
  paintPacer(breath);
  if (nowMs - soundMs > SOUND_MS) {
    soundMs = nowMs;
    sound.play(now.tone ? now.level : null, now.pacer_sound && now.pace_per_min !== null ? breath.wide * breath.shown : null);
    words(now, breath, nowMs);
  }
}

function paintField(level, nowMs) {
  if (nowMs - fieldMs < FIELD_MS) return;
  const dt = (nowMs - fieldMs) / 1000;
  fieldMs = nowMs;
  if (level === null && field.shown === 0) return;
  const { inner, outer, x, y } = field.step(level, dt);
  stage.style.setProperty("--inner", `rgb(${inner.join(" ")})`);
  stage.style.setProperty("--outer", `rgb(${outer.join(" ")})`);
  stage.style.setProperty("--x", `${x.toFixed(1)}%`);
  stage.style.setProperty("--y", `${y.toFixed(1)}%`);
}

function paintPacer({ wide, shown }) {
  byId("breath").style.opacity = still.matches ? 1 : shown.toFixed(3);
  show(circle, shown > 0 && !still.matches);
  if (shown === 0 || still.matches) return;
  circle.style.transform = `scale(${(0.42 + 0.58 * wide).toFixed(4)})`;
  circle.style.opacity = shown.toFixed(3);
}

// Words that replace motion where it is reduced; otherwise they only accompany it.
function words(now, breath, nowMs) {
  if (now.level !== null) wider = now.level > (wider ? NO_WIDER : WIDER);
  const paced = breath.shown > 0;
  setText(byId("words"), still.matches && now.field && now.level !== null && wider ? SWINGS : REST);
  setText(byId("breath"), !paced ? "" : breath.inwards ? "Breathe in" : "Breathe out");
  setData(document.body, "shows", paced ? "pacer" : !still.matches && field.shown > 0 ? "field" : "words");
  setData(document.body, "sound", sound.running ? "on" : "off");
  const mute = begun && (now.tone || now.pacer_sound) && !sound.running;
  setText(byId("begin"), mute ? "Turn the sound on" : "Begin");
  show(byId("begin"), !begun || mute);
  setData(document.body, "awake", nowMs - awakeMs < AWAKE_MS ? "yes" : "no");
  show(byId("whole"), begun && Boolean(document.documentElement.requestFullscreen));
  setText(byId("whole"), document.fullscreenElement ? "Leave full screen" : "Full screen");
}

// One press allows sound later, switches to full screen, and keeps the screen on.
byId("begin").addEventListener("click", async () => {
  const first = !begun;
  begun = true;
  wake.want(true);
  await sound.begin();
  if (first) fill(true);
});
byId("whole").addEventListener("click", () => fill(!document.fullscreenElement));

function fill(wanted) {
  const done = wanted ? document.documentElement.requestFullscreen?.({ navigationUI: "hide" }) : document.exitFullscreen?.();
  done?.catch(() => {}); // an iframe or a phone that refuses full screen: the page works without it
}

for (const kind of ["pointermove", "pointerdown", "keydown", "focusin"]) addEventListener(kind, () => { awakeMs = performance.now(); });
turn();
setInterval(() => { if (document.hidden) step(performance.now()); }, 1000); // hidden pages get no frames, but the sound must go on

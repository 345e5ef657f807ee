// The test bench: the recordings that can be played, and the bench rooms.

import { byId, make, post, setText, show, Speaker } from "../shared/dom.js";
import { Live } from "../rooms/live/live.js";
import { speedOptions, Transport } from "./transport.js";
import { noNews } from "../shared/live_text.js";

const live = new Live().start();
const form = byId("play");
const players = byId("players");
const speaker = new Speaker(byId("spoken"));
const transports = new Map();
let trouble = "";

const say = (text) => { trouble = text; render(); if (text) setTimeout(() => { if (trouble === text) trouble = ""; }, 8000); };

function add(played) {
  if (transports.has(played.room)) { transports.get(played.room).take(played); return; }
  const transport = new Transport(played, { trouble: say, closed: () => drop(played.room) });
  transports.set(played.room, transport);
  players.append(transport.element);
}

function drop(id) {
  const transport = transports.get(id);
  if (transport?.element.contains(document.activeElement)) form.elements.recording.focus();
  transport?.element.remove();
  transports.delete(id);
  render();
}

async function load() {
  let bench;
  try {
    bench = await (await fetch("/api/v1/bench", { signal: AbortSignal.timeout(10000) })).json();
  } catch {
    return; // the page already states that there are no news
  }
  const select = form.elements.recording;
  const chosen = select.value;
  select.replaceChildren(...bench.recordings.map((name) => Object.assign(make("option", "", name), { value: name, selected: name === chosen })));
  for (const id of [...transports.keys()]) if (!bench.rooms.some((played) => played.room === id)) drop(id);
  bench.rooms.forEach(add);
  players.dataset.loaded = "yes";
  render();
}

function render() {
  const nowMs = performance.now();
  const silent = live.silentMs(null, nowMs);
  const text = trouble || (silent ? noNews(silent) : "");
  setText(byId("news"), text);
  show(byId("news"), text !== "");
  show(byId("none"), players.dataset.loaded === "yes" && transports.size === 0);
  for (const [id, transport] of transports) {
    const room = live.rooms.get(id);
    if (!room?.state) continue;
    transport.hear(room, nowMs, live.silentMs(room, nowMs));
    speaker.say(id, `${room.state.name}: ${room.state.paused ? "paused" : room.state.signal_text}`);
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { recording, faults, seed, speed, loop } = form.elements;
  const go = form.querySelector("button");
  go.disabled = true;
  try {
    const wanted = faults.value.split(/[\s,]+/).filter(Boolean);
    add(await post("/api/v1/bench", { recording: recording.value, faults: wanted, seed: Number(seed.value), speed: Number(speed.value), loop: loop.checked }));
    say("");
  } catch (error) {
    say(error.message);
  } finally {
    go.disabled = false;
  }
});

// Another page has opened or closed a bench room.
let known = "";
live.addEventListener("change", () => {
  const now = (live.known ?? []).filter((id) => id.startsWith("bench-")).join();
  if (now !== known) { known = now; load(); }
});
speedOptions(form.elements.speed, 10);
setInterval(render, 200);
load();

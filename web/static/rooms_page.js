// Every room at one glance, and the straps that wait for a client.

import { byId, make, setText, show, Speaker } from "./dom.js";
import { Live, WakeLock } from "./live.js";
import { StrapList } from "./straps.js";
import { Tile } from "./tile.js";
import { noNews } from "./words.js";

const live = new Live().start();
const speaker = new Speaker(byId("spoken"));
const wake = new WakeLock();
const tiles = new Map();
const grid = byId("grid");
let trouble = "";

const say = (text) => { trouble = text; if (text) setTimeout(() => { trouble = ""; }, 6000); };
const adapter = (text) => { setText(byId("adapter"), text ?? ""); show(byId("adapter"), Boolean(text)); };
const straps = new StrapList(byId("straps"), byId("no-straps"), { trouble: say, adapter });

function tileOf(id) {
  if (!tiles.has(id)) {
    const waiting = [...grid.children].find((element) => element.dataset.room === id);
    const element = waiting ?? grid.appendChild(make("article", "tile"));
    tiles.set(id, new Tile(id, element, say));
  }
  return tiles.get(id);
}

function render() {
  const nowMs = performance.now();
  for (const [id, tile] of tiles) if (!live.rooms.has(id)) { tile.element.remove(); tiles.delete(id); }
  if (live.known) for (const element of [...grid.children]) if (!live.known.includes(element.dataset.room)) element.remove();
  let silent = live.silentMs(null, nowMs);
  for (const [id, room] of live.rooms) {
    const quiet = live.silentMs(room, nowMs);
    tileOf(id).render(room, quiet, nowMs, speaker);
    if (!live.open) silent = Math.max(silent, quiet);
  }
  const text = silent ? noNews(silent) : trouble;
  setText(byId("news"), text);
  show(byId("news"), text !== "");
  show(byId("no-rooms"), live.known !== null && live.rooms.size === 0);
  wake.want([...live.rooms.values()].some((room) => !room.ended));
  const running = [...live.rooms.values()].filter((room) => room.state && !room.ended).length;
  document.title = silent ? "No news – restbeat" : running ? `${running} ${running === 1 ? "room" : "rooms"} – restbeat` : "Rooms – restbeat";
}

function frame(nowMs) {
  for (const [id, tile] of tiles) {
    const room = live.rooms.get(id);
    if (room?.state) tile.strip.draw(room, nowMs, live.silentMs(room, nowMs) > 0);
  }
  requestAnimationFrame(frame);
}

live.addEventListener("change", render);
live.addEventListener("adapter", (event) => adapter(event.detail));
setInterval(render, 250);
straps.start();
requestAnimationFrame(frame);

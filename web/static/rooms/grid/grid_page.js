// The grid of all rooms, and the free straps.

import { byId, make, setData, setMark, setText, show, Speaker } from "../../shared/dom.js";
import { Live, WakeLock } from "../live/live.js";
import { onHideChange } from "../../shared/hide_clients.js";
import { Reassign } from "../live/reassign.js";
import { glance, sizeOf } from "./room_order.js";
import { StrapList } from "./straps.js";
import { Tile } from "./tile.js";
import { noNews } from "../../shared/live_text.js";

const TICK_MS = 500; // all tiles are updated in one frame, because many small frames are expensive; urgent changes are shown at once
const STRIPS_EVERY = 2; // ticks between two drawings of the strips, which scroll two or three pixels a second
const ROOMY = new Set(["one", "two", "three", "four"]);
const HANDS_OFF_MS = 1500; // after a touch no tile moves for this long, so that none moves from under a finger

const live = new Live().start();
const speaker = new Speaker(byId("spoken"));
const wake = new WakeLock();
const tiles = new Map();
const grid = byId("grid");
let trouble = "";
let changed = true;
let shown = "";
let ticks = 0;
let touchedMs = -HANDS_OFF_MS;

const say = (text) => { trouble = text; changed = true; if (text) setTimeout(() => { trouble = ""; }, 6000); };
const adapter = (text) => { setText(byId("adapter"), text ?? ""); show(byId("adapter"), Boolean(text)); };
const straps = new StrapList(byId("straps"), byId("no-straps"), { trouble: say, adapter });
const reassign = new Reassign();

function tileOf(id) {
  if (!tiles.has(id)) {
    const waiting = [...grid.children].find((element) => element.dataset.room === id);
    const element = waiting ?? grid.appendChild(make("article", "tile"));
    tiles.set(id, new Tile(id, element, { trouble: say, reassign: (state) => reassign.open(state) }));
  }
  return tiles.get(id);
}

function render() {
  const nowMs = performance.now();
  for (const [id, tile] of tiles) if (!live.rooms.has(id)) { tile.remove(); tiles.delete(id); }
  if (live.known) for (const element of [...grid.children]) if (!live.known.includes(element.dataset.room)) element.remove();
  let silent = live.silentMs(null, nowMs);
  const size = sizeOf((live.known ?? [...live.rooms.keys()]).length);
  setData(grid, "size", size);
  for (const [id, room] of live.rooms) {
    const quiet = live.silentMs(room, nowMs);
    tileOf(id).render(room, quiet, nowMs, speaker, ROOMY.has(size));
    if (!live.open) silent = Math.max(silent, quiet);
  }
  arrange(nowMs);
  summarise();
  const text = silent ? noNews(silent) : trouble;
  setText(byId("news"), text);
  show(byId("news"), text !== "");
  show(byId("no-rooms"), live.known !== null && live.rooms.size === 0);
  wake.want([...live.rooms.values()].some((room) => !room.ended));
  const running = [...live.rooms.values()].filter((room) => room.state && !room.ended).length;
  const title = silent ? "No news – restbeat" : running ? `${running} ${running === 1 ? "room" : "rooms"} – restbeat` : "Rooms – restbeat";
  if (document.title !== title) document.title = title;
}

// Pain first, then technical trouble, then quiet rooms; within each group in the order of opening.
function arrange(nowMs) {
  const opened = live.known ?? [...live.rooms.keys()];
  const ranked = [...tiles.values()].map((tile) => ({ tile, rank: tile.rank(nowMs), at: opened.indexOf(tile.id) }));
  if (nowMs - touchedMs < HANDS_OFF_MS || reassign.isOpen) return;
  ranked.sort((a, b) => a.rank - b.rank || a.at - b.at);
  const focused = grid.contains(document.activeElement) ? document.activeElement : null;
  ranked.forEach(({ tile }, n) => { if (grid.children[n] !== tile.element) grid.insertBefore(tile.element, grid.children[n]); });
  if (focused && document.activeElement !== focused) focused.focus({ preventScroll: true });
}

function summarise() {
  const parts = glance([...tiles.values()].map((tile) => tile.kind));
  const list = byId("glance");
  while (list.children.length > parts.length) list.lastChild.remove();
  while (list.children.length < parts.length) {
    const item = list.appendChild(make("li"));
    item.innerHTML = '<svg class="mark" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path/></svg><span></span>';
  }
  parts.forEach(([kind, text], n) => {
    const item = list.children[n];
    setData(item, "standing", kind);
    setMark(item, { pain: "pain", technical: "poor", quiet: "good", ended: "ended" }[kind]);
    setText(item.lastChild, text);
  });
}

function tick() {
  const nowMs = performance.now();
  render();
  ticks += 1;
  if (document.hidden || ticks % STRIPS_EVERY !== 1) return;
  for (const [id, tile] of tiles) {
    const room = live.rooms.get(id);
    if (room?.state) tile.strip.draw(room, nowMs, live.silentMs(room, nowMs) > 0);
  }
}

// The parts of all rooms' states whose changes are shown at once.
const weighty = () => [...live.rooms.values()].map(({ id, state }) => `${id} ${state?.client} ${state?.phase} ${state?.signal} ${state?.notice}`).join();

live.addEventListener("change", () => {
  const now = weighty();
  if (!changed && now === shown) return;
  changed = false;
  shown = now;
  tick();
});
live.addEventListener("adapter", (event) => adapter(event.detail));
onHideChange(() => { live.restart(); tick(); });
grid.addEventListener("pointerdown", () => { touchedMs = Infinity; });
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => { touchedMs = performance.now(); });
setInterval(tick, TICK_MS);
straps.start();

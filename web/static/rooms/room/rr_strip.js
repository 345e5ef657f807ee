// The strip of RR intervals: the last two minutes, scrolling. The line breaks at gaps and at rejected beats.

import { age, phaseWord } from "../../shared/live_text.js";

const WINDOW_S = 120;
const LEAST_SPAN_MS = 240;
const LEAN_MS = 260; // time constant with which the scale follows the beats
const TAIL_S = 5; // beats are judged within two beats, so a longer hole at the end is a gap
const still = matchMedia("(prefers-reduced-motion: reduce)");

export class Strip {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.range = null;
    this.lastMs = 0;
    this.readColours();
    addEventListener("themechange", () => this.readColours());
    new ResizeObserver(() => { this.resize(); this.lastMs = 0; }).observe(canvas);
    this.resize();
  }

  readColours() {
    const style = getComputedStyle(this.canvas);
    const read = (name) => style.getPropertyValue(name).trim();
    this.colour = { line: read("--calm"), out: read("--warn"), quiet: read("--quiet"), grid: read("--line"), text: read("--text"), gap: read("--gap") };
    this.font = '14px system-ui, "Segoe UI", Roboto, sans-serif';
  }

  resize() {
    const ratio = Math.min(devicePixelRatio || 1, 2);
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  // Draws whenever the strip has moved by half a pixel, or less often where motion is reduced.
  draw(room, nowMs, stale) {
    const passedMs = nowMs - this.lastMs;
    if (passedMs < this.restMs(room) || !this.width) return;
    this.lastMs = nowMs;
    const c = this.context;
    c.clearRect(0, 0, this.width, this.height);
    c.globalAlpha = stale ? 0.35 : 1;
    c.font = this.font;
    c.textBaseline = "middle";
    const box = { left: 72, right: 14, top: 10, bottom: 26 };
    const plot = { x0: box.left, x1: this.width - box.right, y0: box.top, y1: this.height - box.bottom };
    const now = room.nowS(nowMs);
    const x = (s) => plot.x1 - ((now - s) / WINDOW_S) * (plot.x1 - plot.x0);
    const [low, high] = this.scale(room.beats, passedMs);
    const y = (ms) => plot.y1 - ((Math.min(Math.max(ms, low), high) - low) / (high - low)) * (plot.y1 - plot.y0);
    this.axes(plot, low, high, y);
    c.save();
    c.beginPath();
    c.rect(plot.x0, 0, plot.x1 - plot.x0 + 4, this.height);
    c.clip();
    this.taken = []; // space used by words along the upper edge: the newest come first, and none overlaps another
    this.gaps(room, now, plot, x);
    this.beats(room.beats, x, y);
    c.restore();
    c.globalAlpha = 1;
  }

  restMs(room) {
    if (still.matches) return 1000;
    const pixelsPerMs = (this.width / WINDOW_S / 1000) * (room.state?.speed || 1);
    return Math.min(Math.max(0.5 / pixelsPerMs, 15), 120);
  }

  scale(beats, passedMs) {
    let low = Infinity, high = -Infinity;
    for (const [, rr, accepted] of beats) if (accepted) { low = Math.min(low, rr); high = Math.max(high, rr); }
    if (low > high) return this.range ?? [600, 1100];
    const middle = (low + high) / 2, half = Math.max(LEAST_SPAN_MS, 1.2 * (high - low)) / 2;
    const wanted = [middle - half, middle + half];
    const lean = still.matches || !this.range ? 1 : 1 - Math.exp(-passedMs / LEAN_MS);
    this.range = this.range ? this.range.map((value, n) => value + lean * (wanted[n] - value)) : wanted;
    return this.range;
  }

  axes(plot, low, high, y) {
    const c = this.context;
    const most = Math.min(4.5, (plot.y1 - plot.y0) / 26);
    const step = [50, 100, 200, 500, 1000].find((size) => (high - low) / size <= most) ?? 2000;
    c.strokeStyle = this.colour.grid;
    c.fillStyle = this.colour.quiet;
    c.lineWidth = 1;
    c.textAlign = "right";
    for (let ms = Math.ceil(low / step) * step; ms < high; ms += step) {
      const at = Math.round(y(ms)) + 0.5;
      c.beginPath(); c.moveTo(plot.x0, at); c.lineTo(plot.x1, at); c.stroke();
      c.fillText(`${ms} ms`, plot.x0 - 8, at);
    }
    const marks = this.width < 560 ? [[0, "now"], [60, "1 min"], [120, "2 min"]] : [[0, "now"], [30, "30 s ago"], [60, "1 min ago"], [90, "90 s ago"], [120, "2 min ago"]];
    for (const [ago, text] of marks) {
      const at = plot.x1 - (ago / WINDOW_S) * (plot.x1 - plot.x0);
      c.textAlign = ago === 0 ? "right" : ago === 120 ? "left" : "center";
      c.fillText(text, at, this.height - 9);
    }
  }

  gaps(room, now, plot, x) {
    const { beats } = room;
    const last = beats.at(-1)?.[0];
    if (last !== undefined && !room.ended && now - last > Math.max(TAIL_S, TAIL_S * 0.5 * (room.state?.speed ?? 1))) this.hole(last, now, plot, x, "no beats");
    this.border(room, now, plot, x);
    for (let n = beats.length - 1; n > 0; n--) {
      const [end, rr, , gap] = beats[n];
      if (gap) this.hole(beats[n - 1][0], end - rr / 1000, plot, x, "lost");
    }
  }

  hole(from, to, plot, x, word) {
    if (to - from < 0.3) return;
    const c = this.context, a = Math.max(x(from), plot.x0), b = x(to);
    if (b <= a) return;
    c.fillStyle = this.colour.gap;
    c.fillRect(a, plot.y0, b - a, plot.y1 - plot.y0);
    if (to - from < 2) return;
    const text = `${word} ${age(to - from)}`;
    const width = c.measureText(text).width;
    c.fillStyle = this.colour.out;
    this.write(text, Math.min((a + b - width) / 2, plot.x1 - width), plot.y0 + 9);
  }

  write(text, left, y) {
    const c = this.context, right = left + c.measureText(text).width;
    if (this.taken.some(([from, to]) => left < to + 6 && right > from - 6)) return;
    this.taken.push([left, right]);
    c.textAlign = "left";
    c.fillText(text, left, y);
  }

  border(room, now, plot, x) {
    if (room.ended || !room.state) return;
    const start = room.state.now_s - room.state.phase_s;
    if (start <= 0.5 || now - start > WINDOW_S) return;
    const c = this.context, at = Math.round(x(start)) + 0.5;
    c.strokeStyle = this.colour.quiet;
    c.setLineDash([3, 4]);
    c.beginPath(); c.moveTo(at, plot.y0); c.lineTo(at, plot.y1); c.stroke();
    c.setLineDash([]);
    c.fillStyle = this.colour.quiet;
    const word = phaseWord(room.state.phase, room.state.kind);
    const width = c.measureText(word).width;
    this.write(word, at + 8 + width < plot.x1 ? at + 8 : at - 8 - width, plot.y0 + 9);
  }

  beats(beats, x, y) {
    const c = this.context;
    c.strokeStyle = c.fillStyle = this.colour.line;
    c.lineWidth = 2.2;
    c.lineJoin = c.lineCap = "round";
    let pen = false;
    c.beginPath();
    beats.forEach(([end, rr, accepted, gap], n) => {
      if (!accepted) { pen = false; return; }
      const joined = pen && !gap;
      if (joined) c.lineTo(x(end), y(rr)); else c.moveTo(x(end), y(rr));
      const next = beats[n + 1];
      if (!joined && (!next || !next[2] || next[3])) c.lineTo(x(end) + 0.01, y(rr)); // a single beat is a dot
      pen = true;
    });
    c.stroke();
    c.fillStyle = this.colour.out;
    const size = 6.5;
    for (const [end, rr, accepted] of beats) {
      if (accepted) continue;
      const [a, b] = [x(end), y(rr)];
      c.beginPath(); c.moveTo(a, b - size); c.lineTo(a + size, b + size * 0.8); c.lineTo(a - size, b + size * 0.8); c.closePath(); c.fill();
    }
  }
}

// The same beats as a table: one row per 10 s, newest first.
export function rows(beats, nowS) {
  const bins = Array.from({ length: WINDOW_S / 10 }, (_, n) => ({ from: n * 10, beats: 0, out: 0, rr: [] }));
  for (const [end, rr, accepted] of beats) {
    const bin = bins[Math.floor((nowS - end) / 10)];
    if (!bin) continue;
    bin.beats += 1;
    if (accepted) bin.rr.push(rr); else bin.out += 1;
  }
  const ms = (value) => (Number.isFinite(value) ? `${Math.round(value)} ms` : "–");
  return bins.map(({ from, beats: count, out, rr }) => [`${from}–${from + 10} s`, String(count), ms(rr.reduce((a, b) => a + b, 0) / rr.length), ms(Math.min(...rr)), ms(Math.max(...rr)), String(out)]);
}

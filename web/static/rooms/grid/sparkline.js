// The RR intervals of a tile: the last two minutes, scrolled by whole pixels. Drawn only when it has moved, and only while it is visible.

const WINDOW_S = 120;
const LEAST_SPAN_MS = 240;
const TAIL_S = 5; // beats are judged within two beats, so a longer hole at the end is a gap
const LEAN_S = 1;
const EDGE = 4;

const byCanvas = new WeakMap();
const seen = new IntersectionObserver((entries) => { for (const entry of entries) byCanvas.get(entry.target)?.see(entry.isIntersecting); });
const sized = new ResizeObserver((entries) => { for (const entry of entries) byCanvas.get(entry.target)?.resize(entry.contentRect); });

export class Sparkline {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.visible = false;
    this.drawn = "";
    this.width = this.height = 0;
    this.range = null;
    this.readColours();
    addEventListener("themechange", () => this.readColours());
    byCanvas.set(canvas, this);
    seen.observe(canvas);
    sized.observe(canvas);
  }

  forget() {
    seen.unobserve(this.canvas);
    sized.unobserve(this.canvas);
  }

  see(visible) {
    this.visible = visible;
    this.drawn = "";
  }

  readColours() {
    const style = getComputedStyle(document.documentElement);
    const read = (name) => style.getPropertyValue(name).trim();
    this.colour = { line: read("--calm"), out: read("--warn"), gap: read("--gap") };
    this.drawn = "";
  }

  resize({ width, height }) {
    this.ratio = Math.min(devicePixelRatio || 1, 2);
    [this.width, this.height] = [width, height];
    this.canvas.width = Math.round(width * this.ratio);
    this.canvas.height = Math.round(height * this.ratio);
    this.context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    this.drawn = "";
  }

  draw(room, nowMs, stale) {
    if (!this.visible || !this.width) return;
    const perS = this.width / WINDOW_S;
    const now = Math.floor(room.nowS(nowMs) * perS) / perS; // in whole pixels: smaller movements would not be seen
    const key = `${now} ${room.session} ${room.seq} ${stale}`;
    if (key === this.drawn) return;
    this.drawn = key;
    const c = this.context;
    c.clearRect(0, 0, this.width, this.height);
    c.globalAlpha = stale ? 0.35 : 1;
    const x = (s) => this.width - EDGE - (now - s) * perS;
    const [low, high] = this.scale(room.beats, nowMs);
    const tall = this.height - 2 * EDGE;
    const y = (ms) => this.height - EDGE - ((Math.min(Math.max(ms, low), high) - low) / (high - low)) * tall;
    this.gaps(room, now, x);
    this.line(room.beats, x, y);
    this.leftOut(room.beats, x, y);
  }

  scale(beats, nowMs) {
    let low = Infinity, high = -Infinity;
    for (const [, rr, accepted] of beats) if (accepted) { low = Math.min(low, rr); high = Math.max(high, rr); }
    if (low > high) return this.range ?? [600, 1100];
    const middle = (low + high) / 2, half = Math.max(LEAST_SPAN_MS, 1.2 * (high - low)) / 2;
    const lean = this.range ? 1 - Math.exp(-(nowMs - this.scaledMs) / 1000 / LEAN_S) : 1;
    const before = this.range ?? [middle - half, middle + half];
    this.range = [before[0] + lean * (middle - half - before[0]), before[1] + lean * (middle + half - before[1])];
    this.scaledMs = nowMs;
    return this.range;
  }

  gaps(room, now, x) {
    this.context.fillStyle = this.colour.gap;
    const hole = (from, to) => { if (to - from > 0.3) this.context.fillRect(x(from), 0, x(to) - x(from), this.height); };
    let before = null;
    for (const [end, rr, , gap] of room.beats) {
      if (gap && before !== null) hole(before, end - rr / 1000);
      before = end;
    }
    if (before !== null && !room.ended && now - before > TAIL_S * Math.max(1, (room.state?.speed ?? 1) / 2)) hole(before, now);
  }

  line(beats, x, y) {
    const c = this.context;
    c.strokeStyle = this.colour.line;
    c.lineWidth = 1.6;
    c.lineJoin = c.lineCap = "round";
    c.beginPath();
    beats.forEach(([end, rr, accepted, gap], n) => {
      if (!accepted) return;
      const joined = n > 0 && beats[n - 1][2] && !gap;
      if (joined) c.lineTo(x(end), y(rr)); else c.moveTo(x(end), y(rr));
      const next = beats[n + 1];
      if (!joined && (!next || !next[2] || next[3])) c.lineTo(x(end) + 0.01, y(rr)); // a single beat is a dot
    });
    c.stroke();
  }

  leftOut(beats, x, y) {
    const c = this.context;
    c.fillStyle = this.colour.out;
    c.beginPath();
    for (const [end, rr, accepted] of beats) {
      if (accepted) continue;
      const [a, b] = [x(end), y(rr)];
      c.moveTo(a, b - 4);
      c.lineTo(a + 4, b + 3);
      c.lineTo(a - 4, b + 3);
      c.closePath();
    }
    c.fill();
  }
}

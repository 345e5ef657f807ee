// The chart of a whole session: RMSSD of each minute with its interval, phases as bands, marks as labelled ticks, breathing rate.
// uPlot draws it; without uPlot the table shows the same.

import { make, setText, show } from "../../shared/dom.js";
import { clock, phaseWord } from "../../shared/live_text.js";

const LEAST_S = 60;
const LEAST_SPAN_MS = 24;
const BREATHS = [4, 30];
const STEP = 1.6;
const LABEL_ROWS = 3;
const FONT = 'system-ui, "Segoe UI", Roboto, sans-serif';

function library(address, style) {
  const link = make("link");
  link.rel = "stylesheet";
  link.href = style;
  const script = make("script");
  script.src = address;
  return new Promise((done, failed) => {
    script.addEventListener("load", () => done(globalThis.uPlot));
    script.addEventListener("error", () => failed(new Error("uPlot could not be loaded")));
    document.head.append(link, script);
  });
}

// As many ticks as fit without overlapping.
const breaths = (height) => (height < 34 ? [] : height < 60 ? [8, 20] : [8, 14, 20]);

export class SessionChart {
  // element: where the chart is drawn; readout: where the figures at the cursor are shown.
  constructor(element, readout, kind) {
    Object.assign(this, { element, readout, kind });
    this.story = null;
    this.plot = null;
    this.zoomed = null; // [min, max] in s
    this.baseline = null;
    addEventListener("themechange", () => { this.readColours(); this.plot?.redraw(); });
    element.addEventListener("keydown", (event) => this.key(event));
    this.touches();
  }

  async load() {
    const { library: address, style } = this.element.dataset;
    if (!address) return false;
    this.library = await library(address, style);
    this.readColours();
    new ResizeObserver(() => this.resize()).observe(this.element);
    if (this.story) this.draw();
    return true;
  }

  readColours() {
    const style = getComputedStyle(this.element);
    const read = (name) => style.getPropertyValue(name).trim();
    this.colour = { line: read("--calm"), band: read("--interval"), dot: read("--dot"), quiet: read("--quiet"), grid: read("--line"), text: read("--text"), warn: read("--warn"), breath: read("--ok"), phase: read("--band"), ground: read("--bg") };
  }

  // Takes the newest story; draws only where something has changed.
  show(story, baseline) {
    const fresh = story !== this.story || baseline !== this.baseline;
    this.story = story;
    this.baseline = baseline;
    if (fresh && this.library && this.element.offsetParent) this.draw();
  }

  get endS() { return Math.max(LEAST_S, (this.story.segments.at(-1)?.[0] ?? 0) + 5, ...this.story.phases.map((phase) => phase.start_s), ...this.story.marks.map((mark) => mark.at_s)); }

  draw() {
    const columns = [0, 4, 2, 3, 1, 5].map((field) => this.story.segments.map((segment) => segment[field]));
    this.breathes = columns[5].some((breaths) => breaths !== null);
    this.element.parentElement.dataset.breath = this.breathes ? "yes" : "no";
    this.plot ??= new this.library(this.options(), columns, this.element);
    const followed = this.zoomed && this.zoomed[1] >= this.lastEndS - 1;
    this.plot.setData(columns, false);
    if (followed) this.zoomed = this.zoomed.map((at) => at + this.endS - this.lastEndS);
    this.lastEndS = this.endS;
    this.scale();
    this.element.setAttribute("aria-valuemax", String(Math.round(this.endS)));
  }

  scale() {
    const [min, max] = this.zoomed ?? [0, this.endS];
    this.wanted = [min, max];
    this.plot.setScale("x", { min, max });
    this.element.dataset.zoomed = this.zoomed ? "yes" : "no";
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (!width || !height) return;
    if (this.plot) this.plot.setSize({ width, height });
    else if (this.story) this.draw();
  }

  options() {
    const c = () => this.colour;
    const line = { stroke: () => c().line, width: 2.2, points: { show: false } };
    const edge = { stroke: "transparent", width: 0, points: { show: false } };
    const axis = { stroke: () => c().quiet, font: `13px ${FONT}`, ticks: { show: false }, gap: 6 };
    const spread = (u, min, max) => {
      const [low, high] = [Math.min(min ?? 20, this.baseline ?? Infinity), Math.max(max ?? 60, this.baseline ?? 0)];
      const [middle, half] = [(low + high) / 2, Math.max(LEAST_SPAN_MS, 1.16 * (high - low)) / 2];
      return [Math.max(0, middle - half), middle + 1.25 * half]; // space above for the names of phases and marks
    };
    return {
      width: this.element.clientWidth, height: this.element.clientHeight, padding: [2, 8, 0, 4], legend: { show: false },
      scales: { x: { time: false }, y: { range: spread }, breath: { range: () => BREATHS } },
      series: [{}, { ...edge, scale: "y" }, { ...line, scale: "y" }, { ...edge, scale: "y" },
        { scale: "y", paths: () => null, points: { show: true, size: 4, width: 0, fill: () => c().dot, stroke: "transparent" } },
        { scale: "breath", stroke: () => c().breath, width: 1.6, dash: [5, 4], points: { show: false } }],
      bands: [{ series: [1, 3], fill: () => c().band }],
      axes: [
        { ...axis, size: 26, grid: { show: false }, incrs: [10, 30, 60, 120, 300, 600, 900, 1800, 3600], space: 70, values: (u, at) => at.map((s) => (s % 60 ? clock(s) : `${s / 60} min`)) },
        { ...axis, scale: "y", size: 58, grid: { stroke: () => c().grid, width: 1 }, space: 34, values: (u, at) => at.map((ms) => `${ms} ms`) },
        { ...axis, scale: "breath", side: 1, size: () => (this.breathes ? 46 : 12), grid: { show: false }, stroke: () => c().breath, splits: (u) => breaths(this.breathes ? u.bbox.height / (devicePixelRatio || 1) : 0), values: (u, at) => at.map((n) => `${n}/min`) },
      ],
      cursor: { drag: { x: true, y: false, dist: 8 }, points: { show: false }, bind: { dblclick: () => () => { this.zoom(0); return null; } } },
      hooks: { drawClear: [(u) => this.bands(u)], draw: [(u) => this.marks(u)], setCursor: [(u) => this.read(u.cursor.idx)], setScale: [(u, key) => this.scaled(u, key)] },
    };
  }

  scaled(u, key) {
    const { min, max } = u.scales.x;
    if (key !== "x" || !this.wanted || (min === this.wanted[0] && max === this.wanted[1])) return;
    this.zoomed = this.wanted = [Math.max(0, min), Math.min(this.endS, max)]; // by the mouse
    this.element.dataset.zoomed = "yes";
  }

  // factor 0: the whole session; above 1: zoom in; below 1: zoom out.
  zoom(factor, around = null) {
    if (!this.plot) return;
    const [min, max] = this.zoomed ?? [0, this.endS];
    const centre = around ?? this.cursorS ?? max;
    const width = Math.max(LEAST_S, (max - min) / factor);
    if (!factor || width >= this.endS) this.zoomed = null;
    else {
      const from = Math.min(Math.max(0, centre - ((centre - min) / (max - min)) * width), this.endS - width);
      this.zoomed = [from, from + width];
    }
    this.scale();
  }

  get cursorS() { const at = this.plot?.cursor.idx; return at === null || at === undefined ? null : this.story.segments[at]?.[0] ?? null; }

  bands(u) {
    const { ctx, bbox } = u;
    const ratio = devicePixelRatio;
    this.clipped(u, () => {
      this.story.phases.forEach(({ phase, start_s: start, end_s: end }, n) => {
        const [from, to] = [u.valToPos(start, "x", true), end === null ? bbox.left + bbox.width : u.valToPos(end, "x", true)];
        if (n % 2) { ctx.fillStyle = this.colour.phase; ctx.fillRect(from, bbox.top, to - from, bbox.height); }
        if (n) this.tick(ctx, from, bbox, []);
        this.label(ctx, phaseWord(phase, this.kind), Math.max(from, bbox.left) + 7 * ratio, bbox.top + 12 * ratio, Math.min(to, bbox.left + bbox.width), this.colour.quiet, 13);
      });
      if (this.baseline === null) return;
      const y = u.valToPos(this.baseline, "y", true);
      ctx.strokeStyle = this.colour.quiet;
      ctx.lineWidth = ratio;
      ctx.setLineDash([2 * ratio, 4 * ratio]);
      ctx.beginPath(); ctx.moveTo(bbox.left, y); ctx.lineTo(bbox.left + bbox.width, y); ctx.stroke();
      ctx.setLineDash([]);
      this.label(ctx, `baseline ${Math.round(this.baseline)}`, bbox.left + 6 * ratio, y - 9 * ratio, bbox.left + bbox.width, this.colour.quiet, 12);
    });
  }

  // Ticks of all marks, with the names of as many as fit, the newest first.
  marks(u) {
    const { ctx, bbox } = u;
    const ratio = devicePixelRatio;
    this.clipped(u, () => {
      const room = Math.floor((bbox.height / ratio - 40) / 16);
      const rows = Array.from({ length: Math.min(Math.max(room, 1), LABEL_ROWS) }, () => Infinity);
      for (const { at_s: at, text } of this.story.marks.toReversed()) {
        const x = u.valToPos(at, "x", true);
        this.tick(ctx, x, bbox, [3 * ratio, 4 * ratio]);
        ctx.font = `${13 * ratio}px ${FONT}`;
        const short = text.length > 26 ? `${text.slice(0, 25)}…` : text;
        const width = ctx.measureText(short).width + 8 * ratio;
        const right = x + width > bbox.left + bbox.width; // no space to the right of the last tick
        const [from, to] = right ? [x - width, x] : [x, x + width];
        const row = rows.findIndex((free) => to < free);
        if (row < 0 || from < bbox.left || x > bbox.left + bbox.width) continue;
        rows[row] = from;
        ctx.textAlign = right ? "right" : "left";
        this.write(ctx, short, x + (right ? -5 : 5) * ratio, bbox.top + (30 + 16 * row) * ratio, this.colour.text);
      }
      for (const [at, score] of this.story.pain) {
        const [x, y, size] = [u.valToPos(at, "x", true), bbox.top + bbox.height - 11 * ratio, 6 * ratio];
        ctx.fillStyle = this.colour.warn;
        ctx.beginPath(); ctx.moveTo(x, y - size); ctx.lineTo(x + size, y); ctx.lineTo(x, y + size); ctx.lineTo(x - size, y); ctx.closePath(); ctx.fill();
        const fits = x + 70 * ratio < bbox.left + bbox.width;
        ctx.font = `${13 * ratio}px ${FONT}`;
        ctx.textAlign = fits ? "left" : "right";
        this.write(ctx, `pain ${score}`, x + (fits ? 10 : -10) * ratio, y, this.colour.text);
      }
    });
  }

  tick(ctx, x, bbox, dash) {
    ctx.strokeStyle = this.colour.quiet;
    ctx.globalAlpha = 0.7;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash(dash);
    ctx.beginPath(); ctx.moveTo(Math.round(x) + 0.5, bbox.top); ctx.lineTo(Math.round(x) + 0.5, bbox.top + bbox.height); ctx.stroke();
    ctx.setLineDash([]);
    ctx.globalAlpha = 1;
  }

  label(ctx, text, x, y, limit, colour, size) {
    ctx.font = `${size * devicePixelRatio}px ${FONT}`;
    if (x + ctx.measureText(text).width > limit) return;
    ctx.textAlign = "left";
    this.write(ctx, text, x, y, colour);
  }

  // An outline in the background colour keeps text readable over lines.
  write(ctx, text, x, y, colour) {
    ctx.textBaseline = "middle";
    ctx.lineJoin = "round";
    ctx.lineWidth = 3 * devicePixelRatio;
    ctx.strokeStyle = this.colour.ground;
    ctx.strokeText(text, x, y);
    ctx.fillStyle = colour;
    ctx.fillText(text, x, y);
  }

  clipped(u, paint) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.textBaseline = "middle";
    paint();
    ctx.restore();
  }

  read(at) {
    const segment = at === null || at === undefined ? null : this.story?.segments[at];
    show(this.readout, Boolean(segment));
    if (!segment) return;
    const [mid, , level, low, high, breaths] = segment;
    const near = this.story.marks.filter((mark) => Math.abs(mark.at_s - mid) <= 5).map((mark) => mark.text);
    const parts = [clock(mid), level === null ? "RMSSD –" : `RMSSD ${Math.round(level)} ms (${Math.round(low)}–${Math.round(high)})`, breaths === null ? "" : `breathing ${Math.round(breaths)}`, ...near];
    setText(this.readout, parts.filter(Boolean).join(" · "));
    this.element.setAttribute("aria-valuenow", String(Math.round(mid)));
    this.element.setAttribute("aria-valuetext", this.readout.textContent);
  }

  key(event) {
    const { plot } = this;
    if (!plot || !this.story.segments.length || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = this.story.segments.length - 1;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -6, ArrowUp: 6, Home: -Infinity, End: Infinity };
    if (event.key in steps) {
      const at = Math.min(Math.max((plot.cursor.idx ?? last + 1) + steps[event.key], 0), last);
      plot.setCursor({ left: plot.valToPos(this.story.segments[at][0], "x"), top: plot.over.clientHeight / 2 });
    } else if (event.key === "+" || event.key === "-") this.zoom(event.key === "+" ? STEP : 1 / STEP);
    else if (event.key === "0") this.zoom(0);
    else return;
    event.preventDefault();
  }

  // One finger moves the cursor, two zoom; up and down still scroll the page.
  touches() {
    const fingers = new Map();
    let spread = 0;
    const across = () => { const [a, b] = [...fingers.values()]; return Math.max(20, Math.abs(a - b)); };
    const over = (x) => x - this.plot.over.getBoundingClientRect().left;
    this.element.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse" || !this.plot) return;
      fingers.set(event.pointerId, event.clientX);
      if (fingers.size === 2) spread = across();
      else this.plot.setCursor({ left: over(event.clientX), top: 10 });
    });
    this.element.addEventListener("pointermove", (event) => {
      if (!fingers.has(event.pointerId)) return;
      fingers.set(event.pointerId, event.clientX);
      if (fingers.size === 1) { this.plot.setCursor({ left: over(event.clientX), top: 10 }); return; }
      const now = across();
      const [a, b] = [...fingers.values()];
      this.zoom(now / spread, this.plot.posToVal(over((a + b) / 2), "x"));
      spread = now;
    });
    for (const name of ["pointerup", "pointercancel", "pointerleave"]) this.element.addEventListener(name, (event) => fingers.delete(event.pointerId));
  }
}

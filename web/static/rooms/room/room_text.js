// Texts of the room page beside the figures. Pure functions.

import { clock, phaseWord } from "../../shared/live_text.js";

const COUNTED_DOWN = new Set(["settle", "baseline", "recovery"]);
const WITHOUT_STRAP = new Set(["lost", "silent", "no-strap", "hr-only"]);
const LONG_CONNECTING_S = 10;
const TOLD_LOST_S = 5; // unusable time of a baseline from which it is stated
const minutes = (seconds) => (seconds % 60 ? clock(seconds) : `${Math.round(seconds / 60)} min`);

// The time of a phase: { time, beside, share, full, usable }. It counts down where the client rests, up where the therapist works.
// lostS: time of it without usable beats, which does not count; usable: in words, empty where all of it is.
export function phaseTime(phase, phaseS, targetS, lostS = 0) {
  if (!targetS) return { time: clock(phaseS), beside: "", share: null, full: false, usable: "" };
  const usableS = Math.max(phaseS - lostS, 0);
  const left = targetS - usableS;
  const share = Math.min(usableS / targetS, 1);
  const usable = `${clock(usableS)} of ${clock(targetS)} usable`;
  if (COUNTED_DOWN.has(phase) && left > 0) return { time: clock(Math.ceil(left)), beside: "to go", share, full: false, usable };
  return { time: clock(phaseS), beside: `of ${minutes(targetS)}`, share, full: left <= 0, usable };
}

// Time of a baseline without usable beats, s; 0 in other phases, and from a sensor that gives no HRV.
export const lostOf = (state) => (state.phase === "baseline" && typeof state.baseline_usable_s === "number" ? Math.max(state.phase_s - state.baseline_usable_s, 0) : 0);

// What therapist or client should do now. settling: whether a baseline that is long enough still rises.
export function asked(phase, kind, { full, usable }, lostS = 0, settling = false) {
  if (phase === "settle") return full ? "Settled: the baseline can begin" : "Let the client settle";
  if (phase === "baseline" && full && settling) return "Still settling: two more minutes would help";
  if (phase === "baseline") return full ? `Baseline complete: the ${kind === "rest" ? "rest" : "massage"} can begin` : lostS >= TOLD_LOST_S ? `Lie still, no talking · ${usable}` : "Lie still, no talking";
  if (phase === "recovery") return full ? "Recovery complete" : "No talking, please";
  return full ? "The planned time is over" : "";
}

// Whether the strap is in trouble that another one would end.
export const wantsAnother = (state) => state.phase !== "ended" && !state.bench && (WITHOUT_STRAP.has(state.signal) || (state.signal === "connecting" && state.signal_s > LONG_CONNECTING_S));

export function breathing(state) {
  return state.resp_per_min === null || state.resp_per_min === undefined ? "" : `breathing ${Math.round(state.resp_per_min)} a minute`;
}

export function pain(state) {
  if (state.pain === null) return "";
  if (state.pain_before === null || state.pain_before === state.pain) return String(state.pain);
  return `${state.pain_before} → ${state.pain}`;
}

// A time before now by the session's clock: "just now", "40 s ago", "3 min ago".
export function ago(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return whole < 3 ? "just now" : whole < 90 ? `${whole} s ago` : `${Math.round(whole / 60)} min ago`;
}

export const beganWord = (phase, kind) => (phase === "ended" ? "Session ended" : `${phaseWord(phase, kind)} began`);

// The current technique, region and pressure: the newest of each in the story.
export function doing(story) {
  const now = {};
  for (const mark of story?.marks ?? []) for (const field of ["technique", "region", "pressure"]) if (mark[field]) now[field] = mark[field];
  return now;
}

// The whole session as a table: one row per minute, newest first.
export function minuteRows(story, kind) {
  const rows = new Map();
  const row = (s) => { const minute = Math.floor(s / 60); if (!rows.has(minute)) rows.set(minute, { levels: [], lows: [], highs: [], breaths: [], done: [] }); return rows.get(minute); };
  for (const [mid, , level, low, high, breaths] of story.segments) {
    const at = row(mid);
    if (level !== null) { at.levels.push(level); at.lows.push(low); at.highs.push(high); }
    if (breaths !== null) at.breaths.push(breaths);
  }
  for (const { phase, start_s: start } of story.phases) row(start).done.push(phaseWord(phase, kind));
  for (const { at_s: at, text } of story.marks) row(at).done.push(text);
  for (const [at, score] of story.pain) row(at).done.push(`Pain ${score}`);
  const middle = (values) => (values.length ? String(Math.round([...values].sort((a, b) => a - b)[values.length >> 1])) : null);
  return [...rows].sort((a, b) => b[0] - a[0]).map(([minute, at]) => [
    clock(60 * minute), middle(at.levels) ? `${middle(at.levels)} ms` : "–", middle(at.levels) ? `${middle(at.lows)}–${middle(at.highs)} ms` : "–", middle(at.breaths) ?? "–", at.done.join(", "),
  ]);
}

// Who keeps computer and screen awake: `computer` true, false or null where the system was not asked.
export function awake(computer, screen) {
  const here = screen ? "This screen is kept awake by the browser." : "The browser does not keep this screen awake: set the tablet so that it stays on.";
  if (computer === null) return here;
  return `${here} ${computer ? "The computer that runs restbeat is kept awake while a session runs." : "The computer that runs restbeat may fall asleep: set it so that it does not."}`;
}

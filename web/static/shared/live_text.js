// Live figures and a room's state in words. Pure functions.

const PHASES = { settle: "Settling", baseline: "Baseline", massage: "Massage", recovery: "Recovery", ended: "Ended" };
const NEXT = { settle: "Begin baseline", baseline: "Begin massage", massage: "Begin recovery", recovery: "End session", ended: "Pain after, notes" };
const AWAY = new Set(["lost", "silent", "no-strap", "connecting"]);
const WINDOW_S = 60; // window of the live figures: until a phase is as old as that, they include the phase before it
const CHANGE_PCT = 10;
const STAYS_PCT = 6; // a word stays until the change is this small, so that it does not flicker at its limit

export const phaseWord = (phase, kind) => (phase === "massage" && kind === "rest" ? "Rest" : PHASES[phase] ?? phase);
export const nextWord = (phase, kind) => (phase === "baseline" && kind === "rest" ? "Begin rest" : NEXT[phase] ?? "");
export const away = (state) => AWAY.has(state.signal);

export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h ? `${h}:${String(m).padStart(2, "0")}:${String(s).padStart(2, "0")}` : `${m}:${String(s).padStart(2, "0")}`;
}

export function age(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return whole < 100 ? `${whole} s` : whole < 6000 ? `${Math.round(whole / 60)} min` : `${Math.round(whole / 3600)} h`;
}

export const signed = (value) => {
  const whole = Math.round(value);
  return whole === 0 ? "0" : `${whole > 0 ? "+" : "−"}${Math.abs(whole)}`;
};

const TONES = { Higher: "up", Lower: "down" };
const PERHAPS = { Higher: "Perhaps higher", Lower: "Perhaps lower" };
const UNSURE_PCT = 2; // how far an interval must reach across zero before a definite word becomes a "perhaps", and back

// One word for a change; with "perhaps" where its interval includes no change, or is not known yet.
export function direction(percent, before = null, low = null, high = null) {
  const border = (word) => (word === before || PERHAPS[word] === before ? STAYS_PCT : CHANGE_PCT);
  const word = percent >= border("Higher") ? "Higher" : percent <= -border("Lower") ? "Lower" : "About the same";
  if (!PERHAPS[word]) return word;
  if (low === null || high === null) return PERHAPS[word];
  const reach = word === "Higher" ? -low : high;
  return reach > (before === word ? UNSURE_PCT : before === PERHAPS[word] ? -UNSURE_PCT : 0) ? PERHAPS[word] : word;
}

// The response now: { word, detail, percent, tone }; percent is null where there is nothing to compare.
export function response(state, before = null) {
  const ms = (value) => `${Math.round(value)} ms`;
  const now = state.rmssd_ms === null ? null : `RMSSD ${ms(state.rmssd_ms)}`;
  const none = (word, detail, tone = "quiet") => ({ word, detail: detail ?? "", percent: null, tone });
  if (state.phase === "ended" && state.bench) return none("Session ended", "A recording on the bench leaves no summary.");
  if (state.phase === "ended") return none(state.verdict ?? "Session ended", `${state.verdict_why ?? (state.saved === false ? "Its end is not saved yet." : "Its figures are being computed.")} Next: ask for the pain after, and write the notes.`, "same");
  if (state.signal === "hr-only") return none("Heart rate only – no HRV", state.hint);
  if (state.rmssd_ms === null) return none("–", sentence(state.rmssd_why ?? "no figure yet"));
  if (state.notice) return none(ms(state.rmssd_ms), "RMSSD of the last 60 s · pain comes first");
  if (state.phase === "settle") return none("Settling", `${now} · compared once the baseline is known`);
  if (state.phase === "baseline") return none("Finding the baseline", `${now} · lie still, no talking`);
  if (state.baseline_short) return none("Baseline too short", [now, state.change_why && sentence(state.change_why)].filter(Boolean).join(" · "));
  if (state.change_pct === null || state.baseline_rmssd_ms === null) return none("No baseline", `${now} · the baseline had too few beats to compare with`);
  const soFar = state.change_so_far_pct ?? null;
  if (soFar === null && state.phase_s < WINDOW_S) return none("First minute", `${now} · compared once it is over`);
  const percent = soFar ?? state.change_pct; // the interval belongs to the phase so far
  const word = direction(percent, before, state.change_low_pct ?? null, state.change_high_pct ?? null);
  const side = state.change_pct >= 0 ? "above" : "below";
  const share = Math.abs(Math.round(state.change_pct));
  return { word, detail: `${now}, ${share} % ${side} baseline (${ms(state.baseline_rmssd_ms)})`, percent, tone: TONES[word] ?? "same" };
}

// The signal in words, with its age where beats are missing.
export function signalWord(state, grownS) {
  if (state.paused) return `Paused · ${state.signal_text}`;
  if (!away(state)) return state.signal_text;
  return `${state.signal_text} · ${age((state.age_s ?? state.signal_s) + grownS)}`;
}

export function quality(state) {
  const parts = [];
  if (state.accepted_pct !== null) parts.push(`${Math.floor(state.accepted_pct)} % of beats used`);
  if (state.battery_pct !== null) parts.push(`battery ${state.battery_pct} %`);
  return parts.join(" · ");
}

// The integrity of the stream: [name, value, whether it is unusual].
export function integrity(state, grownS) {
  const s = state.stream;
  const share = s.rr_time_s >= 60 ? (100 * s.rr_sum_s) / s.rr_time_s : null;
  const seconds = (value) => `${value < 10 ? value.toFixed(1) : Math.round(value)} s`;
  return [
    ["Last packet", state.age_s === null ? "–" : `${seconds(state.age_s + (state.phase === "ended" ? 0 : grownS))} ago`, away(state)],
    ["RR sum against the clock", share === null ? "–" : `${share.toFixed(1)} %`, share !== null && (share < 97 || share > 103)],
    ["Gaps", s.gaps ? `${s.gaps}, ${seconds(s.lost_s)} lost, longest ${seconds(s.longest_gap_s)}` : "none", s.gaps > 0],
    ["Beats left out", s.beats ? `${s.rejected_beats} of ${s.beats}` : "–", s.rejected_beats > 0.1 * s.beats],
    ...(state.checked ? [["Checked against NeuroKit2", checked(state.checked, state.checked_s + grownS), state.checked.differences.length > 0]] : []),
    ["Packets", `${s.packets}`, false],
    ["Doubled, passed over", `${s.duplicate_packets}`, s.duplicate_packets > 0],
    ["Late batches", `${s.late_batches}`, s.late_batches > 0],
    ["Without RR", `${s.no_rr_packets}`, s.no_rr_packets > 0],
    ["Without skin contact", `${s.no_contact_packets}`, s.no_contact_packets > 0],
    ["Not readable", `${s.unreadable_packets}`, s.unreadable_packets > 0],
    ["Two straps at once", s.two_straps_beats ? `${s.two_straps_beats} beats left out` : "no", s.two_straps_beats > 0],
  ];
}

function checked({ compared, differences }, agoS) {
  const ago = `${age(agoS)} ago`;
  if (!differences.length) return `all ${compared} figures agree, ${ago}`;
  const { figure, ours, neurokit2 } = differences[0];
  return `${figure.replace(/_(ms|pct)$/, "").toUpperCase()} differs: ${ours ?? "none"} here, ${neurokit2 ?? "none"} there, ${ago}`;
}

export const sentence = (text) => (text ? text[0].toUpperCase() + text.slice(1) : "");
export const noNews = (silentMs) => `No news from restbeat for ${age(silentMs / 1000)}. It reconnects by itself.`;

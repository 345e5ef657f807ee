// The order of the rooms: pain first, then technical trouble, then quiet rooms, then ended ones. Pure functions.

import { away } from "../../shared/live_text.js";

export const KINDS = ["pain", "technical", "quiet", "ended"];
const SETTLES_MS = 2000; // a flickering signal does not move a tile

// Returns the kind of a room's state, and what to do about it.
export function standing(state, silentMs) {
  if (state.notice) return { kind: "pain", text: state.notice };
  if (silentMs) return { kind: "technical", text: "" }; // the page states it for all rooms
  if (state.phase === "ended") return { kind: "ended", text: "" };
  if (away(state) || state.signal === "poor" || state.signal === "unsaved" || (state.hint && state.signal !== "hr-only")) return { kind: "technical", text: state.signal === "unsaved" ? "" : state.hint ?? "" }; // the page says it for all rooms
  return { kind: "quiet", text: "" };
}

// The same without flicker: only pain moves a room at once.
export class Place {
  constructor() {
    this.rank = null;
    this.next = null;
    this.sinceMs = 0;
  }

  take(kind, nowMs) {
    const rank = KINDS.indexOf(kind);
    if (rank !== this.next) [this.next, this.sinceMs] = [rank, nowMs];
    if (this.rank === null || rank === 0 || nowMs - this.sinceMs >= SETTLES_MS) this.rank = rank;
    return this.rank;
  }
}

export function glance(kinds) {
  const count = (kind) => kinds.filter((one) => one === kind).length;
  const [pain, technical, quiet, ended] = KINDS.map(count);
  if (quiet && quiet === kinds.length) return [["quiet", quiet === 1 ? "Quiet" : `All ${quiet} quiet`]];
  return [
    pain && ["pain", pain === 1 ? "1 pain notice" : `${pain} pain notices`],
    technical && ["technical", technical === 1 ? "1 needs a look" : `${technical} need a look`],
    quiet && ["quiet", `${quiet} quiet`],
    ended && ["ended", `${ended} ended`],
  ].filter(Boolean);
}

export function sizeOf(count) {
  return count === 0 ? "none" : count === 1 ? "one" : count === 2 ? "two" : count === 3 ? "three" : count <= 4 ? "four" : count <= 6 ? "six" : count <= 8 ? "eight" : "many";
}

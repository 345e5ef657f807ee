// After an outage of the server: resumes the session that this page last saw running, unless somebody else has done so.

import { post } from "../../shared/dom.js";

const LONGEST_AWAY_MS = 30 * 60 * 1000; // a screen left on overnight resumes no session of yesterday
const AGAIN_MS = 2000;
const PATIENCE = 2; // refusals to accept: another screen may be doing the same

export class ResumeAfterOutage {
  constructor({ room, outbox, goes }) {
    Object.assign(this, { room, outbox, goes });
    this.seen = null; // the session that was running at the last message
    this.asking = false;
    this.afterMs = 0;
    this.refusals = 0;
  }

  heard(state) {
    this.seen = state.phase === "ended" || state.bench ? null : { session: state.session, atMs: Date.now() };
    this.refusals = 0;
  }

  // The sentence to show while the room is missing.
  get words() {
    return this.wanted ? "restbeat was away. This session is being taken up again." : "This room is not open any more. Its session is among the sessions.";
  }

  get wanted() { return this.seen !== null && Date.now() - this.seen.atMs < LONGEST_AWAY_MS && this.refusals < PATIENCE; }

  async missing() {
    if (!this.wanted) { this.giveUp(); return; }
    if (this.asking || performance.now() < this.afterMs) return;
    this.asking = true;
    try {
      const { room } = await post(`/api/v1/sessions/${this.seen.session}/resume`, {});
      if (room !== this.room) this.goes(`/rooms/${encodeURIComponent(room)}`);
    } catch (error) {
      if (error.status === 409 || error.status === 404) this.refusals += 1;
    } finally {
      this.asking = false;
      this.afterMs = performance.now() + AGAIN_MS;
    }
  }

  giveUp() { for (const entry of this.outbox.waiting) this.outbox.refuse(entry, "its session is over"); }
}

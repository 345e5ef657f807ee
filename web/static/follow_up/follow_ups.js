// A client's follow-up answers after one and two days, or when they can be given.

import { make } from "../shared/dom.js";
import { inZone } from "../shared/times.js";

const SLEEP = { worse: "slept worse than usual", usual: "slept as usual", better: "slept better than usual" };
const RELIEF = { none: "no relief", hours: "relief for some hours", half_day: "relief for half a day", day: "relief for a day", lasts: "relief lasts still" };
const DONE = { heat: "heat", cold: "cold", exercise: "exercise", "tai-chi-yoga": "tai chi or yoga", mindfulness: "mindfulness", medication: "medication changed" };
export const moment = (utc) => new Date(utc).toLocaleString(undefined, inZone({ weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }));

function words(slot) {
  const { answers, state } = slot;
  if (answers) {
    const done = answers.done.map((name) => DONE[name]).join(", ");
    return [`pain ${answers.pain}`, SLEEP[answers.sleep], RELIEF[answers.relief], done, answers.note && `“${answers.note}”`].filter(Boolean).join(" · ");
  }
  if (state === "later") return `opens ${moment(slot.opens_utc)}`;
  return state === "open" ? `not answered yet, open until ${moment(slot.closes_utc)}` : "no answer";
}

// Returns a list with the two slots of `session`, as the API sends it.
export function followUps(session) {
  const list = make("ul", "told");
  list.append(...session.follow_ups.map((slot) => {
    const line = make("li");
    line.dataset.state = slot.state;
    line.append(make("b", "", slot.slot === 24 ? "A day after" : "Two days after"), make("span", slot.answers ? "" : "sub", words(slot)));
    return line;
  }));
  return list;
}

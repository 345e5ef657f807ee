// Shared parts of the forms around a session: requests to the server, chips to choose from, dates in words.

import { byId, make, setText, show } from "../shared/dom.js";
import { inZone } from "../shared/times.js";

export async function get(path) {
  let response;
  try {
    response = await fetch(path, { signal: AbortSignal.timeout(10000) });
  } catch {
    throw new Error("restbeat did not answer. Try again in a moment.");
  }
  if (response.status === 401) location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? "That did not work.");
  return answer;
}

export const clientPath = (client) => `/api/v1/clients/${encodeURIComponent(client)}`;

export function say(text) {
  setText(byId("news"), text);
  show(byId("news"), text !== "");
  if (text) byId("news").scrollIntoView({ block: "nearest" });
}

// Performs an action that may be refused, and shows the refusal on the page. Returns whether it was done.
export async function attempt(work) {
  try {
    await work();
    say("");
    return true;
  } catch (error) {
    say(error.message);
    return false;
  }
}

// Returns whether the keys have not gone on from an element while an answer was awaited. Safari gives a pressed button no focus.
export const stayedAt = (element) => [element, document.body].includes(document.activeElement);

export function chip(type, name, value, text, detail = "") {
  const label = make("label", "chip");
  const input = make("input");
  Object.assign(input, { type, name, value });
  const words = make("span", "", text);
  if (detail) words.append(make("small", "", detail));
  label.append(input, words);
  return label;
}

export const shortDay = (utc) => {
  const yearOf = (date) => date.toLocaleDateString(undefined, inZone({ year: "numeric" }));
  const year = yearOf(new Date(utc)) === yearOf(new Date()) ? undefined : "numeric";
  return new Date(utc).toLocaleDateString(undefined, inZone({ day: "numeric", month: "short", year }));
};
export const day = (utc) => new Date(utc).toLocaleDateString(undefined, inZone({ day: "numeric", month: "short", year: "numeric" }));

// Returns the values of a form's text fields without surrounding blanks; empty ones as null.
export function typed(form, names) {
  return Object.fromEntries(names.map((name) => [name, form.elements[name].value.trim() || null]));
}

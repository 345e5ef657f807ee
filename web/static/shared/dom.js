// Helpers for pages: update only what has changed, and send requests to the server.

export const byId = (id) => document.getElementById(id);

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setData(element, name, value) {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}

export function show(element, visible) {
  if (element.hasAttribute("hidden") === visible) element.toggleAttribute("hidden", !visible); // an SVG has no .hidden
}

export function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

// A shape beside the words, so that nothing is shown by colour alone.
const SHAPES = {
  good: "M8 1.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 1 1 0-13z",
  "hr-only": "M8 1.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 1 1 0-13zm0 2.6a3.9 3.9 0 1 0 0 7.8a3.9 3.9 0 1 0 0-7.8z",
  settling: "M8 1.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 1 1 0-13zm0 2.6a3.9 3.9 0 1 0 0 7.8a3.9 3.9 0 1 0 0-7.8z",
  poor: "M8 1.5L15.2 14.5H.8z",
  unsaved: "M8 1.5L15.2 14.5H.8z",
  away: "M3.4 1.6L8 6.2l4.6-4.6l1.8 1.8L9.8 8l4.6 4.6l-1.8 1.8L8 9.8l-4.6 4.6l-1.8-1.8L6.2 8L1.6 3.4z",
  ended: "M2.5 2.5h11v11h-11z",
  pain: "M5 .8h6L15.2 5v6L11 15.2H5L.8 11V5zM7 3.6v5.6h2V3.6zm0 7v2h2v-2z",
};

export function setMark(element, name) {
  const shape = SHAPES[name] ?? SHAPES.away;
  const path = element.querySelector("path");
  if (path.getAttribute("d") !== shape) path.setAttribute("d", shape);
}

export function setSignal(element, signal, text) {
  setData(element, "signal", signal);
  setMark(element, signal);
  setText(element.querySelector("span"), text);
}

export const toLogin = () => location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);

// Requests a change from the server. Throws an error whose message is a sentence for a person, with the `status` of the answer.
export async function send(method, path, body = {}) {
  const headers = { "Content-Type": "application/json" };
  const csrf = document.querySelector('meta[name="csrf"]');
  if (csrf) headers["X-CSRF-Token"] = csrf.content;
  let response;
  try {
    response = await fetch(path, { method, headers, body: JSON.stringify(body), keepalive: true, signal: AbortSignal.timeout(10000) });
  } catch {
    throw new Error(`${method === "GET" ? "" : "Not saved: "}restbeat did not answer. Try again in a moment.`);
  }
  if (response.status === 401) toLogin();
  const answer = await response.json().catch(() => ({}));
  const unsaved = response.status >= 500 && method !== "GET" ? "Not saved. " : "";
  if (!response.ok) throw Object.assign(new Error(unsaved + (answer.error ?? "That did not work.")), { status: response.status, room: answer.room ?? null, unconfirmed: answer.unconfirmed ?? false });
  return answer;
}

export const post = (path, body) => send("POST", path, body);

// Announces a state in the live region only when it has changed, and never the first time.
export class Speaker {
  constructor(element) {
    this.element = element;
    this.said = new Map();
  }

  say(key, text) {
    const before = this.said.get(key);
    this.said.set(key, text);
    if (before !== undefined && before !== text) this.tell(text);
  }

  tell(text) { this.element.textContent = text; }
}

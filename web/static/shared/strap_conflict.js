// Shows a refused claim of a strap: what uses the strap, and a link to it. `error` is the one that `send` throws.

import { make } from "./dom.js";

export function conflict(error) {
  const element = make("div", "conflict");
  element.append(make("p", "", error.message));
  if (error.room) {
    const link = make("a", "button", "Go to that room");
    link.href = `/rooms/${encodeURIComponent(error.room)}`;
    element.append(link);
  }
  return element;
}

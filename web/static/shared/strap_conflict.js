// A claim that was refused: what holds the strap, where that is, and the way there. `error` is what `send` throws.

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

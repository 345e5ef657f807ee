// A dialog: a heading, its content, and three ways to close it: Escape, its button, a press beside it.

import { make } from "./dom.js";

let numbers = 0;

export function dialog(heading, ...content) {
  const element = make("dialog", "dialog");
  const title = make("h2", "", heading);
  title.id = `dialog-${(numbers += 1)}`;
  element.setAttribute("aria-labelledby", title.id);
  element.append(title, ...content);
  element.addEventListener("keydown", (event) => event.stopPropagation()); // keys pressed here must not reach the room page
  element.addEventListener("click", (event) => { if (event.target === element) element.close(); });
  document.body.append(element);
  return { element, title };
}

export function button(text, className, press) {
  const made = make("button", className, text);
  made.type = "button";
  made.addEventListener("click", press);
  return made;
}

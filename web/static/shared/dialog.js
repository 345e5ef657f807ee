// A dialog of the house: a heading, what is put into it, and a way out by Escape, by its button, or by a press beside it.

import { make } from "./dom.js";

let numbers = 0;

export function dialog(heading, ...content) {
  const element = make("dialog", "dialog");
  const title = make("h2", "", heading);
  title.id = `dialog-${(numbers += 1)}`;
  element.setAttribute("aria-labelledby", title.id);
  element.append(title, ...content);
  element.addEventListener("keydown", (event) => event.stopPropagation()); // keys of a room's page are not meant here
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

// Checks of whether the strap is ready to measure, while a session settles: five of them, which turn green by themselves.

import { make, setData, setText, show } from "../../shared/dom.js";

const SVG = '<svg viewBox="0 0 16 16" width="18" height="18" aria-hidden="true"><path fill="none" stroke="currentColor" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round"/></svg>';
const DONE = "M2.5 8.5l3.5 4l7.5-9";
const WAITS = "M8 2.5v6.5M8 13.4v.1";

export class Readiness {
  constructor(element) {
    this.element = element;
    this.list = make("ul", "checks");
    this.advice = make("p", "advice");
    this.head = make("p", "ready-word");
    this.head.setAttribute("role", "status");
    element.replaceChildren(this.head, this.list, this.advice);
    this.items = new Map();
  }

  // Shown while the session settles, and only while messages are recent.
  update(state, stale) {
    const checks = stale ? [] : state?.ready ?? [];
    show(this.element, checks.length > 0);
    if (!checks.length) return;
    const open = checks.filter((check) => !check.ok);
    setData(this.element, "ready", open.length ? "no" : "yes");
    setText(this.head, open.length ? "Not ready yet" : "Ready");
    for (const check of checks) this.draw(check);
    setText(this.advice, open.map((check) => check.hint).filter((hint, n, all) => hint && all.indexOf(hint) === n)[0] ?? "");
  }

  draw(check) {
    if (!this.items.has(check.name)) {
      const item = make("li");
      item.innerHTML = `${SVG}<span></span>`;
      this.items.set(check.name, this.list.appendChild(item));
    }
    const item = this.items.get(check.name);
    const path = item.querySelector("path");
    const shape = check.ok ? DONE : WAITS;
    if (path.getAttribute("d") !== shape) path.setAttribute("d", shape);
    setData(item, "ok", check.ok ? "yes" : "no");
    setText(item.querySelector("span"), check.text);
  }
}

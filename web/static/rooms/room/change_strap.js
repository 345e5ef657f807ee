// Lets a running session go on with another strap: those near that are free, each to press. What was measured stays.

import { button, dialog } from "../../shared/dialog.js";
import { make, send, setText, show } from "../../shared/dom.js";
import { heardStraps, strength } from "../../shared/heard_straps.js";
import { hides } from "../../shared/hide_clients.js";

const EVERY_MS = 3000;

export class ChangeStrap {
  constructor() {
    this.state = null;
    this.timer = 0;
  }

  open(state) {
    if (!state) return;
    this.build();
    this.state = state;
    this.refused(null);
    setText(this.now, `Now: ${state.strap ?? "no strap"}. What it measured stays with the session; the time until the other strap sends is a gap.`);
    this.dialog.showModal();
    this.title.focus();
    this.hear();
    this.timer = setInterval(() => this.hear(), EVERY_MS);
  }

  build() {
    if (this.dialog) return;
    this.now = make("p", "sub");
    this.straps = make("ul", "near-straps");
    this.none = make("p", "sub");
    this.others = make("ul", "near-straps");
    this.more = make("details");
    this.more.append(make("summary", "", "It is not in this list"), make("p", "sub", "Devices that do not say that they measure heart rate. Whether one does shows when it is connected."), this.others);
    this.trouble = make("p", "notice");
    this.trouble.setAttribute("role", "alert");
    this.confirm = button("It is on this client now: use it", "primary", () => this.use(this.wanted, true));
    const acts = make("div", "acts");
    acts.append(button("Cancel", "quiet", () => this.dialog.close()), this.confirm);
    const { element, title } = dialog("Use another strap", this.now, this.trouble, this.straps, this.none, this.more, acts);
    title.tabIndex = -1;
    element.addEventListener("close", () => clearInterval(this.timer));
    [this.dialog, this.title] = [element, title];
  }

  async hear() {
    const heard = await heardStraps();
    if (!heard) return;
    const free = heard.straps.filter((one) => !one.room);
    fill(this.straps, free, (one) => this.use(one));
    fill(this.others, heard.others.filter((one) => !one.room && one.name), (one) => this.use(one));
    setText(this.none, heard.adapter.ready ? "No other strap is heard. Put one on and moisten it: it will appear here." : heard.adapter.text);
    show(this.none, free.length === 0);
    show(this.more, this.others.childElementCount > 0);
  }

  refused(error) {
    const client = hides() ? "Another client wore this strap last. Look whose chest it is on, then confirm it, or choose another." : error?.message;
    setText(this.trouble, (error?.unconfirmed ? client : error?.message) ?? "");
    show(this.trouble, Boolean(error));
    show(this.confirm, Boolean(error?.unconfirmed));
  }

  async use(strap, confirmed = false) {
    this.wanted = strap;
    for (const one of this.dialog.querySelectorAll("button")) one.disabled = true;
    try {
      await send("POST", `/api/v1/rooms/${encodeURIComponent(this.state.room)}/strap`, { address: strap.address, session: this.state.session, strap_confirmed: confirmed });
      this.dialog.close();
    } catch (error) {
      this.refused(error);
    }
    for (const one of this.dialog.querySelectorAll("button")) one.disabled = false;
    if (!this.confirm.hidden) this.confirm.focus();
  }
}

// A list of straps as buttons; one that has not changed stays as it is, so that it can be pressed.
function fill(list, straps, press) {
  const now = JSON.stringify(straps.map((one) => [one.address, one.name, strength(one.rssi_dbm), one.near]));
  if (list.dataset.now === now) return;
  list.dataset.now = now;
  const focused = document.activeElement?.dataset.address;
  list.replaceChildren(...straps.map((one) => {
    const choice = button(one.name ?? one.address, "", () => press(one));
    choice.dataset.address = one.address;
    choice.append(make("small", "", [one.near && `near ${one.near}`, strength(one.rssi_dbm)].filter(Boolean).join(" · ")));
    const item = make("li");
    item.append(choice);
    return item;
  }));
  if (focused) [...list.querySelectorAll("button")].find((one) => one.dataset.address === focused)?.focus();
}

// Puts a session under another client: choose or type a pseudonym. The server notes it in the audit log, and updates every screen.

import { button, dialog } from "../../shared/dialog.js";
import { make, send, setText, show } from "../../shared/dom.js";
import { hides, onHideChange } from "../../shared/hide_clients.js";

const CHOICES = 8;

export class Reassign {
  constructor() {
    this.state = null;
    this.meant = {}; // confirmations given after a refusal
  }

  get isOpen() { return Boolean(this.dialog?.open); }

  open(state) {
    if (!state) return;
    this.build();
    this.state = state;
    this.input.value = "";
    this.know();
    this.dialog.showModal();
    if (matchMedia("(pointer: fine)").matches) this.input.focus(); else this.title.focus(); // otherwise a touch keyboard would cover the choices
  }

  build() {
    if (this.dialog) return;
    this.now = make("p", "sub");
    this.input = make("input");
    Object.assign(this.input, { maxLength: 80, autocomplete: "off", name: "client" });
    const label = make("label", "field");
    label.append(make("span", "sub", "Pseudonym of the client"), this.input);
    this.choices = make("div", "choices");
    this.choices.setAttribute("role", "group");
    this.choices.setAttribute("aria-label", "Clients seen lately");
    this.privacy = button("Hide other clients", "quiet", () => {});
    this.privacy.dataset.hideSwitch = "";
    this.trouble = make("p", "notice");
    this.trouble.setAttribute("role", "alert");
    this.nobody = button("Nobody’s", "", () => this.put(null));
    this.confirm = make("button", "primary");
    this.confirm.type = "submit";
    const acts = make("div", "acts");
    acts.append(button("Cancel", "quiet", () => this.dialog.close()), this.nobody, this.confirm);
    const form = make("form");
    form.append(this.now, label, this.choices, this.privacy, this.trouble, make("p", "sub", "All that was measured stays with the session. The audit log keeps both names."), acts);
    form.addEventListener("submit", (event) => { event.preventDefault(); this.put(this.again ? this.client : this.input.value.trim()); });
    this.input.addEventListener("input", () => this.update());
    const { element, title } = dialog("Whose session is this?", form);
    title.tabIndex = -1;
    [this.dialog, this.title] = [element, title];
    onHideChange(() => { if (this.dialog.open) this.know(); });
  }

  // Suggestions of other clients; where clients are hidden there are none, and none are requested.
  async know() {
    const hidden = hides();
    this.privacy.setAttribute("aria-pressed", String(hidden));
    setText(this.now, `${this.state.name}, ${this.state.client ? `now under ${this.state.client}` : hidden ? "client hidden" : "under no name yet"}`);
    this.choices.replaceChildren();
    this.refused(null);
    if (hidden) return;
    const names = await lately().catch(() => []);
    if (hides()) return;
    const others = names.filter((name) => name !== this.state.client).slice(0, CHOICES);
    this.choices.replaceChildren(...others.map((name) => button(name, "", () => { this.input.value = name; this.update(); this.confirm.focus(); })));
  }

  update() { this.refused(null); }

  // A refusal can be confirmed: the next press sends the confirmation with it.
  refused(error) {
    const elsewhere = Boolean(error?.room), unasked = !elsewhere && error?.status === 409;
    this.meant = { ...(error ? this.meant : {}), ...(elsewhere && { elsewhere_confirmed: true }), ...(unasked && { consent: true }) };
    this.again = elsewhere || unasked;
    setText(this.trouble, error?.message ?? "");
    show(this.trouble, Boolean(error));
    const name = this.input.value.trim();
    setText(this.confirm, elsewhere ? "Put it there all the same" : unasked ? "They were asked and agree" : name ? `Put it under ${name}` : "Put it there");
    this.confirm.disabled = !this.again && (!name || name === this.state.client);
    show(this.nobody, hides() || this.state.client !== null);
  }

  async put(client) {
    this.confirm.disabled = this.nobody.disabled = true;
    this.client = client;
    try {
      await send("PUT", `/api/v1/rooms/${encodeURIComponent(this.state.room)}/client`, { client, ...this.meant });
      this.dialog.close();
    } catch (error) {
      this.refused(error);
    }
    this.nobody.disabled = false;
  }
}

// Returns the pseudonyms of the newest sessions.
async function lately() {
  const response = await fetch("/api/v1/sessions", { signal: AbortSignal.timeout(5000) });
  const { items } = await response.json();
  return [...new Set(items.map((session) => session.client).filter(Boolean))];
}

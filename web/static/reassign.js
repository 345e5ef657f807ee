// Whose session this is, put right: choose or type a pseudonym. The server writes it into the audit log, and tells every screen.

import { button, dialog } from "./dialog.js";
import { make, send, setText, show } from "./dom.js";
import { hides, onHideChange } from "./privacy.js";

const CHOICES = 8;

export class Reassign {
  constructor() {
    this.state = null;
    this.clashes = false;
  }

  get isOpen() { return Boolean(this.sheet?.open); }

  open(state) {
    if (!state) return;
    this.build();
    this.state = state;
    this.input.value = "";
    this.know();
    this.sheet.showModal();
    if (matchMedia("(pointer: fine)").matches) this.input.focus(); else this.title.focus(); // no keyboard over the choices
  }

  build() {
    if (this.sheet) return;
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
    acts.append(button("Cancel", "quiet", () => this.sheet.close()), this.nobody, this.confirm);
    const form = make("form");
    form.append(this.now, label, this.choices, this.privacy, this.trouble, make("p", "sub", "All that was measured stays with the session. The audit log keeps both names."), acts);
    form.addEventListener("submit", (event) => { event.preventDefault(); this.put(this.input.value.trim() || null); });
    this.input.addEventListener("input", () => this.update());
    const { element, title } = dialog("Whose session is this?", form);
    title.tabIndex = -1;
    [this.sheet, this.title] = [element, title];
    onHideChange(() => { if (this.sheet.open) this.know(); });
  }

  // What is shown of others: nothing where clients are hidden, and then it is not asked for either.
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

  update() {
    const name = this.input.value.trim();
    this.refused(null);
    this.confirm.disabled = !name || name === this.state.client;
  }

  refused(error) {
    this.clashes = error?.room != null;
    setText(this.trouble, error?.message ?? "");
    show(this.trouble, Boolean(error));
    const name = this.input.value.trim();
    setText(this.confirm, this.clashes ? "Put it there all the same" : name ? `Put it under ${name}` : "Put it there");
    this.confirm.disabled = !name || name === this.state.client;
    show(this.nobody, hides() || this.state.client !== null);
  }

  async put(client) {
    this.confirm.disabled = this.nobody.disabled = true;
    try {
      await send("PUT", `/api/v1/rooms/${encodeURIComponent(this.state.room)}/client`, { client, elsewhere_confirmed: this.clashes });
      this.sheet.close();
    } catch (error) {
      this.refused(error);
    }
    this.nobody.disabled = false;
  }
}

// Pseudonyms of the newest sessions.
async function lately() {
  const response = await fetch("/api/v1/sessions", { signal: AbortSignal.timeout(5000) });
  const sessions = await response.json();
  return [...new Set(sessions.map((session) => session.client).filter(Boolean))];
}

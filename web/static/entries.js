// The bar of what was just entered: the newest entries, each of which can be taken back or dated back while it is young.

import { byId, make, send, setData, setText, show } from "./dom.js";
import { ago } from "./room_words.js";

const MOST = 4;

export class Entries {
  // person: who sits here; trouble: says what went wrong; spoken: for the live region.
  constructor({ room, person, outbox, trouble, spoken }) {
    Object.assign(this, { room, person, outbox, trouble, spoken });
    this.list = byId("entries-list");
    this.chips = new Map();
    this.selected = null;
    this.newest = null;
    this.items = [];
    byId("undo").addEventListener("click", () => this.undo());
    for (const button of document.querySelectorAll("[data-ago-min]")) button.addEventListener("click", () => this.redate(60 * Number(button.dataset.agoMin)));
  }

  get chosen() { return this.items.find((item) => item.id === this.selected) ?? this.items[0] ?? null; }

  render(state, nowS, away) {
    this.away = away;
    this.outbox.settle(state);
    const told = new Set(state.actions.map((action) => action.number));
    const own = this.outbox.entries.filter((entry) => entry.session === state.session && !(entry.fate === "sent" && told.has(entry.number)));
    this.items = [
      ...own.map((entry) => ({ id: entry.key, entry, text: entry.text, agoS: this.outbox.agoS(entry), kind: entry.kind, fate: entry.fate, left: null })).reverse(),
      ...state.actions.map((action) => ({ id: String(action.number), action, text: action.text, agoS: nowS - action.at_s, kind: action.kind, fate: "stored", left: action.left_s, by: action.by })),
    ].slice(0, MOST);
    const first = this.items.find((item) => item.fate !== "refused") ?? null;
    if (first && first.id !== this.newest && first.fate !== "sent") this.announce(first);
    if (!this.chosen || this.chosen.id !== this.selected) this.selected = this.chosen?.id ?? null;
    this.drawChips();
    this.drawMend();
  }

  // A new entry is the one that is most likely meant next; its stored form is the same entry.
  announce(first) {
    const known = this.newest !== null || first.fate === "waiting";
    const same = first.fate === "stored" && this.announced === first.text;
    this.newest = this.selected = first.id;
    this.announced = first.fate === "waiting" ? first.text : null;
    if (known && !same) this.spoken(`${first.text}, entered`);
  }

  drawChips() {
    const ids = new Set(this.items.map((item) => item.id));
    for (const [id, chip] of this.chips) if (!ids.has(id)) { chip.parentElement.remove(); this.chips.delete(id); }
    this.items.forEach((item, n) => {
      let chip = this.chips.get(item.id);
      if (!chip) {
        chip = make("button", "chip");
        chip.type = "button";
        chip.append(make("span", "what"), make("span", "when"), make("i"));
        chip.addEventListener("click", () => this.choose(item.id));
        make("li").append(chip);
        this.chips.set(item.id, chip);
      }
      if (this.list.children[n] !== chip.parentElement) this.list.insertBefore(chip.parentElement, this.list.children[n] ?? null);
      setText(chip.children[0], item.text);
      setText(chip.children[1], this.when(item));
      setData(chip, "fate", item.fate);
      chip.setAttribute("aria-pressed", String(item.id === this.selected));
      chip.children[2].style.transform = `scaleX(${item.left === null ? 0 : Math.max(0, item.left / 30).toFixed(2)})`;
    });
    show(byId("entries-none"), this.items.length === 0);
  }

  when(item) {
    if (item.fate === "refused") return `not entered: ${item.entry.why}`;
    const by = item.by && item.by !== this.person ? `, ${item.by}` : "";
    return item.fate === "waiting" ? `${ago(item.agoS)}, waiting to be sent` : `${ago(item.agoS)}${by}`;
  }

  drawMend() {
    const item = this.chosen;
    show(byId("mend"), item !== null);
    if (!item) return;
    const refused = item.fate === "refused";
    const datable = !refused && item.fate !== "sent" && !(item.kind === "phase" && item.text === "Session ended");
    setText(byId("undo-word"), refused ? "Understood" : "Undo");
    byId("undo").setAttribute("aria-label", refused ? `Understood: ${item.text} was not entered` : `Undo: ${item.text}`);
    const held = item.fate === "sent" || (item.fate === "stored" && this.away);
    byId("undo").setAttribute("aria-disabled", String(held));
    show(byId("redate"), datable);
    setText(byId("date-what"), `“${item.text}” was`);
  }

  choose(id) {
    this.selected = id;
    this.drawChips();
    this.drawMend();
  }

  async undo() {
    const item = this.chosen;
    if (!item || item.fate === "sent") return;
    if (item.entry) { this.outbox.remove(item.entry); return; }
    await this.change(item, "undo", {}, `${item.text}, taken back`);
  }

  async redate(agoS) {
    const item = this.chosen;
    if (!item || item.fate === "sent" || item.fate === "refused") return;
    if (item.entry) { this.outbox.redate(item.entry, agoS); return; }
    await this.change(item, "redate", { ago_s: agoS }, `${item.text}, dated back`);
  }

  async change(item, how, body, said) {
    try {
      await send("POST", `/api/v1/rooms/${encodeURIComponent(this.room)}/actions/${item.action.number}/${how}`, body);
      this.trouble("");
      this.spoken(said);
    } catch (error) {
      this.trouble(error.message);
    }
  }
}

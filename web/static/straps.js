// Straps heard on the air, each with what it takes to start a session on it.

import { conflict } from "./conflict.js";
import { make, post, setText, show } from "./dom.js";

const EVERY_MS = 3000;

const strength = (dbm) => (dbm === null ? "" : dbm > -65 ? "strong signal" : dbm > -80 ? "fair signal" : "weak signal: come closer");

export class StrapList {
  constructor(list, none, { trouble, adapter }) {
    this.list = list;
    this.none = none;
    this.trouble = trouble;
    this.adapter = adapter;
    this.items = new Map();
  }

  start() {
    this.refresh();
    setInterval(() => { if (!document.hidden) this.refresh(); }, EVERY_MS);
  }

  async refresh() {
    let heard;
    try {
      const response = await fetch("/api/v1/straps", { signal: AbortSignal.timeout(5000) });
      heard = await response.json();
    } catch {
      return; // the page already says that there are no news
    }
    this.adapter(heard.adapter.ready ? null : heard.adapter.text);
    const seen = new Set(heard.straps.map((strap) => strap.address));
    for (const [address, item] of this.items) if (!seen.has(address) && !item.contains(document.activeElement)) { item.remove(); this.items.delete(address); }
    for (const strap of heard.straps) this.update(strap);
    show(this.none, this.items.size === 0);
  }

  update(strap) {
    if (!this.items.has(strap.address)) this.items.set(strap.address, this.list.appendChild(this.item(strap)));
    const item = this.items.get(strap.address);
    setText(item.querySelector(".name"), strap.name ?? "Unnamed strap");
    setText(item.querySelector(".sub"), [strap.near && `near ${strap.near}`, strap.address, strength(strap.rssi_dbm)].filter(Boolean).join(" · "));
    const link = item.querySelector("a");
    show(link, strap.room !== null);
    show(item.querySelector("form"), strap.room === null);
    if (strap.room) {
      link.href = `/rooms/${encodeURIComponent(strap.room)}`;
      setText(link, `In ${strap.room_name}`);
    }
  }

  item(strap) {
    const item = make("li", "strap");
    const what = make("div");
    what.append(make("div", "name"), make("div", "sub"));
    const form = make("form");
    const client = make("input");
    client.name = "client";
    client.maxLength = 80;
    client.placeholder = "Pseudonym";
    client.autocomplete = "off";
    const kind = make("select");
    kind.name = "kind";
    for (const [value, text] of [["massage", "Massage"], ["rest", "Rest only"]]) {
      const option = make("option", "", text);
      option.value = value;
      kind.append(option);
    }
    const start = make("button", "primary", "Start session");
    start.type = "submit";
    const field = (text, control) => { const label = make("label"); label.append(make("span", "sub", text), control); return label; };
    form.append(field("Client, if you like", client), field("Kind", kind), start);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      start.disabled = true;
      try {
        const { room } = await post("/api/v1/rooms", { address: strap.address, client: client.value.trim() || null, kind: kind.value });
        location.assign(`/rooms/${encodeURIComponent(room)}`);
      } catch (error) {
        item.querySelector(".conflict")?.remove();
        if (error.status === 409) item.append(conflict(error)); else this.trouble(error.message);
        start.disabled = false;
      }
    });
    const link = make("a", "button");
    item.append(what, form, link);
    return item;
  }
}

// The straps heard lately, each with a link that starts a session on it.

import { make, setText, show } from "../../shared/dom.js";

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
      return; // the page already states that there are no news
    }
    this.adapter(heard.adapter.ready ? null : heard.adapter.text);
    const seen = new Set(heard.straps.map((strap) => strap.address));
    for (const [address, item] of this.items) if (!seen.has(address) && !item.contains(document.activeElement)) { item.remove(); this.items.delete(address); }
    for (const strap of heard.straps) this.update(strap);
    show(this.none, this.items.size === 0);
  }

  update(strap) {
    if (!this.items.has(strap.address)) this.items.set(strap.address, this.list.appendChild(this.item()));
    const item = this.items.get(strap.address);
    setText(item.querySelector(".name"), strap.name ?? "Unnamed strap");
    setText(item.querySelector(".sub"), [strap.near && `near ${strap.near}`, strap.address, strength(strap.rssi_dbm)].filter(Boolean).join(" · "));
    const link = item.querySelector("a");
    link.href = strap.room ? `/rooms/${encodeURIComponent(strap.room)}` : `/start?strap=${encodeURIComponent(strap.address)}`;
    link.classList.toggle("primary", !strap.room);
    setText(link, strap.room ? `In ${strap.room_name}` : "Start a session");
  }

  item() {
    const item = make("li", "strap");
    const what = make("div");
    what.append(make("div", "name"), make("div", "sub"));
    item.append(what, make("a", "button"));
    return item;
  }
}

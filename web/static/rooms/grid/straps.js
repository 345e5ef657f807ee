// The straps heard lately, each with a link that starts a session on it.

import { make, setText, show } from "../../shared/dom.js";
import { heardStraps, strength } from "../../shared/heard_straps.js";

const EVERY_MS = 3000;

const advice = (dbm) => (dbm !== null && dbm <= -80 ? ": come closer" : "");

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
    const heard = await heardStraps();
    if (!heard) return;
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
    setText(item.querySelector(".sub"), [strap.near && `near ${strap.near}`, strap.address, strength(strap.rssi_dbm) + advice(strap.rssi_dbm)].filter(Boolean).join(" · "));
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

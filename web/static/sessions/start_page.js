// The page that starts a session: client, strap, consent, pain, screening. A known client takes three presses.

import { conflict } from "../shared/strap_conflict.js";
import { byId, make, post, setText, show } from "../shared/dom.js";
import { strength } from "../shared/heard_straps.js";
import { hides, onHideChange } from "../shared/hide_clients.js";
import { attempt, chip, clientPath, day, get, say, shortDay, stayedAt } from "./session_form.js";
import { sentence } from "../shared/live_text.js";

const SHOWN = 7;
const TYPED_MS = 200;
const EVERY_MS = 3000;
const form = byId("start");
const asked = new URLSearchParams(location.search);
let clients = []; // those that the search found
let further = false; // whether it found more than these
let chosen = null; // row of the chosen client; the search may not show it
const wearers = new Map(); // of straps heard: row of the client who wore it last, null for nobody
let asking = 0;
let straps = [];
let others = []; // devices that do not say that they measure heart rate
let record = null; // record of the chosen client; null while it is fetched, or where no client is named
let client; // undefined: not chosen yet; null: no client named
let strap = asked.get("strap");
let byHand = strap !== null;
let sending = false;

const checked = (name) => form.querySelector(`[name="${name}"]:checked`);
const ticked = (name) => form.elements[name].checked;
const known = (name) => [...clients, ...wearers.values(), chosen].find((row) => row?.client === name);
const wearer = (address) => wearers.get(address)?.client ?? null;
const yes = () => [...form.querySelectorAll('[name="yes"]:checked')];

function choose(name, value) {
  const input = [...form.querySelectorAll(`[name="${name}"]`)].find((one) => one.value === value);
  if (input) input.checked = true;
}

// Clients: the last wearer of the chosen strap first, then the most recent ones; while clients are hidden, only the one whose whole
// pseudonym was typed.
function drawClients() {
  const wanted = byId("search").value.trim().toLowerCase();
  const first = wanted ? null : wearers.get(strap);
  const others = clients.filter((row) => row.client !== first?.client);
  const found = (first ? [first, ...others] : others).filter((row) => !hides() || row.client.toLowerCase() === wanted);
  const shown = found.slice(0, SHOWN);
  const row = known(client);
  if (row && !shown.includes(row)) shown.unshift(row);
  const chips = shown.map((one) => {
    const detail = one.last_visit_utc ? shortDay(one.last_visit_utc) : "new";
    const label = chip("radio", "client", one.client, one.client, one.flags ? `▲ ${one.flags} to mind\n${detail}` : detail);
    if (one.flags) label.dataset.flags = "yes";
    return label;
  });
  chips.push(chip("radio", "client", "", "Nobody named"));
  const focused = document.activeElement?.name === "client" ? document.activeElement.value : null;
  byId("clients").replaceChildren(...chips);
  for (const input of form.querySelectorAll('[name="client"]')) {
    input.checked = client !== undefined && input.value === (client ?? "");
    if (input.value === focused) input.focus();
  }
  const left = !hides() && (further || found.length > shown.length);
  setText(byId("more"), left ? "There are more: search for them." : found.length || (row && !wanted) ? "" : hides() ? "Other clients are hidden: type the whole pseudonym." : wanted ? "No client of that pseudonym." : "");
  show(byId("more"), byId("more").textContent !== "");
}

// Finds the clients of the search field, newest first; an answer that comes too late is dropped.
async function seek() {
  const number = ++asking;
  const search = byId("search").value.trim();
  const { items, next } = await get(`/api/v1/clients?limit=${hides() ? 50 : SHOWN + 1}&search=${encodeURIComponent(search)}`);
  if (number !== asking) return;
  [clients, further] = [items, next !== null];
  drawClients();
}

async function pick(name) {
  chosen = known(name) ?? null;
  client = name;
  record = null;
  form.elements.consent.checked = form.elements.strap_confirmed.checked = false;
  byHand = byHand && strap === asked.get("strap");
  if (name !== null) {
    const answers = [...form.querySelectorAll('[name="yes"]'), form.elements.screening_confirmed, form.elements.none_applies];
    for (const input of answers) input.checked = false;
  }
  update();
  if (name === null) return;
  const fetched = await get(clientPath(name)).catch((error) => { say(error.message); return null; });
  if (client !== name || !fetched) return;
  record = fetched;
  chosen = record.client;
  if (record.posture) choose("posture", record.posture);
  if (record.technique) choose("technique", record.technique);
  // what was ticked since the client was chosen stays
  for (const input of form.querySelectorAll('[name="yes"]')) if (record.screening_yes.includes(input.value)) input.checked = true;
  if (yes().length) form.elements.none_applies.checked = false;
  takeStrap();
  update();
}

// Returns the strap that the client wore last, where it is heard; else the only one that is free.
function takeStrap() {
  if (byHand) return;
  const free = straps.filter((one) => !one.room);
  const worn = record?.client.strap_address ?? null;
  const own = straps.some((one) => one.address === worn && one.room) ? null : worn;
  strap = own ?? (free.length === 1 ? free[0].address : free.some((one) => one.address === strap) ? strap : null);
}

const named = (worn) => (worn === client || !hides() ? worn : "another client");

function drawStraps() {
  const rows = straps.map((one) => ({ ...one, heard: true }));
  const own = record?.client;
  const missing = [[strap, null], [own?.strap_address, own?.strap_name]];
  for (const [address, name] of missing) {
    if (!address || rows.some((one) => one.address === address)) continue;
    const other = others.find((one) => one.address === address);
    rows.push(other ? { ...other, heard: true } : { address, name, heard: false, room: null, rssi_dbm: null });
  }
  fillChips(byId("straps"), rows);
  fillChips(byId("others"), others.filter((one) => !rows.some((row) => row.address === one.address)).map((one) => ({ ...one, heard: true })));
  show(byId("no-straps"), rows.length === 0);
}

function fillChips(box, rows) {
  const chips = rows.map((one) => {
    const worn = wearer(one.address);
    const where = one.room ? `in ${one.room_name}` : one.heard ? strength(one.rssi_dbm) : "not heard now: moisten it";
    const detail = [[one.near && `near ${one.near}`, where].filter(Boolean).join(" · "), worn && `worn by ${named(worn)}`].filter(Boolean).join("\n");
    const label = chip("radio", "strap", one.address, one.name ?? one.address, detail);
    const input = label.querySelector("input");
    input.checked = one.address === strap;
    input.disabled = Boolean(one.room);
    return label;
  });
  const now = chips.map((label) => `${label.textContent} ${label.querySelector("input").checked}`).join("\n");
  if (box.dataset.now === now) return;
  const focused = box.contains(document.activeElement) ? document.activeElement.value : null;
  box.dataset.now = now;
  box.replaceChildren(...chips);
  for (const input of box.querySelectorAll("input")) if (input.value === focused) input.focus();
}

function drawMind() {
  const open = record?.flags.filter((flag) => !flag.cleared_utc) ?? [];
  byId("flags").replaceChildren(...open.map((flag) => {
    const line = make("li", "flag");
    const button = make("button", "small", "Seen");
    button.type = "button";
    button.setAttribute("aria-label", `Seen: ${flag.reason}`);
    button.addEventListener("click", () => attempt(async () => {
      await post(`${clientPath(client)}/flags/${flag.flag}/seen`);
      flag.cleared_utc = "now";
      const row = known(client);
      if (row) row.flags -= 1;
      drawClients();
      update();
    }));
    const what = make("span", "", flag.reason);
    what.append(make("small", "", day(flag.raised_utc)));
    line.append(what, button);
    return line;
  }));
  const visits = record?.client.sessions ?? 0;
  setText(byId("last"), record ? (visits ? `${visits} ${visits === 1 ? "session" : "sessions"}, last on ${day(record.client.last_visit_utc)}.` : "First session.") + (open.length ? "" : " Nothing to mind.") : "");
  setText(byId("mind-title"), open.length ? "To mind" : client ?? "");
  if (client) byId("page").href = `/clients/${encodeURIComponent(client)}`;
  setText(byId("page"), record ? `${client}’s page` : "");
  show(byId("mind"), Boolean(record));
}

const mayRecord = () => Boolean(record?.consents.some((row) => row.purpose === "record" && row.session === null && !row.withdrawn_utc));
const wantsConsent = () => client === null || (record !== null && !mayRecord());
const wornByOther = () => { const other = wearer(strap); return strap && other && other !== client ? other : null; };

// What is still missing before the session can start: [element to go to, sentence]; null where nothing is.
function missing() {
  if (client === undefined) return ["who", "Choose a client, or nobody named."];
  if (client !== null && record === null) return ["who", "Fetching the client’s record …"];
  if (wantsConsent() && !ticked("consent")) return ["consent", "Ask for consent to be recorded."];
  if (!strap) return ["strap", "Choose the strap."];
  const held = straps.find((one) => one.address === strap)?.room_name;
  if (held) return ["strap", `That strap is in ${held}. Choose another.`];
  if (wornByOther() && !ticked("strap_confirmed")) return ["worn", "Confirm whose chest the strap is on."];
  if (yes().length && !ticked("screening_confirmed")) return ["considered", "Consider what applies, and confirm."];
  return null;
}

function update() {
  drawStraps();
  drawMind();
  show(byId("consent"), wantsConsent());
  setText(byId("agrees"), client === null ? "The person on the table agrees to be recorded" : `${client} agrees to be recorded`);
  const other = wornByOther();
  show(byId("worn"), client !== undefined && other !== null);
  setText(byId("worn-text"), other ? `${sentence(named(other))} wore this strap last. Look whose chest it is on.` : "");
  setText(byId("worn-label"), client === null ? "It is on whoever lies here now" : `It is on ${client} now`);
  const apply = yes();
  show(byId("considered"), apply.length > 0);
  const reminders = apply.map((input) => input.dataset.reminder).filter(Boolean).map((text) => ` ${text}`);
  setText(byId("considered-text"), `This is no diagnosis: it is written down as it was said.${reminders.join("")}`);
  const gap = missing();
  setText(byId("why"), gap ? gap[1] : "");
  byId("go").setAttribute("aria-disabled", String(gap !== null || sending));
  setText(byId("go-hint"), apply.length ? `${apply.length} ${apply.length === 1 ? "applies" : "apply"}${ticked("screening_confirmed") ? ", considered" : ""}` : ticked("none_applies") ? "Asked: none applies" : "Not asked what applies");
}

function body() {
  const questions = [...form.querySelectorAll('[name="yes"]')];
  const score = checked("pain_before")?.value ?? "";
  return {
    address: strap,
    client,
    kind: checked("kind").value,
    posture: checked("posture")?.value ?? null,
    technique: checked("technique")?.value ?? null,
    pain_before: score === "" ? null : Number(score),
    screening: yes().length || ticked("none_applies") ? questions.map((input) => ({ question: input.value, yes: input.checked })) : [], // untouched: not asked
    screening_confirmed: ticked(yes().length ? "screening_confirmed" : "none_applies"),
    strap_confirmed: ticked("strap_confirmed"),
    consent: wantsConsent() && ticked("consent"),
  };
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const gap = missing();
  if (gap) {
    const place = byId(gap[0]);
    place.scrollIntoView({ block: "center" });
    (place.querySelector("input:not(:disabled):not([type=search])") ?? place).focus();
    return;
  }
  if (sending) return;
  sending = true;
  update();
  let refused;
  try {
    const { room } = await post("/api/v1/rooms", body());
    location.assign(`/rooms/${encodeURIComponent(room)}`);
    return;
  } catch (error) {
    refused = error;
  }
  sending = false;
  await refresh();
  if (client) await pick(client);
  say(refused.message);
  if (refused.room) byId("news").replaceChildren(conflict(refused));
});

form.addEventListener("change", (event) => {
  const { name, value } = event.target;
  if (name === "client") { pick(value === "" ? null : value); return; }
  if (name === "strap") { strap = value; byHand = true; form.elements.strap_confirmed.checked = false; }
  if (name === "yes" || name === "none_applies") form.elements.screening_confirmed.checked = false;
  if (name === "yes") form.elements.none_applies.checked = false;
  if (name === "none_applies" && ticked("none_applies")) for (const input of yes()) input.checked = false;
  update();
});

byId("address").addEventListener("change", () => {
  const typed = byId("address").value.trim();
  if (!typed) return;
  byId("address").value = "";
  [strap, byHand] = [typed, true];
  form.elements.strap_confirmed.checked = false;
  attempt(hear);
});

byId("address").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault(); // which would start the session
  byId("address").blur();
});

let typing = 0;
byId("search").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => attempt(seek), TYPED_MS);
});
onHideChange(() => { drawClients(); update(); });
byId("search").addEventListener("keydown", async (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  clearTimeout(typing);
  await attempt(seek);
  const first = form.querySelector('[name="client"]:not([value=""])');
  if (!first || !byId("search").value.trim()) return;
  first.checked = true;
  if (stayedAt(byId("search"))) first.focus();
  pick(first.value);
});

byId("add").addEventListener("click", async () => {
  byId("add").disabled = true; // a second press would create a second client
  await attempt(async () => {
    const row = await post("/api/v1/clients", { pseudonym: null });
    setText(byId("add"), `Add ${(await get("/api/v1/next-pseudonym")).pseudonym}`);
    clients.unshift(row);
    byId("search").value = "";
    client = row.client;
    drawClients();
    await pick(row.client);
    if (stayedAt(byId("add"))) form.querySelector('[name="client"]:checked')?.focus();
  });
  byId("add").disabled = false;
});

async function hear() {
  const heard = await get("/api/v1/straps");
  [straps, others] = [heard.straps, heard.others];
  const fresh = [...straps.map((one) => one.address), strap].filter((address) => address && !wearers.has(address));
  if (fresh.length) {
    const { items } = await get(`/api/v1/clients?worn=${encodeURIComponent(fresh.join(","))}`);
    for (const address of fresh) wearers.set(address, items.find((row) => row.strap_address === address) ?? null);
    drawClients();
  }
  setText(byId("no-straps"), heard.adapter.ready ? "No strap is heard. Put one on and moisten it: it will appear here." : heard.adapter.text);
  takeStrap();
  update();
}

async function refresh() {
  wearers.clear();
  await seek();
  await hear();
}

setInterval(() => { if (!document.hidden && !sending) hear().catch(() => {}); }, EVERY_MS);
await attempt(refresh);
const wanted = asked.get("client");
if (wanted) {
  client = wanted;
  await pick(wanted);
  if (record) drawClients(); else { client = undefined; update(); }
}

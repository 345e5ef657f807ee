// Links to the client's own page, as the therapist manages them: create, copy, print, mail, revoke; and follow-up answers.

import { byId, make, post, send } from "../shared/dom.js";
import { followUps, moment } from "./follow_ups.js";
import { attempt, clientPath, day, get } from "../sessions/session_form.js";

const DAYS = { 14: "2 weeks", 60: "60 days", 180: "half a year", 365: "a year" };
const LOCAL = /^(localhost|127\.|\[::1\])/;
const panel = byId("client-link");
const told = byId("told-later");
const { client } = (panel ?? told).dataset;
const here = Number((panel ?? told).dataset.session) || null; // the session that the page is about; null on a page about a client
const path = `${clientPath(client)}/links`;
const whole = (address) => new URL(address, location.origin).href;

function button(text, press, className = "small") {
  const made = make("button", className, text);
  made.type = "button";
  made.addEventListener("click", press);
  return made;
}

// Performs an action on the server, then renders everything again.
const change = (work) => attempt(async () => { await work(); await draw(); });

function check(type, name, value, text, checked) {
  const label = make("label", type === "radio" ? "chip" : "chip wide");
  const input = make("input");
  Object.assign(input, { type, name, value, checked });
  label.append(input, make("span", "", text));
  return label;
}

const dayOf = (sessions, number) => day(sessions.find((session) => session.session === number).started_utc);

function shows(row, sessions) {
  const days = row.sessions.map((number) => dayOf(sessions, number));
  const some = days.length > 3 ? `${days.length} sessions, the last of ${days[0]}` : days.join(", ");
  return [some, row.coming && "sessions to come"].filter(Boolean).join(" and ") || "nothing: the client hid it all";
}

const MAILS = { waiting: "waits to be sent", sending: "is being sent", sent: "sent", unsure: "may have been sent", failed: "could not be sent" };
function mailWords(mail) {
  const what = mail.slot ? `Reminder after ${mail.slot} h` : "The link";
  return `${what} ${MAILS[mail.state]}, ${moment(mail.at_utc)}${mail.trouble ? `. ${mail.trouble}` : ""}`;
}

async function copy(event, field) {
  field.select();
  try { await navigator.clipboard.writeText(field.value); } catch { document.execCommand("copy"); } // without https there is no clipboard API
  event.target.textContent = "Copied";
  setTimeout(() => { event.target.textContent = "Copy"; }, 3000);
}

function choice(sessions, chosen, coming, remind) {
  const boxes = make("div", "own-choice");
  boxes.append(
    ...sessions.map((session) => check("checkbox", "session", session.session, day(session.started_utc), chosen.includes(session.session))),
    check("checkbox", "coming", "yes", "and those to come", coming),
    check("checkbox", "remind", "yes", "Remind by mail when a follow-up is due", remind),
  );
  return boxes;
}

function chosen(form) {
  const sessions = [...form.querySelectorAll('[name="session"]:checked')].map((input) => Number(input.value));
  return { sessions, coming: form.elements.coming.checked, remind: form.elements.remind.checked };
}

function form(content, text, submit) {
  const made = make("form", "entry");
  made.append(...content, Object.assign(make("button", "primary", text), { type: "submit" }));
  made.addEventListener("submit", (event) => { event.preventDefault(); change(() => submit(made)); });
  return made;
}

function fold(summary, ...content) {
  const made = make("details");
  made.append(make("summary", "", summary), ...content);
  return made;
}

function linkOf(row, all) {
  const item = make("li", "own-link");
  const used = row.uses ? `opened ${row.uses} ${row.uses === 1 ? "time" : "times"}, last on ${moment(row.opened_utc)}` : "not opened yet";
  const field = make("input", "address");
  Object.assign(field, { readOnly: true, value: whole(row.address) });
  field.setAttribute("aria-label", "Address of the page");
  field.addEventListener("focus", () => field.select());
  const print = make("a", "button small", "Print with its code");
  print.href = `/links/${row.link}/print${here && row.sessions.includes(here) ? `?session=${here}` : ""}`;
  const revoke = button("Revoke", () => {
    if (revoke.dataset.sure === "yes") { change(() => post(`/api/v1/links/${row.link}/revoke`)); return; }
    revoke.dataset.sure = "yes";
    revoke.textContent = "Yes, revoke";
    setTimeout(() => { revoke.dataset.sure = ""; revoke.textContent = "Revoke"; }, 6000);
  });
  const acts = make("div", "row");
  acts.append(button("Copy", (event) => copy(event, field)), print);
  if (all.mail === "ready") acts.append(button("Send by mail", () => change(() => post(`/api/v1/links/${row.link}/mail`))));
  acts.append(revoke);
  const keep = form([choice(all.sessions, row.sessions, row.coming, row.remind)], "Keep this choice", (made) => send("PUT", `/api/v1/links/${row.link}`, chosen(made)));
  item.append(
    make("b", "", shows(row, all.sessions)),
    make("p", "sub", `until ${day(row.expires_utc)} · ${row.language === "de" ? "German" : "English"} · made by ${row.made_by} · ${used}`),
    field, acts,
    ...row.mails.map((mail) => make("p", mail.state === "failed" ? "mail failed" : "mail sub", mailWords(mail))),
    fold("What it shows", keep),
  );
  return item;
}

function maker(all) {
  const picked = here && all.sessions.some((session) => session.session === here) ? [here] : all.sessions.slice(0, 1).map((session) => session.session);
  const lengths = make("fieldset");
  const chips = make("div", "chips");
  chips.append(...Object.entries(DAYS).map(([days, text]) => check("radio", "days", days, text, days === "60")));
  lengths.append(make("legend", "", "Ends by itself after"), chips);
  const languages = make("fieldset");
  const tongues = make("div", "chips");
  tongues.append(check("radio", "language", "", "the client’s language", true), check("radio", "language", "en", "English", false), check("radio", "language", "de", "German", false));
  languages.append(make("legend", "", "In"), tongues);
  const sessions = make("fieldset");
  sessions.append(make("legend", "", "It shows"), choice(all.sessions, picked, true, true));
  return form([sessions, lengths, languages], "Make the link", (made) => post(path, {
    ...chosen(made), days: Number(made.elements.days.value), language: made.elements.language.value || null,
  }));
}

async function consent() {
  const texts = await get("/api/v1/consent-texts");
  const share = texts.find((text) => text.purpose === "share");
  const box = make("div", "panel ask");
  const german = make("p", "wording", `„${share.de.text}“`);
  german.lang = "de";
  box.append(
    make("h3", "", share.en.title), make("p", "wording", `“${share.en.text}”`), fold("Auf Deutsch", german),
    button(`${client} agrees`, () => change(() => post(`${clientPath(client)}/consents`, { purpose: "share" })), ""),
  );
  return box;
}

async function drawLinks(all) {
  const live = all.links.filter((row) => row.state === "live");
  const over = all.links.filter((row) => row.state !== "live");
  const content = [make("h2", "", "The client’s own page")];
  if (!all.may_share) content.push(await consent());
  else {
    if (!all.public && LOCAL.test(location.host)) content.push(make("p", "notice", `No phone can open ${location.origin}. In Settings an admin writes where the practice is reached from outside.`));
    if (all.mail === "no address") content.push(make("p", "sub", "Mail needs an e-mail address under “Who this is”."));
    if (live.length) {
      const list = make("ul", "own-links");
      list.append(...live.map((row) => linkOf(row, all)));
      content.push(list);
    } else content.push(make("p", "sub", "There is no link. With one the client reads the summary and tells how it went on, without an account."));
    const made = maker(all);
    content.push(live.length ? fold("Make another link", made) : fold("Make a link", made));
  }
  if (over.length) {
    const list = make("ul", "sub");
    list.append(...over.map((row) => make("li", "", row.state === "revoked" ? `made ${day(row.made_utc)}, revoked${row.revoked_utc ? ` on ${day(row.revoked_utc)} by ${row.revoked_by}` : ""}` : `made ${day(row.made_utc)}, ended on ${day(row.expires_utc)}`)));
    content.push(fold(`Links that are over (${over.length})`, list));
  }
  panel.replaceChildren(...content);
  panel.hidden = false;
}

function drawTold(all) {
  const sessions = all.sessions.filter((session) => (here ? session.session === here : all.links.length || session.follow_ups.some((slot) => slot.answers)));
  const parts = sessions.slice(0, 12).flatMap((session) => (here ? [followUps(session)] : [make("h3", "", day(session.started_utc)), followUps(session)]));
  told.replaceChildren(make("h2", "", "A day and two days after"), ...parts);
  told.hidden = !parts.length;
}

async function draw() {
  const all = await get(path);
  if (told) drawTold(all);
  if (panel) await drawLinks(all);
}

if (client) attempt(draw);

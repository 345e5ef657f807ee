// A client's record: identity (only on request), consents, flags, audit log.

import { byId, make, post, send, setText, show } from "../shared/dom.js";
import { attempt, clientPath, day, get, stayedAt, typed } from "../sessions/session_form.js";
import { inZone, localTimes } from "../shared/times.js";

localTimes();
const path = clientPath(byId("client").dataset.client);
const form = byId("identity");
const again = () => location.reload();

for (const button of document.querySelectorAll("[data-seen]")) {
  button.addEventListener("click", () => attempt(() => post(`${path}/flags/${button.dataset.seen}/seen`).then(again)));
}
for (const button of document.querySelectorAll("[data-agree]")) {
  button.addEventListener("click", () => attempt(() => post(`${path}/consents`, { purpose: button.dataset.agree }).then(again)));
}
for (const button of document.querySelectorAll("[data-withdraw]")) {
  // Two presses, because a withdrawn consent ends a running session.
  button.addEventListener("click", () => {
    if (button.dataset.sure === "yes") { attempt(() => post(`${path}/consents/${button.dataset.withdraw}/withdraw`).then(again)); return; }
    const before = [...button.childNodes];
    button.dataset.sure = "yes";
    button.replaceChildren(button.dataset.purpose === "record" ? "Take back, and end what runs" : "Yes, take back");
    setTimeout(() => { button.dataset.sure = ""; button.replaceChildren(...before); }, 6000);
  });
}

byId("show").addEventListener("click", async () => {
  const opens = form.hidden;
  if (opens) {
    const done = await attempt(async () => {
      const identity = await get(`${path}/identity`);
      for (const [name, value] of Object.entries(identity)) form.elements[name].value = value ?? (name === "language" ? "en" : "");
    });
    show(byId("new-key"), !done);
  }
  show(form, opens);
  byId("show").setAttribute("aria-expanded", String(opens));
  setText(byId("show"), opens ? "Hide" : "Show");
  if (opens && stayedAt(byId("show"))) form.elements.name.focus();
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  setText(byId("identity-said"), "");
  attempt(async () => {
    const fields = typed(form, ["name", "email", "phone", "note"]);
    await send("PUT", `${path}/identity`, { ...fields, language: form.elements.language.value, new_key: form.elements.new_key.checked });
    form.elements.new_key.checked = false;
    show(byId("new-key"), false);
    setText(byId("identity-said"), "Saved, encrypted.");
  });
});

byId("audit").addEventListener("toggle", () => {
  if (!byId("audit").open) return;
  attempt(async () => {
    const rows = await get(`${path}/audit`);
    byId("entries").replaceChildren(...rows.map((row) => {
      const line = make("li");
      const at = make("time", "", new Date(row.at_utc).toLocaleString(undefined, inZone()));
      at.dateTime = row.at_utc;
      line.append(at, make("span", "", [row.actor, row.action, row.session && `session ${row.session}`, row.detail].filter(Boolean).join(" · ")));
      return line;
    }));
  });
});

byId("erase-ask")?.addEventListener("click", (event) => {
  const opened = byId("erase").hidden;
  show(byId("erase"), opened);
  event.currentTarget.setAttribute("aria-expanded", String(opened));
  if (opened) byId("erase").elements.pseudonym.focus();
});

byId("erase")?.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const erased = await post(`${path}/erase`, { pseudonym: byId("erase").elements.pseudonym.value.trim() });
    const said = byId("erased");
    said.append(make("p", "", `Erased: ${erased.sessions} sessions, ${erased.packets} packets, and all that was written.`));
    if (erased.backups.length) {
      const list = make("ul");
      list.append(...erased.backups.map(({ file, until_utc }) => make("li", "", `${file} still holds it until ${day(until_utc)}. Delete it to have it gone now.`)));
      said.append(list);
    }
    const back = make("a", "button", "To the clients");
    back.href = "/clients";
    said.append(back);
    for (const part of document.querySelectorAll(".part")) if (part.id !== "rights") part.remove();
    byId("erase").remove();
    byId("erase-ask").parentElement.remove();
    show(said, true);
  });
});

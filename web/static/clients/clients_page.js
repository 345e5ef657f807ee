// The list of clients: a new client, and the search by name, which is made only on request.

import { byId, make, post, setText, show } from "../shared/dom.js";
import { attempt, day } from "../sessions/session_form.js";
import { localTimes } from "../shared/times.js";

localTimes();

const counted = (number, one, many) => `${number} ${number === 1 ? one : many}`;

function line(row) {
  const item = make("li");
  const open = make("a", "open");
  open.href = `/clients/${encodeURIComponent(row.client)}`;
  const visits = row.last_visit_utc ? `last visit ${day(row.last_visit_utc)} · ${counted(row.sessions, "session", "sessions")}` : "no visit yet";
  open.append(make("b", "", row.client), make("span", "sub", row.may_record ? visits : `${visits} · no consent to be recorded`));
  item.dataset.client = row.client;
  item.append(open);
  if (row.flags) item.append(make("span", "mind", `▲ ${row.flags} to mind`));
  return item;
}

byId("new").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const { client } = await post("/api/v1/clients", { pseudonym: event.target.elements.pseudonym.value.trim() });
    location.assign(`/clients/${encodeURIComponent(client)}`);
  });
});

if (byId("find")) {
  let named = false; // whether the list shows what a search by name found
  byId("find").addEventListener("submit", (event) => {
    event.preventDefault();
    const name = event.target.elements.name.value.trim();
    attempt(async () => {
      const found = await post("/api/v1/client-search", { name });
      named = true;
      byId("clients").replaceChildren(...found.map(line));
      setText(byId("none"), "Nobody of that name is written down here.");
      show(byId("none"), found.length === 0);
      document.querySelector(".pager")?.remove();
    });
  });
  byId("find").addEventListener("input", (event) => { if (named && !event.target.value.trim()) location.reload(); });
}

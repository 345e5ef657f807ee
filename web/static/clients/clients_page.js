// The list of clients: filtered by pseudonym while typing, searched by name only on request.

import { byId, post, setText, show } from "../shared/dom.js";
import { attempt } from "../sessions/session_form.js";
import { localTimes } from "../shared/times.js";

localTimes();
const lines = [...document.querySelectorAll("#clients > li")];
let named = null; // pseudonyms found by name; null without a search

function draw() {
  const wanted = byId("search").value.trim().toLowerCase();
  const flagged = byId("flagged").checked;
  let shown = 0;
  for (const line of lines) {
    const { client, flags } = line.dataset;
    const fits = client.toLowerCase().includes(wanted) && (!flagged || flags === "yes") && (!named || named.has(client));
    show(line, fits);
    shown += fits ? 1 : 0;
  }
  setText(byId("none"), shown ? "" : named && !named.size ? "Nobody of that name is written down here." : flagged && !wanted ? "There is nothing to mind." : "No client fits.");
  show(byId("none"), shown === 0);
}

byId("new").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const { client } = await post("/api/v1/clients", { pseudonym: event.target.elements.pseudonym.value.trim() });
    location.assign(`/clients/${encodeURIComponent(client)}`);
  });
});

if (byId("clients")) {
  byId("search").addEventListener("input", draw);
  byId("flagged").addEventListener("change", draw);
  byId("find").addEventListener("submit", (event) => {
    event.preventDefault();
    const name = event.target.elements.name.value.trim();
    attempt(async () => { named = new Set((await post("/api/v1/client-search", { name })).map((row) => row.client)); draw(); });
  });
  byId("find").addEventListener("input", (event) => { if (named && !event.target.value.trim()) { named = null; draw(); } });
}

// The number of unanswered follow-ups beside each client's name.

import { byId, make } from "../shared/dom.js";
import { attempt, get } from "../sessions/session_form.js";

attempt(async () => {
  const rows = await get("/api/v1/unanswered");
  const of = new Map(rows.map((row) => [row.client, row]));
  for (const line of document.querySelectorAll("#clients > li")) {
    const row = of.get(line.dataset.client);
    if (!row) continue;
    const text = [row.open && `${row.open} to answer`, row.missed && `${row.missed} not answered`].filter(Boolean).join(", ");
    line.append(Object.assign(make("span", "sub waits", text), { title: "Follow-ups a day and two days after a session" }));
  }
  const open = rows.reduce((sum, row) => sum + row.open, 0);
  const missed = rows.reduce((sum, row) => sum + row.missed, 0);
  if (byId("waiting") && open + missed) {
    byId("waiting").textContent = `Follow-ups: ${open} open, ${missed} not answered in the last two weeks.`;
    byId("waiting").hidden = false;
  }
});

// The notice on backups can be put off for a month.

import { byId, send, setText, show } from "../../shared/dom.js";

byId("remind-later")?.addEventListener("click", async () => {
  try {
    await send("POST", "/api/v1/backups/remind-later");
    show(byId("backups-amiss"), false);
  } catch (error) {
    setText(byId("news"), error.message);
    show(byId("news"), true);
  }
});

// Who is due: a flag is minded here too.

import { post } from "./dom.js";
import { attempt, clientPath } from "./record.js";
import { localTimes } from "./times.js";

localTimes();
for (const button of document.querySelectorAll("[data-seen]")) {
  button.addEventListener("click", () =>
    attempt(() => post(`${clientPath(button.dataset.client)}/flags/${button.dataset.seen}/seen`).then(() => location.reload())));
}

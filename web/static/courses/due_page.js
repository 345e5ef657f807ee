// The list of clients who are due, where flags can be marked as acted on.

import { post } from "../shared/dom.js";
import { attempt, clientPath } from "../sessions/session_form.js";
import { localTimes } from "../shared/times.js";

localTimes();
for (const button of document.querySelectorAll("[data-seen]")) {
  button.addEventListener("click", () =>
    attempt(() => post(`${clientPath(button.dataset.client)}/flags/${button.dataset.seen}/seen`).then(() => location.reload())));
}

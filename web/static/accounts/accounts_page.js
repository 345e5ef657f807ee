// The accounts page for admins: create an account, set a password, switch an account off or on.

import { byId, post, send, setText, show } from "../shared/dom.js";
import { localTimes } from "../shared/times.js";

function say(text) {
  setText(byId("news"), text);
  show(byId("news"), text !== "");
}

async function change(work, done) {
  try {
    await work();
    if (done) say(done); else location.reload();
  } catch (error) {
    say(error.message);
  }
}

byId("add").addEventListener("submit", (event) => {
  event.preventDefault();
  const { name, role, password } = event.target.elements;
  change(() => post("/api/v1/accounts", { name: name.value, role: role.value, password: password.value }));
});
for (const form of document.querySelectorAll("[data-password]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const input = form.querySelector("input");
    change(() => send("PUT", `/api/v1/accounts/${form.dataset.password}/password`, { password: input.value }).then(() => { input.value = ""; }), "The password is set, and every login of that account has ended.");
  });
}
for (const button of document.querySelectorAll("[data-switch]")) {
  button.addEventListener("click", () => change(() => send("PUT", `/api/v1/accounts/${button.dataset.switch}/disabled`, { disabled: button.dataset.disabled === "no" })));
}
localTimes();

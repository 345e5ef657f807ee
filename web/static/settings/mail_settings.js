// Settings of the clients' public address and of the mail server, with a test mail.

import { byId, post, send, setText } from "../shared/dom.js";
import { attempt, get, typed } from "../sessions/session_form.js";

const PATH = "/api/v1/mail-settings";
const TEXTS = ["public_address", "practice", "host", "user", "sender"];
const form = byId("mail");

function fill(settings) {
  for (const name of [...TEXTS, "port", "security"]) form.elements[name].value = settings[name] ?? "";
  setText(byId("password"), settings.has_password
    ? "A password is at hand; it was read when restbeat started."
    : "No password was given. If the server wants one: restbeat serve --mail-password-file FILE, or RESTBEAT_MAIL_PASSWORD.");
}

attempt(async () => fill(await get(PATH)));
form.addEventListener("input", () => setText(byId("mail-said"), "Not saved yet."));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    fill(await send("PUT", PATH, { ...typed(form, TEXTS), port: Number(form.elements.port.value), security: form.elements.security.value }));
    setText(byId("mail-said"), "Saved.");
  });
});
byId("test-mail").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.target.querySelector("button");
  button.disabled = true;
  setText(byId("mail-said"), "Sending …");
  const sent = await attempt(() => post(`${PATH}/test`, { to: event.target.elements.to.value.trim() }));
  setText(byId("mail-said"), sent ? "The mail server has taken it." : "");
  button.disabled = false;
});

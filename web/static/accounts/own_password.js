// Changes one's own password, given the old one; this ends every login of the account, including this one.

import { byId, send, setText, toLogin } from "../shared/dom.js";

const form = byId("own-password");

form.addEventListener("input", () => setText(byId("own-said"), ""));
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { old, password } = form.elements;
  try {
    await send("PUT", "/api/v1/me/password", { old: old.value, password: password.value });
    toLogin();
  } catch (error) {
    setText(byId("own-said"), error.message);
    old.value = "";
    old.focus();
  }
});

// A client's own page works without any of this; with it, days are written as the reader's clock has them.

import { localTimes } from "./times.js";

const { lang } = document.documentElement;
localTimes(navigator.languages.find((one) => one.startsWith(lang)) ?? lang);
document.getElementById("print")?.addEventListener("click", () => print());
if (location.hash === "#choose") document.getElementById("choose")?.setAttribute("open", "");
for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent === "yes") event.preventDefault(); // a second press of the same button
    form.dataset.sent = "yes";
  });
}
addEventListener("pageshow", () => { for (const form of document.forms) delete form.dataset.sent; }); // back from the next page

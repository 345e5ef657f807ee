// A client's own page works without any of this; with it, days are written by the reader's clock, and as the rest of the page writes them.

import { localTimes } from "../shared/times.js";

const { lang } = document.documentElement;
localTimes(lang === "en" ? "en-GB" : lang); // as speech.py does: English days come day first
document.getElementById("print")?.addEventListener("click", () => print());
if (location.hash === "#choose") document.getElementById("choose")?.setAttribute("open", "");
for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent === "yes") event.preventDefault(); // a second press of the same button
    form.dataset.sent = "yes";
  });
}
addEventListener("pageshow", () => { for (const form of document.forms) delete form.dataset.sent; }); // back from the next page

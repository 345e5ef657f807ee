// A client's own page, which also works without this script: shows times in the reader's time zone and in the page's language.

import { localTimes } from "../shared/times.js";

const { lang } = document.documentElement;
localTimes(lang === "en" ? "en-GB" : lang); // as on the rest of the page: English dates have the day first
document.getElementById("print")?.addEventListener("click", () => print());
if (location.hash === "#choose") document.getElementById("choose")?.setAttribute("open", "");
for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent === "yes") event.preventDefault(); // a second press of the same button sends nothing
    form.dataset.sent = "yes";
  });
}
addEventListener("pageshow", () => { for (const form of document.forms) delete form.dataset.sent; }); // when the reader comes back from the next page

// Hides clients' names in this browser by one press, which is remembered. By the cookie the server omits the names altogether.

import { setData } from "./dom.js";

const NAME = "restbeat-hide";
const YEAR_S = 31536000;
const told = new EventTarget();

export const hides = () => document.cookie.split("; ").includes(`${NAME}=yes`);

export const onHideChange = (listener) => told.addEventListener("change", listener);

function show() {
  const hidden = hides();
  setData(document.documentElement, "hides", hidden ? "yes" : "no");
  for (const button of document.querySelectorAll("[data-hide-switch]")) button.setAttribute("aria-pressed", String(hidden));
}

function changed() {
  show();
  told.dispatchEvent(new Event("change"));
}

export function setHides(hidden) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${NAME}=${hidden ? "yes" : "no"}; path=/; max-age=${YEAR_S}; samesite=strict${secure}`;
  try { localStorage.setItem(NAME, String(Date.now())); } catch { /* private window: other tabs are not notified */ }
  changed();
}

addEventListener("storage", (event) => { if (event.key === NAME) changed(); });
document.addEventListener("click", (event) => { if (event.target.closest("[data-hide-switch]")) setHides(!hides()); });
show();

// The practice's settings; the keys of the next phase are entered by pressing them.

import { byId, make, send, setText } from "../shared/dom.js";
import { attempt } from "../sessions/session_form.js";

const form = byId("settings");
const MODIFIERS = /^(Shift|Control|Alt|Meta|OS)/;
const said = (text) => { if (byId("said")) setText(byId("said"), text); };
const keys = () => [...byId("keys").querySelectorAll("[data-key]")].map((item) => item.dataset.key);
const lines = (name) => form.elements[name].value.split("\n").map((line) => line.trim()).filter(Boolean);
const whole = (name) => (form.elements[name].value === "" ? null : Number(form.elements[name].value));
const seconds = (name) => (form.elements[name].value === "" ? null : Number(form.elements[name].value) * 60);

function addKey(code) {
  if (keys().includes(code)) { said(`${code} is set already.`); return; }
  const item = make("li", "key");
  item.dataset.key = code;
  const remove = make("button", "small quiet", "×");
  remove.type = "button";
  remove.setAttribute("aria-label", `Remove ${code}`);
  item.append(make("span", "", code), remove);
  byId("keys").append(item);
  said("Not saved yet.");
}

function listen(on) {
  byId("listen").setAttribute("aria-pressed", String(on));
  setText(byId("listen"), on ? "Press it now, or Escape" : "Press a key or the pedal to add it");
}

byId("listen").addEventListener("click", (event) => { if (event.detail) listen(byId("listen").getAttribute("aria-pressed") !== "true"); });
byId("listen").addEventListener("blur", () => listen(false));
byId("listen").addEventListener("keydown", (event) => {
  if (byId("listen").getAttribute("aria-pressed") !== "true") {
    if (["Enter", "Space"].includes(event.code) && !event.repeat) { event.preventDefault(); listen(true); }
    return;
  }
  if (event.repeat || event.code === "Tab") return;
  event.preventDefault();
  if (MODIFIERS.test(event.code)) return;
  listen(false);
  if (event.code === "Escape") return;
  if (event.code) addKey(event.code); else said("This key has no name of its own: choose another one.");
});
byId("keys").addEventListener("click", (event) => {
  if (!event.target.matches("button")) return;
  event.target.closest("li").remove();
  byId("listen").focus();
  said("Not saved yet.");
});
form.addEventListener("input", () => said("Not saved yet."));

form.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const techniques = [...form.querySelectorAll('[name="technique"]')].map((input) => input.value.trim()).filter(Boolean);
    const lengths = Object.fromEntries(["settle_s", "baseline_s", "massage_s", "recovery_s"].map((name) => [name, seconds(name)]));
    const plan = Object.fromEntries(["per_week", "weeks", "then_every_weeks"].map((name) => [name, whole(`plan_${name}`)]));
    await send("PUT", "/api/v1/settings", { techniques, regions: lines("regions"), pressures: lines("pressures"), next_keys: keys(), ...lengths, plan, keep_months: whole("keep_months"), time_zone: form.elements.time_zone.value || null });
    said("Saved.");
  });
});

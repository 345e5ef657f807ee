// The notes page after a session: the pain score in one press, and notes that start from a draft and are saved with author and time.

import { byId, send, setText } from "../shared/dom.js";
import { attempt, get, typed } from "./session_form.js";
import { inZone, localTimes } from "../shared/times.js";

localTimes();
const form = byId("notes");
const path = `/api/v1/sessions/${form.dataset.session}`;
const areas = [...form.querySelectorAll("textarea")];
const touched = new Set(); // fields that somebody wrote in: a draft must not overwrite them

// Print shows the whole text, a field only what fits in it.
const toPaper = (area) => setText(area.nextElementSibling, area.value.trim() || "—");

function changed(area) {
  toPaper(area);
  touched.add(area.name);
  setText(byId("said"), "Not saved yet.");
}

for (const area of areas) area.addEventListener("input", () => changed(area));
const reported = [...byId("reported").querySelectorAll("input, select")];
for (const field of [form.elements.mind, ...reported]) {
  field.addEventListener("input", () => { touched.add(field.name); setText(byId("said"), "Not saved yet."); });
}

// What studies report is sent only where somebody changed it.
async function keepReported() {
  if (!reported.some(({ name }) => touched.has(name))) return;
  const told = Object.fromEntries(reported.map(({ name, value }) => [name, value.trim()]));
  if ("sex" in told) Object.assign(told, { sex: told.sex || null, birth_year: told.birth_year ? Number(told.birth_year) : null });
  await send("PUT", `${path}/reported`, told);
}

form.addEventListener("change", (event) => {
  if (event.target.name !== "pain_after") return;
  const { value } = event.target;
  attempt(async () => {
    await send("PUT", `${path}/pain-after`, { score: value === "" ? null : Number(value) });
    const { visit, draft } = await get(`${path}/notes`);
    const { before, after, during } = visit.pain;
    const noted = during.length ? `, ${during.map(([, score]) => score).join(", ")} during` : "";
    setText(byId("pain-said"), `Kept: ${before ?? "not asked"} before, ${after ?? "not asked"} after${noted}.`);
    if (visit.saved) return;
    for (const area of areas) if (!touched.has(area.name)) { area.value = draft[area.name]; toPaper(area); }
  });
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector(".next");
  button.disabled = true;
  await attempt(async () => {
    const texts = typed(form, areas.map((area) => area.name));
    const fields = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, text ?? ""]));
    const mind = form.elements.mind.value.trim();
    await keepReported();
    const saved = await send("PUT", `${path}/notes`, { ...fields, mind, based_on: form.dataset.saved || null });
    form.dataset.saved = saved.updated_utc;
    touched.clear();
    setText(byId("said"), "Saved.");
    setText(byId("by"), `Saved by ${saved.therapist} on ${new Date(saved.updated_utc).toLocaleString(undefined, inZone())}.`);
  });
  button.disabled = false;
});

addEventListener("beforeunload", (event) => { if (touched.size) event.preventDefault(); });
byId("print").addEventListener("click", () => print());

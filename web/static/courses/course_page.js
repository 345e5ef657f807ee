// The therapist's view of a course: the plan of visits, and co-interventions beside the massage.

import { byId, send } from "../shared/dom.js";
import { attempt, clientPath } from "../sessions/session_form.js";
import { localTimes } from "../shared/times.js";

localTimes();
const path = clientPath(byId("client").dataset.client);
const again = () => location.reload();
const whole = (field) => (field.value === "" ? null : Number(field.value));

byId("print").addEventListener("click", () => print());

byId("plan-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const { starts_on, per_week, weeks, then_every_weeks, over } = event.target.elements;
  const plan = { per_week: whole(per_week), weeks: whole(weeks), then_every_weeks: whole(then_every_weeks) };
  attempt(() => send("PUT", `${path}/plan`, { starts_on: starts_on.value, plan, over: over.checked }).then(again));
});
byId("plan-drop")?.addEventListener("click", () => attempt(() => send("DELETE", `${path}/plan`).then(again)));

byId("beside-form")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const { session, kind, detail } = event.target.elements;
  attempt(() => send("POST", `/api/v1/sessions/${session.value}/complements`, { kind: kind.value, detail: detail.value }).then(again));
});
for (const button of document.querySelectorAll("[data-remove]")) {
  button.addEventListener("click", () =>
    attempt(() => send("DELETE", `/api/v1/sessions/${button.dataset.session}/complements/${button.dataset.remove}`).then(again)));
}

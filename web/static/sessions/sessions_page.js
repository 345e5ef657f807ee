import { byId, post, setText, show } from "../shared/dom.js";
import { onHideChange } from "../shared/hide_clients.js";
import { localTimes } from "../shared/times.js";

localTimes();
onHideChange(() => location.reload());
for (const button of document.querySelectorAll("button[data-act]")) {
  button.addEventListener("click", async () => {
    const { act, session } = button.dataset;
    button.disabled = true;
    try {
      const answer = await post(`/api/v1/sessions/${session}/${act}${button.dataset.confirmed ? "?confirmed=true" : ""}`);
      location.assign(answer.room ? `/rooms/${encodeURIComponent(answer.room)}` : `/sessions/${answer.session}`);
    } catch (error) {
      setText(byId("news"), error.message);
      show(byId("news"), true);
      if (error.unconfirmed) { button.dataset.confirmed = "yes"; setText(button, "Resume all the same"); }
      button.disabled = false;
    }
  });
}

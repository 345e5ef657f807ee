// Backups that are made by themselves: where and when, and one at once.

import { byId, send, setText, show } from "../shared/dom.js";
import { attempt, get } from "../sessions/session_form.js";
import { inZone } from "../shared/times.js";

const EVERY_MS = 1000;
const form = byId("backups");
const said = (text) => setText(byId("backup-said"), text);
const moment = (iso) => new Date(iso).toLocaleString([], inZone({ dateStyle: "medium", timeStyle: "short" }));

function fill({ backups, notice }) {
  setText(byId("backup-notice"), notice ?? "");
  show(byId("backup-notice"), Boolean(notice));
  show(byId("backup-now"), Boolean(backups.schedule.folder));
  byId("backup-now").disabled = backups.making;
  if (backups.last_utc) setText(byId("last-backup"), `${moment(backups.last_utc)}, ${backups.last_verified ? "verified" : "not verified"}`);
}

// Shows a backup that is being made until it is done, and returns the archive then.
async function followed(archive) {
  while (archive.backups.making) {
    fill(archive);
    await new Promise((resolve) => { setTimeout(resolve, EVERY_MS); });
    archive = await get("/api/v1/archive");
  }
  fill(archive);
  return archive;
}

for (const time of document.querySelectorAll("[data-moment]")) setText(time, moment(time.dateTime));
form.addEventListener("input", () => said("Not saved yet."));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const folder = form.elements.folder.value.trim() || null;
    const answer = await send("PUT", "/api/v1/backups", { folder, hour: Number(form.elements.hour.value) });
    fill(answer);
    said(folder ? "Saved. The first backup is made now." : "Saved. No backups are made.");
    await followed(answer);
  });
});
byId("backup-now").addEventListener("click", async () => {
  said("Copying …");
  const done = await attempt(async () => {
    const archive = await followed(await send("POST", "/api/v1/backups/make"));
    if (archive.backups.failed) throw new Error(archive.backups.failed);
  });
  said(done ? "Done: opened, checked and counted." : "");
});

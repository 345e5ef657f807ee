// The notice on every page that what is entered does not reach the disk. Asks the server once a second while the page is visible.

import { byId, setData, setText, show } from "./dom.js";

const EVERY_MS = 1000;
const ANSWER_MS = 3000;
const notice = byId("disk-notice");
let timer = 0;

function draw(storage) {
  setText(notice, storage?.sentence ?? "");
  setData(notice, "saves", storage?.saves === false ? "no" : "yes");
  show(notice, Boolean(storage));
}

async function look() {
  clearTimeout(timer);
  if (document.hidden) return;
  try {
    const answer = await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
    draw((await answer.json()).storage ?? null);
  } catch { /* restbeat does not answer: the live pages say so */ }
  timer = setTimeout(look, EVERY_MS);
}

document.addEventListener("visibilitychange", look);
look();

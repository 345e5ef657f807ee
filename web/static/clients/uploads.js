// Files on a client's page: sent one after the other, shown, and added as sessions or discarded.

import { clientPath, get, stayedAt } from "../sessions/session_form.js";
import { byId, make, post, send, setText, show, toLogin } from "../shared/dom.js";
import { inZone } from "../shared/times.js";

const SVG = "http://www.w3.org/2000/svg";
const section = byId("files");
const path = `${clientPath(section.dataset.client)}/uploads`;
const most = Number(section.dataset.most);
const list = byId("waiting");
const PHASES = { settle: "Settling", baseline: "Baseline", massage: "Massage", recovery: "Recovery" };
let sending = Promise.resolve();
let drawn = 0;

const tell = (text) => setText(byId("files-said"), text);
const number = (value, digits = 0) => value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const minutes = (seconds) => seconds < 60 ? `${Math.round(seconds)} s` : seconds < 3 * 3600 ? `${number(seconds / 60, seconds < 600 ? 1 : 0)} min` : `${number(seconds / 3600, 1)} h`;
const moment = (utc) => new Date(utc).toLocaleString(undefined, inZone({ weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" }));

function button(text, kind, press) {
  const made = make("button", kind, text);
  made.type = kind.includes("primary") ? "submit" : "button";
  if (press) made.addEventListener("click", press);
  return made;
}

// Removes a file from the list; the keys go on to the next one, or back to where files are chosen.
function remove(item) {
  const held = [document.body, ...item.querySelectorAll("*")].includes(document.activeElement); // a disabled button has let them go
  const next = item.nextElementSibling ?? item.previousElementSibling;
  item.remove();
  if (held) (next?.querySelector("button, a") ?? byId("choose")).focus();
}

function refused(item, name, sentence) {
  item.dataset.state = "refused";
  item.replaceChildren(make("h3", "", name), make("p", "", sentence), button("Close", "small", () => remove(item)));
  tell(sentence);
}

function facts(contents) {
  const rows = [["Format", contents.format], ["Length", minutes(contents.duration_s)]];
  if (contents.heart_rate_only) rows.push(["Beats", "none: heart rate only"]);
  else rows.push(["Beats", number(contents.beats)], ["Used", `${number(contents.used_pct, contents.used_pct < 99.95 && contents.used_pct > 90 ? 1 : 0)} %`]);
  if (contents.mean_hr_bpm !== null) rows.push(["Mean heart rate", `${number(contents.mean_hr_bpm)} bpm`]);
  const all = make("dl", "holds");
  for (const [name, value] of rows) {
    const row = make("div");
    row.append(make("dt", "", name), make("dd", "", value));
    all.append(row);
  }
  return all;
}

function strip({ lines, low, high, unit }, seconds) {
  const figure = make("figure", "beats");
  const picture = document.createElementNS(SVG, "svg");
  const what = unit === "ms" ? "intervals between beats" : "heart rates";
  const gaps = lines.length > 1 ? `, with ${lines.length - 1} gaps` : "";
  for (const [name, value] of Object.entries({ viewBox: "-2 -4 604 88", preserveAspectRatio: "none", role: "img", "aria-label": `The ${what} over ${minutes(seconds)}${gaps}` })) picture.setAttribute(name, value);
  for (const points of lines) {
    const line = document.createElementNS(SVG, "polyline");
    line.setAttribute("points", points);
    picture.append(line);
  }
  figure.append(picture, make("figcaption", "", `${unit === "ms" ? "Intervals between beats" : "Heart rate"}, ${number(low)} to ${number(high)} ${unit}; open where beats are missing or left out.`));
  return figure;
}

function sentences(texts, more = 0) {
  const all = make("ul", "why sub");
  all.append(...texts.map((text) => make("li", "", text)));
  if (more) all.append(make("li", "", `and ${more} more`));
  return all;
}

function chips(title, name, choices, chosen) {
  const group = make("fieldset");
  const row = make("div", "chips");
  for (const [value, text] of choices) {
    const label = make("label", "chip");
    const input = make("input");
    Object.assign(input, { type: "radio", name, value, checked: value === chosen });
    label.append(input, make("span", "", text));
    row.append(label);
  }
  group.append(make("legend", "", title), row);
  return group;
}

function when(contents, changed) {
  const label = make("label", "when");
  if (contents.began_utc) {
    const told = make("p", "when");
    told.append(make("span", "", "When it was, as the file says"), make("b", "", moment(contents.began_utc)));
    return told;
  }
  const input = make("input");
  Object.assign(input, { type: "datetime-local", name: "began", value: contents.began_local?.slice(0, 16) ?? "", max: "2100-01-01T00:00" });
  input.addEventListener("input", changed);
  label.append(make("span", "", contents.began_local ? "When it was, as the file says, without a time zone" : "When it was: the file does not say"), input, make("small", "", "Left empty it is kept without a date, and stays out of the course."));
  return label;
}

function division(contents) {
  if (contents.phases.length) {
    const said = make("p");
    said.append(make("span", "sub", "Phases, as in the file: "), contents.phases.map((one) => `${PHASES[one.phase] ?? one.phase} ${minutes(one.end_s - one.start_s)}`).join(", "));
    return said;
  }
  const whole = make("div");
  const parts = make("div", "minutes");
  const third = Math.max(Math.floor(contents.duration_s / 60 / 4), 1);
  for (const [name, text, value, least] of [["before", "Rest before, min", third, 0.5], ["middle", "Massage, min", Math.max(Math.floor(contents.duration_s / 60) - 2 * third, 1), 0.5], ["after", "Rest after, min", third, 0]]) {
    const label = make("label");
    const input = make("input");
    Object.assign(input, { type: "number", name, min: least, max: 1440, step: 0.5, value, inputMode: "decimal" });
    label.append(make("span", "sub", text), input);
    parts.append(label);
  }
  show(parts, false);
  const group = chips("How it divides", `parts-${drawn}`, [["one", "One phase"], ["parts", "Rest, massage, rest"]], "one");
  group.addEventListener("change", () => show(parts, group.querySelector(":checked").value === "parts"));
  whole.append(group, parts);
  return whole;
}

function holds(item, upload) {
  const { contents } = upload;
  drawn += 1;
  item.dataset.state = "waiting";
  item.dataset.upload = upload.upload;
  const form = make("form");
  const refusal = make("p", "refusal");
  refusal.setAttribute("role", "alert");
  const add = button("Add as session", "primary");
  const own = `kind-${drawn}`;
  const label = () => setText(add, item.dataset.twin === "sure" ? "Yes, add it once more" : form.elements.began && !form.elements.began.value ? "Add without a date" : "Add as session");
  const discard = button("Discard", "", async () => {
    discard.disabled = true;
    try {
      await send("DELETE", `${path}/${upload.upload}`);
    } catch (error) {
      if (error.status !== 404) { discard.disabled = false; setText(refusal, error.message); return; }
    }
    tell(`${upload.name} is discarded.`);
    remove(item);
  });
  const row = make("div", "row");
  row.append(add, discard);
  form.append(when(contents, label), chips("What it was", own, [["massage", "Massage"], ["rest", "Rest only"]], contents.kind), division(contents), refusal, row);
  form.noValidate = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (add.disabled) return;
    add.disabled = discard.disabled = true;
    setText(refusal, "");
    const of = (name) => Number(form.elements[name].value);
    const divided = form.querySelector('input[value="parts"]')?.checked;
    const choice = { kind: form.querySelector(`[name="${own}"]:checked`).value, began_local: form.elements.began?.value || null, parts: divided ? [of("before"), of("middle"), of("after")] : null, confirmed: item.dataset.twin === "sure" };
    try {
      const { session } = await post(`${path}/${upload.upload}/add`, choice);
      added(item, upload, session);
    } catch (error) {
      add.disabled = discard.disabled = false;
      setText(refusal, error.message);
      if (error.unconfirmed) item.dataset.twin = "sure";
      label();
      if (stayedAt(add)) add.focus();
    }
  });
  const twin = make("p", "twin");
  if (upload.twin) {
    const link = make("a", "", `session ${upload.twin.session}`);
    link.href = `/sessions/${upload.twin.session}`;
    twin.append("These beats are stored already: ", link, upload.twin.client === section.dataset.client ? "." : `, of ${upload.twin.client ?? "nobody named"}.`);
  }
  item.replaceChildren(make("h3", "", upload.name), ...(upload.twin ? [twin] : []), facts(contents), strip(contents.strip, contents.duration_s), ...contents.reasons.map((text) => make("p", "", text)), sentences([...contents.told, ...contents.warnings], contents.more_warnings), form);
  label();
}

function added(item, upload, session) {
  const held = item.contains(document.activeElement) || document.activeElement === document.body;
  item.dataset.state = "added";
  const link = make("a", "button", "Open the session");
  link.href = `/sessions/${session}`;
  const row = make("div", "row");
  row.append(link, button("Close", "", () => remove(item)));
  item.replaceChildren(make("h3", "", upload.name), make("p", "", `Added as session ${session}. It is stored.`), row);
  tell(`${upload.name} was added as session ${session}.`);
  if (held) link.focus();
}

// Sends a file as it is; its name goes beside it in a header, so that it stands in no address and no log.
function deliver(file, onPart) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("X-File-Name", encodeURIComponent(file.name.slice(-200)));
    const csrf = document.querySelector('meta[name="csrf"]');
    if (csrf) request.setRequestHeader("X-CSRF-Token", csrf.content);
    request.upload.addEventListener("progress", (event) => event.lengthComputable && onPart(event.loaded / event.total));
    request.addEventListener("error", () => failed(new Error("It did not arrive: restbeat did not answer, or the file cannot be opened. Try again.")));
    request.addEventListener("load", () => {
      if (request.status === 401) toLogin();
      let answer = {};
      try { answer = JSON.parse(request.responseText); } catch { /* no JSON: the sentence below */ }
      if (request.status === 201) done(answer); else failed(new Error(answer.error ?? "That did not work."));
    });
    request.send(file);
  });
}

function take(files) {
  for (const file of files) {
    const name = file.name.replace(/\p{C}/gu, " ").slice(-80);
    const item = make("li", "panel file");
    item.dataset.state = "coming";
    const state = make("p", "sub", "Waits for the others …");
    const bar = make("progress");
    bar.setAttribute("aria-label", `Sending ${name}`);
    item.append(make("h3", "", name), state, bar);
    list.append(item);
    sending = sending.then(async () => {
      try {
        if (file.size > most) throw new Error(`${name} is larger than ${Math.floor(most / 1048576)} MiB: no session of heartbeats is.`);
        setText(state, "On its way …");
        const upload = await deliver(file, (part) => {
          bar.value = part;
          if (part === 1) { setText(state, "It is being read …"); bar.removeAttribute("value"); }
        });
        holds(item, upload);
        tell(`${upload.name} is read. It waits for your decision.`);
      } catch (error) {
        refused(item, name, error.message);
      }
    });
  }
}

if (list) {
  const drop = byId("drop");
  byId("choose").addEventListener("click", () => byId("chosen").click());
  byId("chosen").addEventListener("change", () => {
    take([...byId("chosen").files]);
    byId("chosen").value = "";
  });
  // Anywhere on the page: a file dropped beside the box would open in place of the page.
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    window.addEventListener(kind, (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragenter" || kind === "dragover");
      if (kind === "drop") take([...event.dataTransfer.files]);
    });
  }
  get(path).then((uploads) => {
    for (const upload of uploads) {
      const item = make("li", "panel file");
      list.append(item);
      holds(item, upload);
    }
  }).catch((error) => tell(error.message));
}

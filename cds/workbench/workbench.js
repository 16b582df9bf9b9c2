// Spares pressing buttons: a dropped file fills the form, a value that is moved is judged at once. Everything works without.
"use strict";

document.addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("over"); });
document.addEventListener("dragleave", () => document.body.classList.remove("over"));
document.addEventListener("drop", async (event) => {
  event.preventDefault();
  document.body.classList.remove("over");
  const form = document.getElementById("drop");
  const file = event.dataTransfer.files[0];
  if (form === null || file === undefined) return;
  form.elements.chart.value = await file.text();
  form.requestSubmit();
});

const bench = document.getElementById("bench");
const note = document.getElementById("note");
const live = [...document.querySelectorAll(".live")];
const opened = new Map();  // what somebody opened or closed stays so
const PAUSE = 120;         // milliseconds without a movement after which is asked
const PATIENCE = 30000;
const OTHERS = "What is shown below is for other values.";
let wished = 0, asking = false, waiting, edited = "";

function stale(words) {    // nobody may take what stands there for what the fields say
  for (const part of live) if (part !== note) part.classList.add("stale");
  document.getElementById("press").inert = true;
  if (words) note.textContent = `${words} ${OTHERS}`;
}

async function judge() {   // one question at a time, and the last one counts
  if (asking) return;
  asking = true;
  for (let answered = -1; answered !== wished;) {
    answered = wished;
    await ask(answered);
  }
  asking = false;
}

async function ask(mine) {
  let page;
  try {
    const answer = await fetch("/", { method: "POST", body: new URLSearchParams(new FormData(bench)), signal: AbortSignal.timeout(PATIENCE) });
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    if (mine === wished) stale("It could not be judged: the service does not answer.");
    return;
  }
  if (mine !== wished) return;
  if (page.getElementById("lit") === null) {
    stale(`It could not be judged: ${page.querySelector("[role=alert]")?.textContent ?? "the service refused it"}.`);
    return;
  }
  for (const part of live) {
    part.replaceChildren(...page.getElementById(part.id).childNodes);
    part.classList.remove("stale");
  }
  settle(page);
  for (const [id, open] of opened) document.getElementById(id)?.toggleAttribute("open", open);
  document.getElementById("press").inert = false;
  show();
}

function settle(page) {    // of another day other values are the newest; the field that was moved last stays as it was typed
  const rows = document.getElementById("rows"), fresh = [...page.querySelectorAll("#rows > .slider")];
  for (const row of [...rows.children]) if (!fresh.some((each) => each.id === row.id)) row.remove();
  let before = null;
  for (const row of fresh) {
    const stands = document.getElementById(row.id);
    if (stands === null) rows.insertBefore(row, before === null ? rows.firstChild : before.nextSibling);
    else renew(stands, row);
    before = document.getElementById(row.id);
  }
}

function renew(stands, row) {
  for (const kind of ["[name^=was-]", "[type=range]", "[type=text]"]) {
    const old = stands.querySelector(kind), now = row.querySelector(kind);
    if (kind === "[type=range]") [old.min, old.max] = [now.min, now.max];
    if (kind === "[name^=was-]" || stands.id !== edited) old.value = now.value;
  }
}

function wish() {
  wished += 1;
  clearTimeout(waiting);
  stale("");
}

function show() {          // what needs this script
  for (const each of document.querySelectorAll("[data-copy], [data-back], [data-for], [data-filter]")) each.hidden = false;
}

document.addEventListener("click", async (event) => {
  const summary = event.target.closest("summary");
  if (summary !== null && summary.parentElement.id) opened.set(summary.parentElement.id, !summary.parentElement.open);
  const tab = event.target.closest(".tabs > nav a");
  if (tab !== null) { event.preventDefault(); location.replace(tab.hash); }  // "back" goes to the page before, not to the tab before
  if (event.target.closest("[data-back]") !== null) history.back();
  const button = event.target.closest("button[data-copy]");
  if (button === null) return;
  const area = document.getElementById(button.dataset.copy);
  area.select();
  try { await navigator.clipboard.writeText(area.value); button.textContent = "Copied"; } catch { button.textContent = "Selected"; }
});

bench?.addEventListener("input", (event) => {
  const slider = event.target.closest(".slider"), range = slider.querySelector("[type=range]"), field = slider.querySelector("[type=text]");
  edited = slider.id;
  if (event.target === range) field.value = range.value;
  wish();
  if (field.value.trim() === "") { stale("A field has no value."); return; }
  if (event.target === field) range.value = field.value.replace(",", ".");
  waiting = setTimeout(judge, PAUSE);
});

bench?.addEventListener("submit", (event) => {
  event.preventDefault();
  wish();
  if (event.submitter?.name === "back") backed();
  judge();
});

function backed() {
  edited = "";
  for (const row of document.querySelectorAll("#rows > .slider")) {
    const was = row.querySelector("[name^=was-]").value;
    for (const field of row.querySelectorAll("[type=range], [type=text]")) field.value = was;
  }
}

document.getElementById("filter")?.addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase().split(/\s+/);
  for (const group of document.querySelectorAll("#all tbody")) {
    const rows = [...group.querySelectorAll(".of")];
    for (const row of rows) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
    group.hidden = rows.every((row) => row.hidden);
  }
});

window.addEventListener("pageshow", (event) => {  // a browser that comes back puts old values into the fields of a new page
  if (event.persisted) return;
  for (const field of document.querySelectorAll("#rows [type=range], #rows [type=text]")) field.value = field.defaultValue;
});
window.addEventListener("beforeprint", () => {
  for (const working of document.querySelectorAll(".card details")) working.open = true;
});
show();

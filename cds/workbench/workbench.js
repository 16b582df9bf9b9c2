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
const live = [...document.querySelectorAll(".live")];
const opened = new Map();  // what somebody opened or closed stays so
const PAUSE = 120;         // milliseconds without a movement after which is asked
let waiting, asking;

function stale(words) {    // what stands there is of another value; nobody may take it for this one
  live.forEach((part) => part.classList.add("stale"));
  document.getElementById("press").inert = true;
  if (words) document.getElementById("note").textContent = words;
}

async function judge() {
  asking?.abort();
  const mine = asking = new AbortController();
  let page;
  try {
    const answer = await fetch("/", { method: "POST", body: new URLSearchParams(new FormData(bench)), signal: mine.signal });
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    if (asking === mine) stale("It could not be judged: the service does not answer. What stands below is of other values.");
    return;
  }
  if (asking !== mine) return;
  if (page.getElementById("lit") === null) {
    const why = page.querySelector("[role=alert]")?.textContent ?? "the service refused it";
    stale(`It could not be judged: ${why}. What stands below is of other values.`);
    return;
  }
  for (const part of live) {
    part.replaceChildren(...page.getElementById(part.id).childNodes);
    part.classList.remove("stale");
  }
  for (const [id, open] of opened) document.getElementById(id)?.toggleAttribute("open", open);
  document.getElementById("press").inert = false;
  copies();
}

function changed() {
  clearTimeout(waiting);
  stale("");
  waiting = setTimeout(judge, PAUSE);
}

function copies() {
  for (const button of document.querySelectorAll("button[data-copy]")) button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const summary = event.target.closest("summary");
  if (summary !== null && summary.parentElement.id) opened.set(summary.parentElement.id, !summary.parentElement.open);
  const button = event.target.closest("button[data-copy]");
  if (button === null) return;
  const area = document.getElementById(button.dataset.copy);
  area.select();
  try { await navigator.clipboard.writeText(area.value); button.textContent = "Copied"; } catch { button.textContent = "Selected"; }
});

for (const slider of document.querySelectorAll("input[type=range][data-for]")) {
  const number = document.getElementById(slider.dataset.for);
  slider.addEventListener("input", () => { number.value = slider.value; changed(); });
  number.addEventListener("input", () => { slider.value = number.value; if (number.value !== "") changed(); });
}
bench?.addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(waiting); stale(""); judge(); });
bench?.addEventListener("reset", () => { setTimeout(changed); });
window.addEventListener("pageshow", (event) => {  // a browser that comes back puts old values into the fields of a new page
  const strange = (slider) => slider.value !== slider.defaultValue;
  if (!event.persisted && [...document.querySelectorAll("#bench .slider input")].some(strange)) bench.reset();
});
copies();

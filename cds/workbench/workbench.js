// Spares pressing a button: a dropped file fills the form, a slider that is let go sends it. Everything works without.
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

for (const slider of document.querySelectorAll("input[type=range][data-for]")) {
  const number = document.getElementById(slider.dataset.for);
  slider.addEventListener("input", () => { number.value = slider.value; });
  slider.addEventListener("change", () => slider.form.requestSubmit());
  number.addEventListener("change", () => { slider.value = number.value; });
}

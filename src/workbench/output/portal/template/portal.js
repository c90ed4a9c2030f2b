// What widgets do not do by themselves: read changes out, name the page's language, and tell
// when the process behind the page has been put to rest.
"use strict";
const asleep = {
  sv: ["Sidan har vilat för länge.", "Ladda om den"],
  nb: ["Siden har hvilt for lenge.", "Last den på nytt"],
  en: ["This page has rested for too long.", "Load it again"],
};
function follow() {
  const told = document.querySelector("[data-lang]");
  if (told) { document.documentElement.lang = told.dataset.lang; }
  const status = document.querySelector(".portal-status");
  put(status, "role", "status");
  put(status, "aria-live", "polite");
  name_parts();
}
// Each control has one of these; nothing is set twice, or the watcher below would never rest.
function put(element, name, value) {
  if (element && element.getAttribute(name) !== value) { element.setAttribute(name, value); }
}
function name_parts() {
  put(document.getElementById("rendered_cells"), "role", "main");
  const group = document.querySelector(".portal-view");
  const label = group ? group.querySelector(".widget-label") : null;
  if (label) {
    put(group, "role", "radiogroup");
    put(group, "aria-label", label.textContent);
  }
}
new MutationObserver(follow).observe(document.body, {
  childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ["class", "title"],
});
follow();
const settings = document.getElementById("jupyter-config-data");
const kernel = settings ? JSON.parse(settings.textContent) : null;
async function look() {
  let there = true;
  try {
    there = (await fetch(`${kernel.baseUrl}api/kernels/${kernel.kernelId}`)).ok;
  } catch { there = false; }
  if (there) { return; }
  const [sentence, link] = asleep[document.documentElement.lang] || asleep.en;
  const box = document.getElementById("portal-asleep");
  const anchor = document.createElement("a");
  anchor.href = window.location.href;
  anchor.textContent = link;
  box.replaceChildren(`${sentence} `, anchor);
  box.hidden = false;
}
if (kernel && kernel.kernelId) {
  setInterval(look, 20000);
  window.addEventListener("focus", look);
}

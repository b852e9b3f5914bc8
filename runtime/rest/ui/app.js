// The page as a whole: which view is shown, and that it is brought up to date.

import { connectorView } from "./connector.js";
import { setAttribute, setText } from "./dom.js";
import { editView, newView } from "./form.js";
import { duration } from "./format.js";
import { listView } from "./list.js";
import { model } from "./model.js";
import { workersView } from "./workers.js";

const main = document.getElementById("main");
const liveness = document.getElementById("liveness");
let view = null;

/** The view that the part of the address behind `#` names, and its place in the menu. */
function route() {
  const [place = "", name = "", part = ""] = location.hash.replace(/^#\/?/, "").split("/").map(decoded);
  if (place === "workers") return ["workers", workersView()];
  if (place === "new") return ["new", newView()];
  if (place === "connectors" && name) return ["connectors", part === "edit" ? editView(name) : connectorView(name, part)];
  return ["connectors", listView()];
}

function decoded(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function show(first) {
  view?.leave?.();
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  const [place, next] = route();
  view = next;
  document.title = `${view.title} · Tether`;
  for (const link of document.querySelectorAll("[data-nav]")) setAttribute(link, "aria-current", link.dataset.nav === place ? "page" : null);
  main.replaceChildren(view.element);
  view.update();
  scrollTo(0, 0);
  if (!first) view.element.querySelector("h1")?.focus({ preventScroll: true });
}

function showLiveness() {
  const late = model.updated === null ? null : (Date.now() - model.updated) / 1000;
  setAttribute(liveness, "data-state", model.error ? "lost" : "live");
  if (!model.error) setText(liveness, model.updated ? "Live" : "");
  else setText(liveness, late === null ? model.error.message : `${model.error.message} Last seen ${duration(late)} ago.`);
}

addEventListener("hashchange", () => show(false));
addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, textarea, select") || document.querySelector("dialog[open]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey || !view.focus) return;
  event.preventDefault();
  view.focus();
});
model.addEventListener("change", () => {
  showLiveness();
  view.update();
});

show(true);
model.start();

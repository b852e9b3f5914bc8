// Short messages about what was done, and what could not be.

import { h } from "./dom.js";

const SHOWN = 6000;

/** Says that something was done. */
export function done(text) {
  show("done", text, SHOWN);
}

/** Says what went wrong; it stays until it is put away. */
export function failed(what, error) {
  show("failed", `${what}: ${error.message}`, null);
}

function show(kind, text, time) {
  const note = h(
    `div.notice.${kind}`,
    {},
    h("p", {}, text),
    h("button.quiet", { type: "button", "aria-label": "Put this message away", on: { click: () => note.remove() } }, "Close"),
  );
  document.getElementById("notices").append(note);
  if (time) setTimeout(() => note.remove(), time);
}

// How states look.

import { h, setAttribute, setText } from "./dom.js";
import { STATES } from "./model.js";

const WORDS = new Map(STATES);

/** The word for a state of the API or of the model. */
export function word(state) {
  const lower = state.toLowerCase();
  return WORDS.get(lower) ?? lower.charAt(0).toUpperCase() + lower.slice(1);
}

/** A mark with the word of a state; `set` shows another one. */
export function badge(state) {
  const text = h("span");
  const element = h("span.badge", {}, h("i", { "aria-hidden": true }), text);
  element.set = (now) => {
    setAttribute(element, "data-state", now.toLowerCase());
    setText(text, word(now));
  };
  element.set(state);
  return element;
}

// Questions before something is done.

import { h } from "./dom.js";

let number = 0;

/**
 * Asks. `options` are { label, value } to choose one of; the answer is the value of the
 * one that was chosen (true without options), or null if the answer was no.
 */
export function confirm({ title, text, action, danger = false, options = [] }) {
  const id = `dialog-${(number += 1)}`;
  const choices = options.map(({ label, value }, index) =>
    h(
      "label.choice",
      {},
      h("input", { type: "radio", name: id, value, checked: index === 0 }),
      h("span", {}, label),
    ),
  );
  const answer = (dialog) => {
    const chosen = dialog.querySelector("input[type=radio]:checked");
    return chosen ? chosen.value : true;
  };
  return ask(
    id,
    [
      h("h2", { id: `${id}-title` }, title),
      h("p", { id: `${id}-text` }, text),
      choices.length ? h("div.choices", { role: "radiogroup", "aria-labelledby": `${id}-title` }, choices) : null,
    ],
    action,
    danger,
    answer,
  );
}

/** Asks for a text of several lines; null if the answer was no. */
export function prompt({ title, text, action, placeholder }) {
  const id = `dialog-${(number += 1)}`;
  const area = h("textarea.mono", { rows: 12, placeholder, spellcheck: "false", "aria-labelledby": `${id}-title` });
  return ask(id, [h("h2", { id: `${id}-title` }, title), h("p", { id: `${id}-text` }, text), area], action, false, () => area.value);
}

function ask(id, content, action, danger, answer) {
  return new Promise((resolve) => {
    let given = null;
    const yes = () => {
      given = answer(dialog);
      dialog.close();
    };
    const dialog = h(
      "dialog",
      { "aria-labelledby": `${id}-title`, "aria-describedby": `${id}-text` },
      content,
      h(
        "div.buttons",
        {},
        h("button", { type: "button", on: { click: () => dialog.close() } }, "Cancel"),
        h(danger ? "button.danger" : "button.primary", { type: "button", "data-confirm": true, on: { click: yes } }, action),
      ),
    );
    const before = document.activeElement;
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before?.isConnected) before.focus();
      resolve(given);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

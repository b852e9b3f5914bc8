// How far a connector has come, and changing that while it is stopped.

import { act, attempt } from "./actions.js";
import * as api from "./api.js";
import { confirm } from "./dialog.js";
import { h, present } from "./dom.js";
import * as json from "./json.js";
import { model } from "./model.js";

/** The tab “Offsets”. */
export function offsetsPart(name) {
  const element = h("section", { "aria-label": "Offsets" });
  let state = null;
  const update = () => {
    const now = model.connectors.get(name).connector.state;
    if (now === state) return;
    state = now;
    load();
  };

  async function load() {
    element.setAttribute("aria-busy", "true");
    try {
      const text = await api.getText(`${api.connectorPath(name)}/offsets`);
      const entries = json.parse(text).get("offsets");
      show(entries.map((entry) => [json.write(entry.get("partition")), json.write(entry.get("offset"))]));
    } catch (error) {
      element.replaceChildren(
        h("p.problem", { role: "alert" }, error.message),
        h("button", { type: "button", on: { click: load } }, "Try again"),
      );
    }
    element.removeAttribute("aria-busy");
  }

  function show(entries) {
    const stopped = state === "STOPPED";
    const rows = h("tbody", {}, entries.map((entry) => (stopped ? editedRow(...entry) : shownRow(...entry))));
    element.replaceChildren(
      ...present([
        stopped
          ? h("p.muted", {}, "The connector is stopped, so its offsets can be changed. An offset that is left empty is deleted: the connector begins anew there.")
          : h(
              "p.muted",
              {},
              "Offsets are what is committed. They can be changed while the connector is stopped. ",
              h("button.link", { type: "button", "data-action": "stop", on: { click: () => act("stop", name) } }, "Stop it"),
            ),
        entries.length || stopped
          ? h(
              "table.settings.offsets",
              {},
              h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Partition"), h("th", { scope: "col" }, "Offset"))),
              rows,
            )
          : h("p.empty", {}, "Nothing is committed yet."),
        h(
          "div.buttons",
          {},
          stopped && h("button.primary", { type: "button", "data-action": "save-offsets", on: { click: () => save(rows, entries) } }, "Save"),
          stopped && h("button", { type: "button", on: { click: () => rows.append(editedRow(null, "")) } }, "Add a partition"),
          h("button", { type: "button", on: { click: load } }, stopped ? "Undo changes" : "Look again"),
          stopped && entries.length > 0 && h("button.danger-text", { type: "button", "data-action": "reset-offsets", on: { click: reset } }, "Delete all"),
        ),
      ]),
    );
  }

  async function save(rows, entries) {
    const changes = changed([...rows.children], new Map(entries));
    if (!changes) return;
    if (!changes.length) return confirm({ title: "Nothing has changed", text: "All offsets are as they were.", action: "Well" });
    const lines = changes.map(([partition, offset]) => (offset ? `${partition} to ${offset}` : `${partition} is deleted`));
    const answer = await confirm({
      title: `Change offsets of ${name}?`,
      text: `${lines.slice(0, 5).join("; ")}${lines.length > 5 ? `; and ${lines.length - 5} more` : ""}. Records before a new offset are not processed, and those after it are, whether or not they were already.`,
      action: "Change",
    });
    if (answer === null) return;
    const body = changes.map(([partition, offset]) => `{"partition":${partition},"offset":${offset || "null"}}`).join(",");
    const run = () => api.patchText(`${api.connectorPath(name)}/offsets`, `{"offsets":[${body}]}`);
    if (await attempt(run, `Offsets of ${name} are changed`, `Changing offsets of ${name} failed`)) load();
  }

  async function reset() {
    const answer = await confirm({
      title: `Delete all offsets of ${name}?`,
      text: "When it is resumed, the connector begins as if it had never run.",
      action: "Delete offsets",
      danger: true,
    });
    if (answer === null) return;
    const run = () => api.remove(`${api.connectorPath(name)}/offsets`);
    if (await attempt(run, `Offsets of ${name} are deleted`, `Deleting offsets of ${name} failed`)) load();
  }

  return { element, update };
}

function shownRow(partition, offset) {
  return h("tr", {}, h("td", {}, h("code", {}, partition)), h("td", {}, h("code", {}, offset)));
}

/** A row of fields; `partition` is null in a new one. */
function editedRow(partition, offset) {
  const field = (label, value, fixed) =>
    h("td", {}, h("input.mono", { type: "text", "aria-label": label, value, readonly: fixed, spellcheck: "false", autocomplete: "off" }), h("p.problem", { hidden: true }));
  return h("tr", {}, field("Partition", partition ?? "", partition !== null), field(partition ? `Offset of ${partition}` : "Offset", offset, false));
}

/** [partition, offset] of rows that differ; null if one of them is no JSON. */
function changed(rows, before) {
  let right = true;
  const changes = [];
  for (const row of rows) {
    const [partition, offset] = [...row.querySelectorAll("td")].map((cell, index) => {
      const input = cell.querySelector("input");
      const problem = cell.querySelector(".problem");
      const mistake = mistakeIn(input.value, index === 1);
      problem.hidden = !mistake;
      problem.textContent = mistake ?? "";
      input.setAttribute("aria-invalid", String(Boolean(mistake)));
      if (mistake && right) input.focus();
      right &&= !mistake;
      return input.value.trim();
    });
    if (before.get(partition) !== offset && (offset || before.has(partition))) changes.push([partition, offset]);
  }
  return right ? changes : null;
}

function mistakeIn(text, mayBeEmpty) {
  if (mayBeEmpty && !text.trim()) return null;
  try {
    return json.parse(text) instanceof Map ? null : 'It has to be an object, such as {"kafka_offset": 42}.';
  } catch (error) {
    return `This is no JSON: ${error.message}`;
  }
}

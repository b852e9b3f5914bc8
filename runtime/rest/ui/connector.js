// One connector: what it does, what can be done with it, and its parts as tabs.

import { act, restartTask } from "./actions.js";
import { Chart, Sparkline } from "./chart.js";
import { configurationPart } from "./configuration.js";
import { deadLetterTopic, deadLettersPart } from "./dead_letters.js";
import { h, keyed, memo, setAttribute, setText } from "./dom.js";
import { failurePanel } from "./failures.js";
import { count, exact, rate, simpleName } from "./format.js";
import { connectorLink } from "./links.js";
import { HISTORY, model } from "./model.js";
import { offsetsPart } from "./offsets.js";
import { badge } from "./state.js";

const PARTS = [
  ["", "Overview", overviewPart],
  ["configuration", "Configuration", configurationPart],
  ["offsets", "Offsets", offsetsPart],
  ["dead-letters", "Dead letters", deadLettersPart],
];

/** The view `#/connectors/NAME` and `#/connectors/NAME/PART`. */
export function connectorView(name, part) {
  const [, label, make] = PARTS.find(([key]) => key === part) ?? PARTS[0];
  const shown = make(name);
  const state = badge("unassigned");
  const meta = h("p.muted.meta");
  const buttons = h("div.buttons", { role: "group", "aria-label": `Commands for ${name}` });
  const tabs = h("nav.tabs", { "aria-label": `Parts of ${name}` });
  const gone = h("p.empty", { hidden: true }, "There is no connector of this name. It may have been deleted.");
  const content = h("div", {}, tabs, shown.element);

  const update = () => {
    if (!model.connectors) return;
    const connector = model.connectors.get(name);
    gone.hidden = Boolean(connector);
    content.hidden = buttons.hidden = state.hidden = !connector;
    if (!connector) return setText(meta, "");
    state.set(connector.state);
    const version = connector.connector.version;
    setText(meta, `${connector.type} · ${simpleName(connector.class)}${version ? ` ${version}` : ""} · on ${connector.connector.worker_id}`);
    setAttribute(meta, "title", connector.class);
    memo(buttons, connector.connector.state, () => commands(name, connector.connector.state));
    memo(tabs, Boolean(deadLetterTopic(connector.config)), () => tabLinks(name, part, connector));
    shown.update();
  };

  const element = h(
    "div.view",
    {},
    h("p.crumbs", {}, h("a", { href: "#/" }, "All connectors")),
    h("div.title", {}, h("div", {}, h("div.heading", {}, h("h1", { tabindex: -1 }, name), state), meta), buttons),
    gone,
    content,
  );
  return { title: `${name} · ${label}`, element, update, leave: shown.leave };
}

function tabLinks(name, part, connector) {
  return PARTS.filter(([key]) => key !== "dead-letters" || part === key || deadLetterTopic(connector.config)).map(([key, label]) =>
    h("a", { href: connectorLink(name, key), "aria-current": key === part ? "page" : null }, label),
  );
}

function commands(name, state) {
  const idle = state === "PAUSED" || state === "STOPPED";
  const command = (action, label, attributes = {}) =>
    h("button", { type: "button", "data-action": action, ...attributes, on: { click: () => act(action, name) } }, label);
  return [
    idle ? command("resume", "Resume") : command("pause", "Pause"),
    state === "STOPPED" ? null : command("stop", "Stop"),
    state === "STOPPED" ? null : command("restart", "Restart"),
    h("a.button", { href: connectorLink(name, "edit"), "data-action": "edit" }, "Edit"),
    h(
      "button.danger-text",
      {
        type: "button",
        "data-action": "remove",
        on: {
          click: async () => {
            if (await act("remove", name)) location.hash = "#/";
          },
        },
      },
      "Delete",
    ),
  ];
}

/** The tab “Overview”. */
function overviewPart(name) {
  const throughput = new Chart("Throughput", rate, " records/s");
  const second = h("div.chart-slot");
  const lag = new Chart("Lag", count, " records", "lag");
  const errors = new Chart("Records with errors", exact, "", "lag");
  const failures = h("div.failures", { role: "region", "aria-label": "Failures" });
  const rows = h("div.rows", { role: "rowgroup" });
  const none = h("p.empty", {}, "It has no tasks now.");
  const headings = ["State", "Task", "Records/s", "Records", "Lag", "Errors", "Worker", ""];
  const table = h(
    "div.table.tasks-table",
    { role: "table", "aria-label": "Tasks" },
    h("div", { role: "rowgroup" }, h("div.head", { role: "row" }, headings.map((text) => h("span", { role: "columnheader" }, text)))),
    rows,
  );
  const update = () => {
    const connector = model.connectors.get(name);
    const series = model.series(name);
    throughput.update(series.rate.values);
    const isSink = connector.type !== "source";
    memo(second, isSink, () => (isSink ? lag : errors).element);
    if (isSink) lag.update(series.lag.values);
    else errors.update(series.errors.values);
    keyed(
      failures,
      failuresOf(connector),
      ({ ids, trace }) => `${ids} ${trace}`,
      (part) => failure(name, part),
      () => {},
    );
    keyed(rows, connector.tasks, ({ id }) => id, (task) => taskRow(name, task.id), (child, task) => child.show(task, isSink));
    table.hidden = connector.tasks.length === 0;
    none.hidden = connector.tasks.length > 0;
  };
  const element = h("div", {}, failures, h("section.charts", { "aria-label": "Charts" }, throughput.element, second), h("section", {}, h("h2", {}, "Tasks"), table, none));
  return { element, update };
}

/** What has failed: { ids, workers, trace }, without ids the connector itself. Tasks that failed alike come together. */
function failuresOf({ connector, tasks }) {
  const found = connector.state === "FAILED" ? [{ ids: [], workers: [connector.worker_id], trace: connector.trace ?? "" }] : [];
  const alike = new Map();
  for (const { id, worker_id: worker, trace = "" } of tasks.filter((task) => task.state === "FAILED")) {
    if (!alike.has(trace)) alike.set(trace, { ids: [], workers: [], trace });
    const part = alike.get(trace);
    part.ids.push(id);
    if (!part.workers.includes(worker)) part.workers.push(worker);
  }
  return [...found, ...alike.values()];
}

function failure(name, { ids, workers, trace }) {
  const restart = ids.length === 1 ? () => restartTask(name, ids[0]) : () => act("restart", name);
  const what = ids.length === 0 ? "The connector has failed" : ids.length === 1 ? `Task ${ids[0]} has failed` : `Tasks ${list.format(ids.map(String))} have failed`;
  const label = ids.length === 0 ? "Restart" : ids.length === 1 ? `Restart task ${ids[0]}` : "Restart them";
  const actions = [
    h("button.primary", { type: "button", on: { click: restart } }, label),
    h("a.button", { href: connectorLink(name, "edit") }, "Edit the configuration"),
  ];
  return failurePanel(what, workers.join(", "), trace, ids.length > 0, actions);
}

const list = new Intl.ListFormat("en");

function taskRow(name, id) {
  const state = badge("unassigned");
  const cell = (label, ...children) => h("span", { role: "cell", "data-label": label }, children);
  const spark = new Sparkline();
  const speed = h("span");
  const [records, lag, errors, worker] = ["Records", "Lag", "Errors", "Worker"].map((label) => cell(label));
  // A task has no history of its own here: rates since the view was opened.
  const rates = [];
  let seen = null;
  const element = h(
    "div.row",
    { role: "row", "data-task": id },
    h("span.state", { role: "cell" }, state),
    cell("Task", String(id)),
    h("span.speed", { role: "cell", "data-label": "Records/s" }, spark.element, speed),
    records,
    lag,
    errors,
    worker,
    h("span.row-end", { role: "cell" }, h("button.quiet", { type: "button", "aria-label": `Restart task ${id}`, on: { click: () => restartTask(name, id) } }, "Restart")),
  );
  element.show = (task, isSink) => {
    const figures = model.task(name, id);
    state.set(task.state);
    if (seen !== model.updated) {
      seen = model.updated;
      rates.push(figures?.rate ?? null);
      if (rates.length > HISTORY) rates.shift();
      spark.update(rates);
    }
    setText(speed, rate(figures?.rate));
    setText(records, count(figures?.records));
    setText(lag, isSink ? count(figures?.lag) : "");
    setText(errors, count(figures?.errors));
    setText(worker, task.worker_id);
  };
  return element;
}

// All connectors: how they are together, and a row for each.

import { Chart, Sparkline } from "./chart.js";
import { h, keyed, setAttribute, setText } from "./dom.js";
import { count, plural, rate, simpleName } from "./format.js";
import { connectorLink } from "./links.js";
import { STATES, model, tasksIn } from "./model.js";
import { badge, word } from "./state.js";

/** How many rows are made at first, and each time the end of them comes into view. */
const ROWS = 60;

/** How many marks of tasks a row has room for. */
const MARKS = 8;

const ORDERS = {
  state: ["State", (a, b) => rank(a) - rank(b) || byName(a, b)],
  name: ["Name", byName],
  rate: ["Records/s", (a, b) => latest(b, "rate") - latest(a, "rate") || byName(a, b)],
  lag: ["Lag", (a, b) => latest(b, "lag") - latest(a, "lag") || byName(a, b)],
};

const collator = new Intl.Collator("en", { numeric: true });
const ranks = new Map(STATES.map(([state], index) => [state, index]));

function byName(a, b) {
  return collator.compare(a.name, b.name);
}

function rank({ state }) {
  return ranks.get(state) ?? ranks.size;
}

function latest({ name }, what) {
  return model.series(name)[what].last ?? -1;
}

// What was chosen stays while the page is open.
const chosen = { text: "", state: null, order: "state" };

/** The view `#/`. */
export function listView() {
  const throughput = new Chart("Throughput", rate, " records/s");
  const lag = new Chart("Lag of sinks", count, " records", "lag");
  const search = h("input", {
    type: "search",
    id: "search",
    placeholder: "Filter by name, class, topic or worker",
    "aria-label": "Filter connectors",
    "aria-keyshortcuts": "/",
    autocomplete: "off",
    spellcheck: "false",
    value: chosen.text,
    on: { input: () => choose({ text: search.value }) },
  });
  const chips = [[null, "All"], ...STATES].map(([state, label]) => {
    const number = h("b");
    const chip = h("button.chip", { type: "button", "data-state": state, on: { click: () => choose({ state }) } }, h("i", { "aria-hidden": true }), label, number);
    return { state, chip, number };
  });
  const order = h(
    "select",
    { "aria-label": "Order", on: { change: () => choose({ order: order.value }) } },
    Object.entries(ORDERS).map(([value, [label]]) => h("option", { value }, `By ${label.toLowerCase()}`)),
  );
  order.value = chosen.order;
  const headings = [
    ["state", "State"],
    ["name", "Connector"],
    [null, "Tasks"],
    ["rate", "Records/s", "number"],
    ["lag", "Lag", "number"],
    [null, "Worker"],
  ].map(([key, label, kind]) => {
    const attributes = { role: "columnheader", class: kind };
    if (!key) return h("span", attributes, label);
    const button = h("button.sort", { type: "button", on: { click: () => choose({ order: key }) } }, label);
    return h("span", { ...attributes, "data-order": key }, button);
  });
  const body = h("div.rows", { role: "rowgroup" });
  const end = h("div.end", { "aria-hidden": true });
  const empty = h("p.empty", { hidden: true });
  const shown = h("p.shown", { role: "status" });
  const table = h(
    "div.table.connectors",
    { role: "table", "aria-label": "Connectors" },
    h("div", { role: "rowgroup" }, h("div.head", { role: "row" }, headings)),
    body,
  );
  let limit = ROWS;

  const more = new IntersectionObserver(
    ([{ isIntersecting }]) => {
      if (!isIntersecting || limit >= matching().length) return;
      limit += ROWS;
      update();
    },
    { rootMargin: "600px" },
  );
  more.observe(end);

  function choose(change) {
    Object.assign(chosen, change);
    limit = ROWS;
    update();
  }

  function matching() {
    const words = chosen.text.toLowerCase().split(/\s+/).filter(Boolean);
    return [...(model.connectors?.values() ?? [])].filter(
      (connector) => (!chosen.state || connector.state === chosen.state) && words.every((part) => textOf(connector).includes(part)),
    );
  }

  function update() {
    throughput.update(model.total.rate.values);
    lag.update(model.total.lag.values);
    order.value = chosen.order;
    for (const heading of headings) {
      if (heading.dataset.order) setAttribute(heading, "aria-sort", heading.dataset.order === chosen.order ? "other" : null);
    }
    const all = [...(model.connectors?.values() ?? [])];
    for (const { state, chip, number } of chips) {
      const found = state ? all.filter((connector) => connector.state === state).length : all.length;
      setText(number, count(found));
      setAttribute(chip, "aria-pressed", String(chosen.state === state));
      chip.hidden = found === 0 && state !== null && state !== chosen.state;
    }
    const found = matching().sort(ORDERS[chosen.order][1]);
    setText(shown, model.connectors ? shownText(found.length, all.length) : "Asking the worker…");
    table.hidden = found.length === 0;
    empty.hidden = !model.connectors || found.length > 0;
    setText(empty, all.length ? "No connector fits the filter." : "There are no connectors yet. Create the first one with “New connector”.");
    keyed(body, found.slice(0, limit), ({ name }) => name, row, (child, connector) => child.show(connector));
    end.hidden = limit >= found.length;
  }

  const element = h(
    "div.view",
    {},
    h("h1.hidden", { tabindex: -1 }, "Connectors"),
    h("section.charts", { "aria-label": "All connectors" }, throughput.element, lag.element),
    h("section.filters", { "aria-label": "Filters" }, search, h("div.chips", { role: "group", "aria-label": "State" }, chips.map(({ chip }) => chip)), order),
    h("section", {}, shown, table, empty, end),
  );
  return { title: "Connectors", element, update, focus: () => search.focus(), leave: () => more.disconnect() };
}

function shownText(found, all) {
  return found === all ? plural(all, "connector") : `${count(found)} of ${plural(all, "connector")}`;
}

/** What the filter looks at. Values of other keys may be secrets. */
function textOf({ name, class: kind, config, workers, type }) {
  return [name, kind, type, config.topics, config.topic, config["topics.regex"], config["topic.prefix"], ...workers].join(" ").toLowerCase();
}

function row(connector) {
  const state = badge(connector.state);
  const detail = h("span.detail");
  const tasks = h("span.tasks");
  const spark = new Sparkline();
  const speed = h("span");
  const lag = h("span.number", { role: "cell", "data-label": "Lag" });
  const worker = h("span.worker", { role: "cell", "data-label": "Worker" });
  const element = h(
    "div.row",
    { role: "row", "data-connector": connector.name },
    h("span.state", { role: "cell" }, state),
    h("span.name", { role: "cell" }, h("a", { href: connectorLink(connector.name) }, connector.name), detail),
    h("span", { role: "cell", "data-label": "Tasks" }, tasks),
    h("span.number.speed", { role: "cell", "data-label": "Records/s" }, spark.element, speed),
    lag,
    worker,
  );
  element.show = (now) => {
    const series = model.series(now.name);
    state.set(now.state);
    setText(detail, `${now.type} · ${simpleName(now.class)}`);
    showTasks(tasks, now);
    spark.update(series.rate.values);
    setText(speed, rate(series.rate.last));
    setText(lag, now.type === "source" ? "" : count(series.lag.last));
    setText(worker, now.workers.length === 1 ? now.workers[0] : plural(now.workers.length, "worker"));
    setAttribute(worker, "title", now.workers.join("\n"));
  };
  return element;
}

/** A mark for each task, or their number if there are many. */
function showTasks(element, connector) {
  const states = connector.tasks.map((task) => task.state.toLowerCase());
  const key = states.join();
  if (element.shown === key) return;
  element.shown = key;
  const counts = STATES.map(([state]) => [state, tasksIn(connector, state.toUpperCase())]).filter(([, number]) => number);
  const text = states.length ? counts.map(([state, number]) => `${number} ${word(state).toLowerCase()}`).join(", ") : "none";
  const marks = states.length <= MARKS ? states.map((state) => h("i", { "data-state": state, "aria-hidden": true })) : [];
  element.replaceChildren(...marks, h("span", { class: marks.length ? "hidden" : null }, text));
  element.title = text;
}

// The workers of the group.

import { Sparkline } from "./chart.js";
import { h, keyed, setAttribute, setText } from "./dom.js";
import { bytes, count, duration, plural, rate } from "./format.js";
import { model } from "./model.js";

/** The view `#/workers`. */
export function workersView() {
  const meta = h("p.muted.meta");
  const warning = h("p.warning", { hidden: true });
  const rows = h("div.rows", { role: "rowgroup" });
  const headings = ["Worker", "Version", "Up for", "Connectors", "Tasks", "Records/s", "Processor", "Memory"];
  const element = h(
    "div.view",
    {},
    h("h1", { tabindex: -1 }, "Workers"),
    meta,
    warning,
    h(
      "div.table.workers-table",
      { role: "table", "aria-label": "Workers" },
      h("div", { role: "rowgroup" }, h("div.head", { role: "row" }, headings.map((text) => h("span", { role: "columnheader" }, text)))),
      rows,
    ),
  );
  const update = () => {
    if (!model.connectors) return;
    const shares = sharesOf(model.connectors.values());
    const known = new Set(model.workers.map(({ worker }) => worker));
    const others = [...shares.keys()].filter((worker) => !known.has(worker)).sort();
    const workers = [...model.workers, ...others.map((worker) => ({ worker, figures: null, error: "Statuses name it; the group does not." }))];
    const cluster = model.cluster?.kafka_cluster_id;
    setText(meta, `${plural(workers.length, "worker")}${cluster ? ` · Kafka cluster ${cluster}` : ""}${model.cluster ? ` · compatible with Kafka Connect ${model.cluster.version.split("-")[0]}` : ""}`);
    warning.hidden = !model.incomplete;
    setText(warning, model.incomplete ?? "");
    keyed(rows, workers, ({ worker }) => worker, ({ worker }) => row(worker), (child, worker) => child.show(worker, shares.get(worker.worker)));
  };
  return { title: "Workers", element, update };
}

/** What statuses say that each worker runs: { connectors, tasks }. */
function sharesOf(connectors) {
  const shares = new Map();
  const share = (worker) => {
    if (!shares.has(worker)) shares.set(worker, { connectors: 0, tasks: 0 });
    return shares.get(worker);
  };
  for (const { connector, tasks } of connectors) {
    share(connector.worker_id).connectors += 1;
    for (const task of tasks) share(task.worker_id).tasks += 1;
  }
  return shares;
}

function row(id) {
  const cell = (label) => h("span", { role: "cell", "data-label": label });
  const marks = h("span.marks");
  const problem = h("span.problem", { hidden: true });
  const [version, up, connectors, tasks] = ["Version", "Up for", "Connectors", "Tasks"].map(cell);
  const measured = (label) => {
    const [spark, text] = [new Sparkline(), h("span")];
    return { spark, text, cell: h("span.speed", { role: "cell", "data-label": label }, spark.element, text) };
  };
  const [speed, processor, memory] = ["Records/s", "Processor", "Memory"].map(measured);
  const element = h(
    "div.row",
    { role: "row", "data-worker": id },
    h("span.name", { role: "cell" }, h("span.worker-id", {}, id), marks, problem),
    version,
    up,
    connectors,
    tasks,
    speed.cell,
    processor.cell,
    memory.cell,
  );
  element.show = ({ worker, figures, error }, share = { connectors: 0, tasks: 0 }) => {
    const series = model.workerSeries(worker);
    const titles = [worker === model.leader && "leader", worker === model.asked && "asked by this page"].filter(Boolean);
    setText(marks, titles.join(" · "));
    problem.hidden = !error;
    setText(problem, error ? `No numbers: ${error}` : "");
    setAttribute(element, "data-silent", figures ? null : "true");
    setText(version, figures ? figures.version.replace(/^.*-tether\./, "") : "–");
    const started = figures?.process.started_seconds;
    setText(up, started ? duration(figures.at / 1000 - started) : "–");
    setText(connectors, count(share.connectors));
    setText(tasks, count(share.tasks));
    show(speed, series.rate, rate);
    show(processor, series.cpu, (value) => (value === null ? "–" : `${Math.round(value * 100)} %`));
    show(memory, series.memory, bytes);
    function show({ spark, text }, { values, last }, format) {
      spark.update(values);
      setText(text, figures ? format(last) : "–");
    }
  };
  return element;
}

// What the page knows of the group, looked at again and again: one request for all
// connectors with their statuses, one for the numbers of all workers.

import * as api from "./api.js";

/** How often the worker is asked, in milliseconds; more rarely if answers take long. */
const INTERVAL = 2000;

/** The part of the time that answers may take. */
const SHARE = 0.1;

/** How many looks a chart goes back. */
export const HISTORY = 180;

/** States in the order of their urgency, and their words. */
export const STATES = [
  ["failed", "Failed"],
  ["unassigned", "Unassigned"],
  ["running", "Running"],
  ["paused", "Paused"],
  ["stopped", "Stopped"],
];

/** A series of numbers, the newest last; null where nothing was known. */
class Series {
  values = [];

  push(value) {
    this.values.push(value);
    if (this.values.length > HISTORY) this.values.shift();
  }

  get last() {
    return this.values.at(-1) ?? null;
  }
}

class Model extends EventTarget {
  /** Connectors by name: { name, type, config, status, state, … }; null at first. */
  connectors = null;
  /** The workers as /ui/data/group lists them. */
  workers = [];
  leader = null;
  asked = null;
  /** Why workers or numbers may be missing. */
  incomplete = null;
  cluster = null;
  /** Why the latest look failed; null if it did not. */
  error = null;
  updated = null;
  /** When each look was, in milliseconds of the browser. */
  times = [];
  total = { rate: new Series(), lag: new Series() };
  #series = new Map();
  #workerSeries = new Map();
  #counters = new Map();
  #tasks = new Map();
  #timer = null;
  #looking = null;

  start() {
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.refresh();
    });
    this.refresh();
  }

  /** Looks now; if a look is under way, once more after it. */
  async refresh() {
    clearTimeout(this.#timer);
    while (this.#looking) await this.#looking;
    this.#looking = this.#look();
    await this.#looking;
    this.#looking = null;
  }

  /** The history of a connector: { rate, lag, errors }. */
  series(name) {
    return entry(this.#series, name, () => ({ rate: new Series(), lag: new Series(), errors: new Series() }));
  }

  /** The history of a worker: { cpu, memory, rate }. */
  workerSeries(id) {
    return entry(this.#workerSeries, id, () => ({ cpu: new Series(), memory: new Series(), rate: new Series() }));
  }

  /** The numbers of a task: { records, lag, errors, retries, rate }, if its worker tells. */
  task(connector, task) {
    return this.#tasks.get(`${task} ${connector}`);
  }

  async #look() {
    const began = performance.now();
    try {
      const [listed, group] = await Promise.all([
        api.get("connectors?expand=info&expand=status"),
        api.get("ui/data/group"),
        this.cluster ? null : api.get("").then((root) => (this.cluster = root)),
      ]);
      this.#takeConnectors(listed);
      this.#takeGroup(group);
      this.error = null;
      this.updated = Date.now();
    } catch (error) {
      this.error = error;
    }
    this.dispatchEvent(new Event("change"));
    clearTimeout(this.#timer);
    const took = performance.now() - began;
    const wait = Math.max(INTERVAL, took / SHARE);
    this.#timer = setTimeout(() => (document.hidden ? null : this.refresh()), wait);
  }

  #takeConnectors(listed) {
    this.connectors = new Map();
    for (const [name, { info, status }] of Object.entries(listed)) {
      const tasks = status.tasks ?? [];
      this.connectors.set(name, {
        name,
        type: info.type,
        class: info.config["connector.class"] ?? "",
        config: info.config,
        connector: status.connector,
        tasks,
        state: stateOf(status.connector, tasks),
        workers: [...new Set([status.connector, ...tasks].map((part) => part.worker_id))].sort(),
      });
    }
    for (const name of this.#series.keys()) if (!this.connectors.has(name)) this.#series.delete(name);
  }

  #takeGroup({ asked, group }) {
    this.asked = asked;
    this.leader = group.leader;
    this.incomplete = group.incomplete;
    this.workers = group.workers;
    this.#tasks.clear();
    const counters = new Map();
    const sums = new Map();
    for (const { worker, figures } of group.workers) {
      if (!figures) continue;
      let workerRate = null;
      for (const task of figures.tasks) {
        const key = `${worker} ${task.task} ${task.connector}`;
        const rate = perSecond(this.#counters.get(key), task.records, figures.at);
        counters.set(key, { value: task.records, at: figures.at });
        workerRate = sum(workerRate, rate);
        this.#tasks.set(`${task.task} ${task.connector}`, { ...task, rate, worker });
        const of = entry(sums, task.connector, () => ({ rate: null, lag: null, errors: 0 }));
        of.rate = sum(of.rate, rate);
        of.lag = sum(of.lag, task.lag);
        of.errors += task.errors;
      }
      const key = `cpu ${worker}`;
      const cpu = perSecond(this.#counters.get(key), figures.process.cpu_seconds, figures.at);
      counters.set(key, { value: figures.process.cpu_seconds, at: figures.at });
      const series = this.workerSeries(worker);
      series.cpu.push(cpu);
      series.memory.push(figures.process.resident_bytes);
      series.rate.push(workerRate);
    }
    this.#counters = counters;
    this.times.push(Date.now());
    if (this.times.length > HISTORY) this.times.shift();
    let [rate, lag] = [null, null];
    for (const name of this.connectors.keys()) {
      const of = sums.get(name) ?? { rate: null, lag: null, errors: null };
      const series = this.series(name);
      series.rate.push(of.rate);
      series.lag.push(of.lag);
      series.errors.push(of.errors);
      rate = sum(rate, of.rate);
      lag = sum(lag, of.lag);
    }
    this.total.rate.push(rate);
    this.total.lag.push(lag);
  }
}

function entry(map, key, make) {
  let found = map.get(key);
  if (!found) map.set(key, (found = make()));
  return found;
}

function sum(a, b) {
  return a === null ? b : a + (b ?? 0);
}

/** How fast a counter grows, by the worker's own clock; null if it began anew. */
function perSecond(before, value, at) {
  if (!before || value === null || before.value === null || value < before.value || at <= before.at) return null;
  return ((value - before.value) * 1000) / (at - before.at);
}

/** One word for a connector and its tasks: what fails counts most. */
function stateOf(connector, tasks) {
  const states = [connector, ...tasks].map((part) => part.state);
  if (states.includes("FAILED")) return "failed";
  if (connector.state === "STOPPED" || connector.state === "PAUSED") return connector.state.toLowerCase();
  if (states.includes("UNASSIGNED")) return "unassigned";
  if (states.includes("RESTARTING")) return "unassigned";
  return connector.state.toLowerCase();
}

/** The number of tasks in a state. */
export const tasksIn = ({ tasks }, state) => tasks.filter((task) => task.state === state).length;

export const model = new Model();

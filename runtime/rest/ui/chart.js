// Lines over time. The drawing is stretched to its box; texts stand beside it, so that
// they are not.

import { h, setAttribute, setText, svg } from "./dom.js";
import { duration } from "./format.js";
import { model } from "./model.js";

const WIDTH = 600;
const HEIGHT = 100;

/** How many looks a drawing has room for: it grows with them, from a minute on. */
const slots = (values) => Math.max(30, values.length);

/** The points of a line: pieces between which nothing is known. */
function pieces(values, top, width, height) {
  const step = width / (slots(values) - 1);
  const offset = slots(values) - values.length;
  const found = [];
  let piece = null;
  values.forEach((value, index) => {
    if (value === null) {
      piece = null;
      return;
    }
    if (!piece) found.push((piece = []));
    const y = height - (Math.min(value, top) / top) * height;
    piece.push([(offset + index) * step, y]);
  });
  return found;
}

const point = ([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`;

function linePath(found) {
  return found.map((piece) => `M${piece.map(point).join("L")}`).join("");
}

function areaPath(found, height) {
  return found.map((piece) => `M${point([piece[0][0], height])}L${piece.map(point).join("L")}L${point([piece.at(-1)[0], height])}Z`).join("");
}

/** The next number at or above this one that reads well: 1, 2 or 5 with zeros. */
function roundedUp(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= value);
}

/** A chart with a title, the latest value and one under the pointer. */
export class Chart {
  #values = [];

  constructor(title, format, unit, kind = "rate") {
    this.title = title;
    this.format = format;
    this.unit = unit;
    this.area = svg("path", { class: "area" });
    this.line = svg("path", { class: "line", "vector-effect": "non-scaling-stroke" });
    this.mark = svg("line", { class: "mark", y1: 0, y2: HEIGHT, visibility: "hidden", "vector-effect": "non-scaling-stroke" });
    const grid = [0, 0.5, 1].map((part) =>
      svg("line", { class: "grid", x1: 0, x2: WIDTH, y1: part * HEIGHT, y2: part * HEIGHT, "vector-effect": "non-scaling-stroke" }),
    );
    this.drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" }, grid, this.area, this.line, this.mark);
    this.value = h("output.chart-value");
    this.top = h("span.chart-top");
    this.middle = h("span.chart-middle");
    const bottom = h("span.chart-bottom", {}, "0");
    this.since = h("span");
    this.element = h(
      `figure.chart.${kind}`,
      {},
      h("figcaption", {}, h("span.chart-title", {}, title), this.value),
      h(
        "div.chart-box",
        { on: { pointermove: (event) => this.#point(event), pointerleave: () => this.#leave() } },
        this.drawing,
        this.top,
        this.middle,
        bottom,
      ),
      h("div.chart-time", { "aria-hidden": true }, this.since, h("span", {}, "now")),
    );
  }

  update(values) {
    this.#values = values;
    const known = values.filter((value) => value !== null);
    const top = roundedUp(Math.max(0, ...known));
    const found = pieces(values, top, WIDTH, HEIGHT);
    this.line.setAttribute("d", linePath(found));
    this.area.setAttribute("d", areaPath(found, HEIGHT));
    setText(this.top, this.format(top));
    setText(this.middle, top > 1 ? this.format(top / 2) : "");
    const covered = known.length > 1 ? (Date.now() - model.times[0]) / 1000 : 0;
    setText(this.since, covered ? `${duration(covered)} seen` : "Collecting…");
    const last = values.at(-1) ?? null;
    if (!this.pointed) setText(this.value, this.#reading(last));
    const most = known.length ? this.format(Math.max(...known)) : "unknown";
    setAttribute(this.drawing, "aria-label", `${this.title}: now ${this.#reading(last)}, at most ${most}`);
  }

  #reading(value) {
    return value === null ? this.format(null) : `${this.format(value)}${this.unit}`;
  }

  #point(event) {
    const box = this.drawing.getBoundingClientRect();
    const part = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    const last = slots(this.#values) - 1;
    const slot = Math.round(part * last);
    const index = slot - (last + 1 - this.#values.length);
    const value = this.#values[index];
    if (value === undefined || value === null) return this.#leave();
    this.pointed = true;
    setAttribute(this.mark, "x1", (slot / last) * WIDTH);
    setAttribute(this.mark, "x2", (slot / last) * WIDTH);
    setAttribute(this.mark, "visibility", "visible");
    const at = model.times[model.times.length - (this.#values.length - index)];
    const ago = at ? ` · ${duration((Date.now() - at) / 1000)} ago` : "";
    setText(this.value, `${this.#reading(value)}${ago}`);
  }

  #leave() {
    this.pointed = false;
    setAttribute(this.mark, "visibility", "hidden");
    setText(this.value, this.#reading(this.#values.at(-1) ?? null));
  }
}

/** A line in a row of a table; the number beside it says what counts. */
export class Sparkline {
  constructor() {
    this.line = svg("path", { class: "line", "vector-effect": "non-scaling-stroke" });
    this.element = svg("svg", { class: "spark", viewBox: "0 0 90 22", preserveAspectRatio: "none", "aria-hidden": true }, this.line);
  }

  update(values) {
    const top = Math.max(1, ...values.filter((value) => value !== null));
    this.line.setAttribute("d", linePath(pieces(values, top * 1.1, 90, 21)));
  }
}

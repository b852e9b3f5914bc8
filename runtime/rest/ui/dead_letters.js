// The newest records that a connector put aside.

import * as api from "./api.js";
import { h } from "./dom.js";
import { read } from "./failures.js";
import { bytes, moment, plural, simpleName, UNKNOWN } from "./format.js";
import { model } from "./model.js";

const CONTEXT = "__connect.errors.";

/** The topic that a connector puts records in that it cannot process; empty if none. */
export function deadLetterTopic(config) {
  return (config["errors.deadletterqueue.topic.name"] ?? config["errors.source.deadletterqueue.topic.name"] ?? "").trim();
}

/** The tab “Dead letters”. */
export function deadLettersPart(name) {
  const element = h("section", { "aria-label": "Dead letters" });
  let topic = null;
  const update = () => {
    const now = deadLetterTopic(model.connectors.get(name).config);
    if (now === topic) return;
    topic = now;
    if (topic) load();
    else element.replaceChildren(h("p.empty", {}, "The connector has no dead letter queue. With errors.tolerance=all and errors.deadletterqueue.topic.name, records that cannot be processed are kept there."));
  };

  async function load() {
    element.setAttribute("aria-busy", "true");
    if (!element.firstChild) element.replaceChildren(h("p.empty", {}, "Reading the topic…"));
    try {
      show(await api.get(`ui/data/connectors/${api.segment(name)}/dead-letters`));
    } catch (error) {
      element.replaceChildren(h("p.problem", { role: "alert" }, error.message), again("Try again"));
    }
    element.removeAttribute("aria-busy");
  }

  const again = (text) => h("button", { type: "button", on: { click: load } }, text);

  function show({ topic: found, letters, complete }) {
    element.replaceChildren(
      h(
        "p.muted",
        {},
        letters.length ? `The newest ${plural(letters.length, "record")} of the topic ` : "There is no record in the topic ",
        h("code", {}, found),
        complete ? "." : ". There was not the time to read all of its partitions.",
      ),
      h("ol.letters", {}, letters.map(letter)),
      h("div.buttons", {}, again("Look again")),
    );
  }

  return { element, update };
}

function letter(record) {
  const context = new Map(record.headers.filter(({ name }) => name.startsWith(CONTEXT)).map(({ name, value }) => [name.slice(CONTEXT.length), value?.text]));
  const get = (name) => context.get(name) ?? null;
  const own = record.headers.filter(({ name }) => !name.startsWith(CONTEXT));
  const origin = get("topic") && `${get("topic")}-${get("partition") ?? "?"}@${get("offset") ?? "?"}`;
  const reason = reasonOf(get);
  const facts = [
    ["Came from", origin],
    ["Task", get("task.id") && `${get("connector.name") ?? ""} ${get("task.id")}`.trim()],
    ["Stage", get("stage")],
    ["Stands at", `${record.partition}@${record.offset}`],
  ].filter(([, value]) => value);
  return h(
    "li.letter",
    {},
    h(
      "details",
      {},
      h(
        "summary",
        {},
        h("span.letter-time", {}, moment(record.timestamp)),
        h("span.letter-reason", {}, reason || "Its headers do not tell what failed (errors.deadletterqueue.context.headers.enable)"),
        h("span.muted.letter-origin", {}, [get("stage"), origin].filter(Boolean).join(" · ")),
      ),
      h("dl", {}, facts.map(([label, value]) => [h("dt", {}, label), h("dd", {}, value)])),
      content("Key", record.key),
      content("Value", record.value),
      own.length ? h("h4", {}, "Headers") : null,
      own.map(({ name, value }) => content(name, value)),
      get("exception.stacktrace") ? [h("h4", {}, "Trace"), h("pre", { tabindex: 0 }, get("exception.stacktrace"))] : null,
    ),
  );
}

/** Class and message of the exception, and that of its cause where it only leads to it. */
function reasonOf(get) {
  const reason = [simpleName(get("exception.class.name") ?? ""), get("exception.message")].filter((part) => part && part !== UNKNOWN).join(": ");
  const cause = read(get("exception.stacktrace") ?? "").causes.at(-1);
  return reason.trimEnd().endsWith(":") && cause ? `${reason.trimEnd()} ${cause.replace(/^[\w.$]+: /, "")}` : reason;
}

function content(label, value) {
  const size = value && `${bytes(value.length)}${value.cut ? ", of which this is the beginning" : ""}${value.hex === undefined ? "" : ", as hexadecimal numbers"}`;
  return h(
    "div.content",
    {},
    h("h4", {}, label, value && h("span.muted", {}, ` ${size}`)),
    value ? h("pre", { tabindex: 0 }, value.text ?? dump(value.hex)) : h("p.muted", {}, "null"),
  );
}

/** Sixteen bytes on a line: place, numbers, characters. */
function dump(hex) {
  const lines = [];
  for (let at = 0; at < hex.length; at += 32) {
    const numbers = hex.slice(at, at + 32).match(/../g);
    const characters = numbers.map((number) => {
      const code = parseInt(number, 16);
      return code >= 32 && code < 127 ? String.fromCharCode(code) : "·";
    });
    lines.push(`${(at / 2).toString(16).padStart(6, "0")}  ${numbers.join(" ").padEnd(47)}  ${characters.join("")}`);
  }
  return lines.join("\n");
}

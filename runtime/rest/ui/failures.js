// Why something failed, and what to do about it.

import { h } from "./dom.js";

/** What a trace tells: { summary, causes }, the first line and those of its causes. */
export function read(trace) {
  const lines = trace.split("\n");
  const causes = lines.filter((line) => line.startsWith("Caused by: ")).map((line) => line.slice("Caused by: ".length));
  const plan = lines.findLast((line) => line.startsWith("Automatic restart"));
  return { summary: lines[0], causes, plan };
}

const ADVICE = [
  [
    /unable to locate|could not be found|no such class|find any class|unknown connector class/i,
    "This worker does not have the class. Look for its name in the list of plugins, or let a worker run the connector that has it.",
  ],
  [
    /tolerance exceeded|converting byte|deserializ|DataException|SerializationException|unknown magic byte/i,
    "A record cannot be read or converted. Compare the converters of the connector with the format of its topic. To go on without such records, set errors.tolerance=all, and errors.deadletterqueue.topic.name to keep them.",
  ],
  [
    /authentication failed|not authorized|authorization|access denied|permission denied|password/i,
    "The other side does not accept this user. Check the user name, the password and the rights in the configuration.",
  ],
  [
    /refused|timed out|timeout|unreachable|could not connect|failed to connect|no route|unknown host|dns|resolve/i,
    "The other side does not answer. Check that it runs, and that this worker reaches the host and the port in the configuration.",
  ],
  [
    /no such file|not found|does not exist|unknown topic/i,
    "Something that the configuration names is not there. Create it, or correct the name.",
  ],
];

/** What to do about a failed task, or connector. */
export function advice(trace, isTask) {
  const known = ADVICE.find(([pattern]) => pattern.test(trace));
  const next =
    isTask
      ? "Once the cause is gone, restart the task: it goes on from its last committed offsets, so that nothing is lost."
      : "Once the cause is gone, restart the connector; saving a corrected configuration does that, too.";
  return known ? [known[1], next] : [next];
}

/** A panel about a failure; `actions` are the buttons for it. */
export function failurePanel(heading, worker, trace, isTask, actions) {
  const { summary, causes, plan } = read(trace || "The worker gave no reason.");
  return h(
    "article.failure",
    {},
    h("header", {}, h("h3", {}, heading), h("span.muted", {}, `on ${worker}`)),
    h("p.reason", {}, causes.at(-1) ?? summary),
    causes.length ? h("p.muted.context", {}, summary) : null,
    h("div.advice", {}, h("h4", {}, "What to do"), advice(trace, isTask).map((text) => h("p", {}, text)), plan && h("p", {}, plan)),
    h("div.buttons", {}, actions),
    h("details", {}, h("summary", {}, "Whole trace"), h("pre", { tabindex: 0 }, trace)),
  );
}

// The configuration of a connector, to be read.

import { h, memo } from "./dom.js";
import { model } from "./model.js";
import { definitions, isSecret } from "./secrets.js";

/** The tab “Configuration”. */
export function configurationPart(name) {
  const element = h("section", { "aria-label": "Configuration" });
  let known = null;
  const update = () => {
    const connector = model.connectors?.get(name);
    if (!connector) return;
    if (!known || known.plugin !== connector.class) {
      // Nothing is shown before it is known what is a secret.
      const plugin = connector.class;
      definitions(plugin).then((keys) => {
        known = { plugin, keys };
        update();
      });
      return;
    }
    memo(element, connector.config, () => table(connector.config, known.keys));
  };
  return { element, update };
}

function table(config, keys) {
  const names = Object.keys(config).sort();
  return h(
    "table.settings",
    {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Key"), h("th", { scope: "col" }, "Value"))),
    h(
      "tbody",
      {},
      names.map((key) => {
        const definition = keys.get(key);
        return h(
          "tr",
          {},
          h("th", { scope: "row", title: definition?.documentation }, key),
          h("td", {}, shown(config[key], isSecret(key, definition, config[key]))),
        );
      }),
    ),
  );
}

function shown(value, secret) {
  if (secret) return h("span.masked", {}, "hidden");
  if (value === "") return h("span.muted", {}, "empty");
  return h("code", {}, value);
}

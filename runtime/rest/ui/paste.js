// A configuration that is there already as JSON.

import { prompt } from "./dialog.js";
import { simpleName } from "./format.js";
import * as json from "./json.js";
import { failed } from "./notice.js";

/** Asks for a configuration, and fills in the form. `listed` is done when the plugins can be chosen. */
export async function pasted(form, plugin, name, listed) {
  const text = await prompt({ title: "Paste JSON", text: "A configuration, or a request that creates a connector.", action: "Take over", placeholder: '{"name": "orders", "config": {"connector.class": "…"}}' });
  if (text === null) return;
  try {
    const config = configIn(text);
    await listed;
    if (config.name) name.value = config.name;
    const wanted = config["connector.class"];
    if (wanted) {
      const options = [...plugin.options].map((option) => option.value);
      const found = options.find((known) => known === wanted || simpleName(known) === wanted || simpleName(known) === `${wanted}Connector`);
      if (!found) throw new Error(`this worker has no plugin ${wanted}`);
      plugin.value = found;
      await form.open(found);
    }
    form.take(config);
    form.check();
  } catch (error) {
    failed("That could not be taken over", error);
  }
}

/** The configuration in a text: flat, or in a request that creates a connector. */
function configIn(text) {
  let value = json.parse(text);
  if (!(value instanceof Map)) throw new Error("it has to be an object");
  const name = value.get("name");
  if (value.get("config") instanceof Map) {
    value = value.get("config");
    if (typeof name === "string") value.set("name", name);
  }
  const config = {};
  for (const [key, item] of value) {
    if (item === null) continue;
    if (item instanceof Map || Array.isArray(item)) throw new Error(`the value of ${key} has to be a text or a number`);
    config[key] = item instanceof json.Numeral ? item.text : String(item);
  }
  return config;
}

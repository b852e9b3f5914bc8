// Which values are never shown. The definition of a key says that it is a password;
// others go by their names, for overrides of clients and settings of plugins have
// secrets as well, and by passwords within their values, as addresses have them.

import * as api from "./api.js";

const NAMES = /passw|secret|token|credential|private|jaas|api[._-]?key|access[._-]?key|user[._-]?info|keystore\.key|passphrase/i;

const WITHIN = /:\/\/[^\s/@]*:[^\s/@]+@|\b(password|passwd|secret|token)\s*=/i;

const plugins = new Map();

/** The definitions of a plugin's keys, by name; empty for a class that is not here. */
export function definitions(plugin) {
  let found = plugins.get(plugin);
  if (!found) {
    found = api.get(`connector-plugins/${api.segment(plugin)}/config`).then(
      (keys) => new Map(keys.map((key) => [key.name, key])),
      () => {
        plugins.delete(plugin);
        return new Map();
      },
    );
    plugins.set(plugin, found);
  }
  return found;
}

/** Whether the value of a key must not be shown; one that only names where the secret is may be. */
export function isSecret(name, definition, value = "") {
  if (/^\$\{[^}]*\}$/.test(value)) return false;
  const isPlain = ["BOOLEAN", "INT", "LONG", "SHORT", "DOUBLE"].includes(definition?.type);
  return definition?.type === "PASSWORD" || (NAMES.test(name) && !isPlain) || WITHIN.test(value);
}

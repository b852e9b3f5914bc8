// Creating a connector and changing its configuration. The form is what the plugin
// says of its keys; the worker checks it while it is filled in.

import * as api from "./api.js";
import { h, setText } from "./dom.js";
import { prompt } from "./dialog.js";
import { Field } from "./field.js";
import { plural, simpleName } from "./format.js";
import { connectorLink } from "./links.js";
import { model } from "./model.js";
import { done, failed } from "./notice.js";
import { pasted } from "./paste.js";
import { definitions } from "./secrets.js";

/** How long after the last change the worker is asked, in milliseconds. */
const PAUSE = 300;

/** Keys that have places of their own. */
const OWN = new Set(["name", "connector.class"]);

/** The view `#/new`. */
export function newView() {
  const form = new Form({}, false);
  const plugin = h("select", { id: "plugin", "aria-describedby": "plugin-note" }, h("option", { value: "" }, "Choose a plugin"));
  const name = new Field("name", { documentation: "Unique in the group of workers. It cannot be changed later.", required: true, type: "STRING" }, undefined, () => form.check());
  const start = h("select", { id: "initial-state" }, [["RUNNING", "Running"], ["PAUSED", "Paused"], ["STOPPED", "Stopped"]].map(([value, label]) => h("option", { value }, label)));
  plugin.addEventListener("change", () => form.open(plugin.value));
  const listed = api.get("connector-plugins").then(
    (plugins) => {
      for (const type of ["source", "sink"]) {
        const group = h("optgroup", { label: type === "source" ? "Sources" : "Sinks" });
        for (const found of plugins.filter((one) => one.type === type)) group.append(h("option", { value: found.class }, `${simpleName(found.class)} ${found.version ?? ""} (${found.class})`));
        plugin.append(group);
      }
    },
    (error) => failed("The plugins could not be listed", error),
  );
  form.name = name;
  const paste = h("button", { type: "button", "data-action": "paste", on: { click: () => pasted(form, plugin, name, listed) } }, "Paste JSON");
  const head = h(
    "section.form-head",
    { "aria-label": "What to create" },
    h("div.field", {}, h("div.field-text", {}, h("label", { for: "plugin" }, "connector.class", h("span.required", {}, " required")), h("p.doc", { id: "plugin-note" }, "What this worker has. Or paste a configuration.")), h("div.field-value", {}, plugin, paste)),
    name.element,
    h("div.field", {}, h("div.field-text", {}, h("label", { for: "initial-state" }, "Begin as")), h("div.field-value", {}, start)),
  );
  form.submit = async (config) => {
    await api.post("connectors", { name: config.name, config, initial_state: start.value });
    done(`${config.name} is created`);
    return config.name;
  };
  return form.view("New connector", "New connector", head, "Create", "#/");
}

/** The view `#/connectors/NAME/edit`. */
export function editView(name) {
  const form = new Form({}, true);
  const head = h("section.form-head", {});
  // The configuration as it is now, not as it was at the latest look.
  const begin = async () => {
    try {
      const config = await api.get(`${api.connectorPath(name)}/config`);
      form.original = config;
      head.replaceChildren(h("p.muted", {}, `${config["connector.class"]}. Values that are secret are not shown, and stay as they are unless another one is typed.`));
      await form.open(config["connector.class"] ?? "");
    } catch (error) {
      head.replaceChildren(h("p.problem", { role: "alert" }, error.message));
    }
  };
  begin();
  form.submit = async () => {
    // Only what was changed here: what others change meanwhile stays.
    const changes = Object.fromEntries(form.changes().map((field) => [field.key, field.value ?? null]));
    await api.patch(`${api.connectorPath(name)}/config`, changes);
    done(`${name} is changed: ${Object.keys(changes).join(", ")}`);
    return name;
  };
  return form.view(`Edit ${name}`, `Edit ${name}`, head, "Save", connectorLink(name));
}

class Form {
  fields = new Map();
  name = null;
  #attempted = false;
  #timer = null;
  #round = 0;

  constructor(original, editing) {
    this.original = original;
    this.editing = editing;
    this.essential = true;
    this.groups = h("div.groups");
    this.status = h("p.form-status", { role: "status" });
    this.strays = h("ul.problem", { role: "alert", hidden: true });
    this.filter = h("input", { type: "search", placeholder: "Find a key", "aria-label": "Find a key", spellcheck: "false", on: { input: () => this.#arrange() } });
    this.all = h("button.chip", { type: "button", "aria-pressed": "false", on: { click: () => this.#toggleAll() } }, "All keys");
    this.tools = h("section.filters", { "aria-label": "Keys", hidden: true }, this.filter, this.all, h("button", { type: "button", on: { click: () => this.#addKey() } }, "Add a key"));
  }

  view(title, heading, head, action, back) {
    this.button = h("button.primary", { type: "submit", "data-action": "save" }, action);
    const form = h(
      "form.view.form",
      { novalidate: true, on: { submit: (event) => this.#submit(event) } },
      h("h1", { tabindex: -1 }, heading),
      head,
      this.tools,
      this.strays,
      this.groups,
      h("div.form-end", {}, this.status, h("div.buttons", {}, h("a.button", { href: back }, "Cancel"), this.button)),
    );
    return { title, element: form, update: () => {}, leave: () => clearTimeout(this.#timer) };
  }

  /** Makes the fields of a plugin. Values that are there already stay. */
  async open(plugin) {
    this.plugin = plugin;
    const values = this.editing ? this.original : this.#typed();
    this.fields.clear();
    this.tools.hidden = !plugin;
    if (!plugin) return this.#arrange();
    const known = await definitions(plugin);
    for (const definition of known.values()) if (!OWN.has(definition.name)) this.#add(definition.name, definition);
    for (const key of Object.keys(values)) if (!OWN.has(key) && !this.fields.has(key)) this.#add(key, null);
    if (!this.editing) for (const [key, value] of Object.entries(values)) if (this.fields.has(key)) this.fields.get(key).value = value;
    this.#arrange();
    await this.#validate();
  }

  #typed() {
    return Object.fromEntries([...this.fields.values()].filter((field) => field.touched && field.value !== undefined).map((field) => [field.key, field.value]));
  }

  #add(key, definition) {
    const field = new Field(key, definition, this.original[key], () => this.check());
    this.fields.set(key, field);
    return field;
  }

  /** Fields that are to be stored otherwise than they are. */
  changes() {
    return [...this.fields.values()].filter((field) => field.isChanged);
  }

  config() {
    const config = { "connector.class": this.plugin };
    const name = this.editing ? this.original.name : this.name.value;
    if (name !== undefined) config.name = name;
    for (const field of this.fields.values()) if (field.value !== undefined) config[field.key] = field.value;
    return config;
  }

  /** Asks the worker a moment after the last change. */
  check() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#validate(), PAUSE);
  }

  async #validate() {
    if (!this.plugin) return false;
    clearTimeout(this.#timer);
    const round = (this.#round += 1);
    setText(this.status, "Checking…");
    let found;
    try {
      found = await api.put(`connector-plugins/${api.segment(this.plugin)}/config/validate`, this.config());
    } catch (error) {
      if (round === this.#round) setText(this.status, `Not checked: ${error.message}`);
      return false;
    }
    // A later question is under way.
    if (round !== this.#round) return false;
    this.#take(found);
    return found.error_count === 0;
  }

  #take({ configs, error_count: count }) {
    const values = new Map(configs.filter(({ value }) => value).map(({ value }) => [value.name, value]));
    // Keys appear with others: those of a transformation with its name.
    for (const { definition } of configs) {
      if (!definition || OWN.has(definition.name)) continue;
      const known = this.fields.get(definition.name);
      if (known?.definition) continue;
      const field = this.#add(definition.name, definition);
      if (known?.touched && known.value !== undefined) field.value = known.value;
    }
    for (const [key, field] of this.fields) field.judge(values.get(key));
    this.name?.judge(values.get("name"));
    const strays = [...values.values()].filter(({ name, errors }) => errors?.length && !this.fields.has(name) && !(name === "name" && this.name));
    this.strays.hidden = !strays.length;
    this.strays.replaceChildren(...strays.map(({ name, errors }) => h("li", {}, `${name}: ${errors.join(" ")}`)));
    this.#arrange();
    const changes = this.editing ? `${plural(this.changes().length, "change")}. ` : "";
    setText(this.status, `${changes}${count ? `${plural(count, "error")} to correct` : "No errors"}`);
  }

  /** Puts the fields that are to be seen into their groups, without touching one that has the focus. */
  #arrange() {
    const words = this.filter.value.toLowerCase().trim();
    const groups = new Map();
    for (const field of this.fields.values()) {
      const group = field.definition ? (field.definition.group ?? "Connector") : "Other keys";
      if (!groups.has(group)) groups.set(group, []);
      groups.get(group).push(field);
    }
    const focused = document.activeElement;
    const sections = [...groups].map(([group, fields]) => {
      let section = [...this.groups.children].find((known) => known.dataset.group === group);
      section ??= h("section.group", { "data-group": group, "aria-label": group }, h("h2", {}, group));
      const known = [...section.children].slice(1);
      const wanted = fields.map((field) => field.element);
      if (known.length !== wanted.length || known.some((child, index) => child !== wanted[index])) section.replaceChildren(section.firstChild, ...wanted);
      let visible = 0;
      for (const field of fields) {
        const fits = words ? field.key.toLowerCase().includes(words) || field.definition?.documentation?.toLowerCase().includes(words) : !this.essential || field.isEssential || field.element.contains(focused);
        field.element.hidden = !fits;
        visible += Number(Boolean(fits));
        field.show(this.#attempted || this.editing);
      }
      section.hidden = !visible;
      return section;
    });
    const order = [...this.groups.children];
    if (order.length !== sections.length || order.some((child, index) => child !== sections[index])) this.groups.replaceChildren(...sections);
    if (focused && focused !== document.activeElement && focused.isConnected) focused.focus();
    this.name?.show(this.#attempted);
  }

  #toggleAll() {
    this.essential = !this.essential;
    this.all.setAttribute("aria-pressed", String(!this.essential));
    this.#arrange();
  }

  async #addKey() {
    const text = await prompt({ title: "Add a key", text: "A key that the plugin does not list, such as a setting of a converter or an override of a client (consumer.override.…).", action: "Add", placeholder: "producer.override.linger.ms" });
    const key = text?.trim();
    if (!key || OWN.has(key)) return;
    const field = this.fields.get(key) ?? this.#add(key, null);
    field.touched = true;
    this.#arrange();
    field.input.focus();
  }

  /** Takes values of a configuration, as if they were typed. */
  take(config) {
    for (const [key, value] of Object.entries(config)) {
      if (OWN.has(key)) continue;
      (this.fields.get(key) ?? this.#add(key, null)).value = value;
    }
    this.#arrange();
  }

  async #submit(event) {
    event.preventDefault();
    this.#attempted = true;
    if (!this.plugin) {
      document.getElementById("plugin")?.focus();
      return setText(this.status, "Choose a plugin first.");
    }
    this.button.disabled = true;
    try {
      if (!(await this.#validate())) return this.#focusFirst();
      if (!this.editing && this.name.value === undefined) {
        this.name.judge({ errors: ["The connector needs a name."] });
        this.name.show(true);
        return this.name.input.focus();
      }
      if (this.editing && !this.changes().length) return setText(this.status, "Nothing has changed.");
      const name = await this.submit(this.config());
      location.hash = connectorLink(name);
      model.refresh();
    } catch (error) {
      failed(this.editing ? "It was not saved" : "It was not created", error);
    } finally {
      this.button.disabled = false;
    }
  }

  #focusFirst() {
    const wrong = [this.name, ...this.fields.values()].find((field) => field?.errors.length);
    if (!wrong) return;
    wrong.element.hidden = false;
    wrong.input.focus();
  }
}

// One key of a connector's configuration in a form.

import { h, setAttribute } from "./dom.js";
import { isSecret } from "./secrets.js";

let number = 0;

/** A field. A secret that is there already is not in the document: it is kept unless another one is typed. */
export class Field {
  errors = [];
  touched = false;
  #original;
  #removed = false;

  /** `definition` is null for a key that nothing is known of; `original` undefined if it is not set. */
  constructor(key, definition, original, changed) {
    this.key = key;
    this.definition = definition;
    this.#original = original;
    this.secret = isSecret(key, definition, original);
    const id = `field-${(number += 1)}`;
    this.input = this.#makeInput(id);
    this.problem = h("p.problem", { id: `${id}-problem`, hidden: true });
    const documentation = definition?.documentation;
    const doc = documentation && h("p.doc", { id: `${id}-doc` }, marked(documentation));
    this.input.setAttribute("aria-describedby", [doc && `${id}-doc`, `${id}-problem`].filter(Boolean).join(" "));
    this.options = h("datalist", { id: `${id}-options` });
    this.element = h(
      "div.field",
      { "data-key": key },
      h("div.field-text", {}, h("label", { for: id }, key, definition?.required && h("span.required", {}, " required")), doc),
      h("div.field-value", {}, this.input, this.options, this.#removal(changed), this.problem),
    );
    this.element.addEventListener("input", () => {
      this.touched = true;
      this.#removed = false;
      changed();
    });
    this.element.addEventListener("focusout", () => this.show(false));
  }

  #makeInput(id) {
    const original = this.#original;
    const fallback = this.definition?.default_value ?? null;
    if (this.definition?.type === "BOOLEAN" && [undefined, "true", "false"].includes(original)) {
      const select = h("select", { id }, h("option", { value: "" }, fallback === null ? "not set" : `default (${fallback})`), h("option", { value: "true" }, "true"), h("option", { value: "false" }, "false"));
      select.value = original ?? "";
      return select;
    }
    const common = { id, spellcheck: "false", autocomplete: "off", autocapitalize: "off", "data-1p-ignore": true };
    if (this.secret) {
      // Keys and certificates have several lines.
      const placeholder = original === undefined ? (fallback ?? "") : "set; leave empty to keep it";
      return h("textarea.secret", { ...common, rows: 1, placeholder });
    }
    const value = original ?? "";
    if (value.includes("\n")) return h("textarea.mono", { ...common, rows: Math.min(12, value.split("\n").length), value });
    const numeric = ["INT", "LONG", "SHORT"].includes(this.definition?.type);
    return h("input", { ...common, type: "text", inputmode: numeric ? "numeric" : null, placeholder: fallback || null, value });
  }

  /** A way to delete a secret, which an empty field does not. */
  #removal(changed) {
    if (!this.secret || this.#original === undefined) return null;
    const button = h("button.quiet", {
      type: "button",
      "aria-label": `Remove ${this.key}`,
      on: {
        click: () => {
          this.#removed = !this.#removed;
          this.touched = true;
          this.input.value = "";
          this.input.placeholder = this.#removed ? "will be removed" : "set; leave empty to keep it";
          button.textContent = this.#removed ? "Keep" : "Remove";
          changed();
        },
      },
    }, "Remove");
    return button;
  }

  /** What the configuration is to have; undefined for nothing. */
  get value() {
    if (!this.touched) return this.#original;
    if (this.secret && this.input.value === "" && !this.#removed) return this.#original;
    return this.input.value === "" ? undefined : this.input.value;
  }

  /** Sets another value, as if it were typed. */
  set value(text) {
    if (!this.secret && text.includes("\n") && this.input.tagName !== "TEXTAREA") {
      const described = this.input.getAttribute("aria-describedby");
      const area = h("textarea.mono", { id: this.input.id, rows: Math.min(12, text.split("\n").length), spellcheck: "false", "aria-describedby": described });
      this.input.replaceWith(area);
      this.input = area;
    }
    this.input.value = text;
    this.touched = true;
  }

  get isChanged() {
    return this.value !== this.#original;
  }

  /** Whether it is among the first that a person needs. */
  get isEssential() {
    const { required, importance } = this.definition ?? {};
    return !this.definition || required || importance === "HIGH" || this.value !== undefined || this.touched || this.errors.length > 0;
  }

  /** Takes what validation says. */
  judge({ errors = [], recommended_values: recommended = [] } = {}) {
    this.errors = errors;
    if (this.input.tagName === "INPUT" && this.recommended !== recommended.join()) {
      this.recommended = recommended.join();
      this.options.replaceChildren(...recommended.map((value) => h("option", { value })));
      setAttribute(this.input, "list", recommended.length ? this.options.id : null);
    }
  }

  /** Shows its errors: those of a field that nobody has filled in yet only if asked to. */
  show(all) {
    const visible = this.errors.length > 0 && (all || this.touched);
    this.problem.hidden = !visible;
    const text = visible ? this.errors.join("\n") : "";
    if (this.problem.textContent !== text) this.problem.textContent = text;
    setAttribute(this.input, "aria-invalid", visible ? "true" : null);
  }
}

/** Documentation, with words between double backquotes as code. */
function marked(text) {
  return text.split("``").map((part, index) => (index % 2 ? h("code", {}, part) : part));
}

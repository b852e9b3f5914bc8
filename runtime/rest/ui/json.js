// JSON whose numbers stay as they are written. Offsets have numbers of 64 bits, such
// as positions in a log, which JavaScript would round.

/** A number as it is written. */
export class Numeral {
  constructor(text) {
    this.text = text;
  }
}

/** Reads JSON. Throws a SyntaxError that says what is wrong and where. */
export function parse(text) {
  // The built-in reader knows the grammar, and words its errors better.
  JSON.parse(text);
  let at = 0;
  const blank = () => {
    while (" \t\r\n".includes(text[at]) && at < text.length) at += 1;
  };
  const string = () => {
    const start = at;
    for (at += 1; text[at] !== '"'; at += 1) if (text[at] === "\\") at += 1;
    at += 1;
    return JSON.parse(text.slice(start, at));
  };
  const list = (end, item) => {
    at += 1;
    blank();
    while (text[at] !== end) {
      item();
      blank();
      if (text[at] === ",") at += 1;
      blank();
    }
    at += 1;
  };
  const value = () => {
    blank();
    switch (text[at]) {
      case '"':
        return string();
      case "{": {
        const entries = new Map();
        list("}", () => {
          const key = string();
          blank();
          at += 1;
          entries.set(key, value());
        });
        return entries;
      }
      case "[": {
        const items = [];
        list("]", () => items.push(value()));
        return items;
      }
      default: {
        const [word] = /^[-+.\w]+/.exec(text.slice(at));
        at += word.length;
        if (word === "null") return null;
        if (word === "true" || word === "false") return word === "true";
        return new Numeral(word);
      }
    }
  };
  return value();
}

/** Writes what `parse` has read, objects as Maps, on one line. */
export function write(value) {
  if (value instanceof Numeral) return value.text;
  if (value instanceof Map) {
    const entries = [...value].map(([key, item]) => `${JSON.stringify(key)}: ${write(item)}`);
    return `{${entries.join(", ")}}`;
  }
  if (Array.isArray(value)) return `[${value.map(write).join(", ")}]`;
  return JSON.stringify(value);
}

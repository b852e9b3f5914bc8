// Numbers and times for people.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** What stands where nothing is known. */
export const UNKNOWN = "–";

/** A count, shortened from a hundred thousand on. */
export function count(value) {
  if (value === null || value === undefined) return UNKNOWN;
  return Math.abs(value) < 100_000 ? whole.format(value) : compact.format(value);
}

/** A count in full. */
export function exact(value) {
  return value === null || value === undefined ? UNKNOWN : whole.format(value);
}

/** A rate, with a decimal while it is small. */
export function rate(value) {
  if (value === null || value === undefined) return UNKNOWN;
  return value > 0 && value < 10 ? tenths.format(value) : count(value);
}

export function bytes(value) {
  if (value === null || value === undefined) return UNKNOWN;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit += 1) value /= 1024;
  return `${(value < 10 && unit ? tenths : whole).format(value)} ${units[unit]}`;
}

/** How long something took, in the two largest units. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return UNKNOWN;
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const parts = [];
  let rest = Math.max(0, Math.floor(seconds));
  for (const [name, size] of units) {
    if (rest >= size || (name === "s" && !parts.length)) parts.push(`${Math.floor(rest / size)} ${name}`);
    rest %= size;
    if (parts.length === 2) break;
  }
  return parts.join(" ");
}

/** A moment, in the time of the browser. */
export function moment(millis) {
  if (millis === null || millis === undefined) return UNKNOWN;
  const date = new Date(millis);
  return Number.isNaN(date.getTime()) ? UNKNOWN : date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

export function plural(number, one, many = `${one}s`) {
  return `${exact(number)} ${number === 1 ? one : many}`;
}

/** The last part of a class name. */
export function simpleName(name) {
  return (name ?? "").split(".").pop() || UNKNOWN;
}

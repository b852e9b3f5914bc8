// Requests to the worker's REST API. Paths are relative to the page, so that both
// may be behind a path that a proxy adds.

const ROOT = new URL("../", location.origin + location.pathname);

/** A request that the worker refused, or that had no answer (status 0). */
export class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** One segment of a path. */
export const segment = encodeURIComponent;

/** The path of a connector. */
export const connectorPath = (name) => `connectors/${segment(name)}`;

async function send(method, path, body) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  let text;
  try {
    answer = await fetch(new URL(path, ROOT), { method, headers, body, credentials: "same-origin" });
    text = await answer.text();
  } catch {
    throw new ApiError("The worker does not answer. Is it running, and the network up?", 0);
  }
  if (answer.ok) return text;
  let message = `${answer.status} ${answer.statusText}`.trim();
  try {
    message = JSON.parse(text).message || message;
  } catch {
    // Something between here and the worker has answered.
  }
  throw new ApiError(message, answer.status);
}

async function json(method, path, body) {
  const text = await send(method, path, body === undefined ? undefined : JSON.stringify(body));
  return text ? JSON.parse(text) : null;
}

export const get = (path) => json("GET", path);
export const getText = (path) => send("GET", path);
export const put = (path, body) => json("PUT", path, body);
export const post = (path, body) => json("POST", path, body);
export const patch = (path, body) => json("PATCH", path, body);
export const patchText = (path, body) => send("PATCH", path, body);
export const remove = (path) => json("DELETE", path);

// Where the views of the page are: what stands behind `#`.

import { segment } from "./api.js";

/** A connector's view, or a part of it. */
export const connectorLink = (name, part = "") => `#/connectors/${segment(name)}${part && `/${part}`}`;

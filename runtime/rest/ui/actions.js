// What can be done with a connector. Everything is asked about first.

import * as api from "./api.js";
import { confirm } from "./dialog.js";
import { model } from "./model.js";
import { done, failed } from "./notice.js";

const ACTIONS = {
  pause: {
    question: (name) => ({
      title: `Pause ${name}?`,
      text: "Its tasks keep what they have and stop processing until the connector is resumed.",
      action: "Pause",
    }),
    run: (path) => api.put(`${path}/pause`),
    doing: "Pausing",
    said: "is being paused",
  },
  resume: {
    question: (name) => ({
      title: `Resume ${name}?`,
      text: "It goes on from its last committed offsets.",
      action: "Resume",
    }),
    run: (path) => api.put(`${path}/resume`),
    doing: "Resuming",
    said: "is being resumed",
  },
  stop: {
    question: (name) => ({
      title: `Stop ${name}?`,
      text: "Its tasks are shut down. Configuration and offsets stay, and offsets can be changed.",
      action: "Stop",
    }),
    run: (path) => api.put(`${path}/stop`),
    doing: "Stopping",
    said: "is being stopped",
  },
  restart: {
    question: (name) => ({
      title: `Restart ${name}?`,
      text: "What is restarted is down for a moment, and goes on from its last committed offsets.",
      action: "Restart",
      options: [
        { label: "Connector and all tasks", value: "includeTasks=true" },
        { label: "What has failed", value: "includeTasks=true&onlyFailed=true" },
        { label: "The connector alone", value: "includeTasks=false" },
      ],
    }),
    run: (path, what) => api.post(`${path}/restart?${what}`),
    doing: "Restarting",
    said: "is being restarted",
  },
  remove: {
    question: (name) => ({
      title: `Delete ${name}?`,
      text: "The connector and its configuration are gone for good. Its offsets stay where they are, so a connector of the same name would go on from them.",
      action: "Delete",
      danger: true,
    }),
    run: (path) => api.remove(path),
    doing: "Deleting",
    said: "is deleted",
  },
};

/** Asks, does it and says so. True if it was done. */
export async function act(action, name) {
  const { question, run, doing, said } = ACTIONS[action];
  const answer = await confirm(question(name));
  if (answer === null) return false;
  return attempt(() => run(api.connectorPath(name), answer), `${name} ${said}`, `${doing} ${name} failed`);
}

/** The same for one task. */
export async function restartTask(name, task) {
  const answer = await confirm({
    title: `Restart task ${task} of ${name}?`,
    text: "The task goes on from its last committed offsets.",
    action: "Restart",
  });
  if (answer === null) return false;
  const run = () => api.post(`${api.connectorPath(name)}/tasks/${task}/restart`);
  return attempt(run, `Task ${task} of ${name} is being restarted`, `Restarting task ${task} of ${name} failed`);
}

/** Does something and says how it went. True if it was done. */
export async function attempt(run, success, failure) {
  try {
    await run();
    done(success);
    return true;
  } catch (error) {
    failed(failure, error);
    return false;
  } finally {
    model.refresh();
  }
}

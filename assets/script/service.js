// Asks the service, as this page's user.

import { lost } from "./offline.js";

/** A request that was not done. `problem` is the service's document (RFC 9457), where there is one. */
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem?.detail ?? (status ? "This did not work." : "The service cannot be reached."));
    this.status = status;
    this.problem = problem;
  }
}

/** The requests under way that may change something. */
const writes = new Set();

/** Waits until no request that may change something is under way. */
export async function settled() {
  while (writes.size > 0) await Promise.allSettled(writes);
}

/** Sends a request and returns the answer, or throws a Refusal. `json`, where given, is the body. */
export async function ask(path, { json, headers, ...options } = {}) {
  const body = json === undefined ? {} : { body: JSON.stringify(json) };
  const type = json === undefined ? {} : { "Content-Type": "application/json" };
  let answer;
  try {
    const sent = fetch(path, { ...body, ...options, headers: { Accept: "application/json", ...type, ...headers } });
    if (options.method) {
      writes.add(sent);
      sent.finally(() => writes.delete(sent)).catch(() => undefined);
    }
    answer = await sent;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    lost();
    throw new Refusal(0);
  }
  // The session has ended: sign in, then come back to this place.
  const toSignIn = answer.redirected && new URL(answer.url).pathname === "/login";
  if (answer.status === 401 || toSignIn) {
    location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
    throw new Refusal(401, { detail: "The session has ended." });
  }
  if (!answer.ok) throw new Refusal(answer.status, await answer.json().catch(() => undefined));
  return answer;
}

/** A page of ours as a document; `at` is its address, after what it was led on to. */
export async function page(path, options = {}) {
  const answer = await ask(path, { ...options, headers: { Accept: "text/html", ...options.headers } });
  const found = new DOMParser().parseFromString(await answer.text(), "text/html");
  return Object.assign(found, { at: answer.url });
}

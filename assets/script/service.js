// Requests to the service, as the user of this page.

import { lost } from "./offline.js";

/** A request that failed. `problem` is the problem document of the service (RFC 9457), if any. */
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem?.detail ?? (status ? "This did not work." : "The service cannot be reached."));
    this.status = status;
    this.problem = problem;
  }
}

/** The pending requests that can change something. */
const writes = new Set();

/** Waits until no request that can change something is pending. */
export async function settled() {
  while (writes.size > 0) await Promise.allSettled(writes);
}

/** Sends a request and returns the response, or throws a Refusal. `json` is the body, if given. */
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
  // The session has ended: sign in, then return to this place.
  const toSignIn = answer.redirected && new URL(answer.url).pathname === "/login";
  if (answer.status === 401 || toSignIn) {
    location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
    throw new Refusal(401, { detail: "The session has ended." });
  }
  if (!answer.ok) throw new Refusal(answer.status, await answer.json().catch(() => undefined));
  return answer;
}

/** A page of the service as a document; `at` is its URL after redirects. */
export async function page(path, options = {}) {
  const answer = await ask(path, { ...options, headers: { Accept: "text/html", ...options.headers } });
  const found = new DOMParser().parseFromString(await answer.text(), "text/html");
  return Object.assign(found, { at: answer.url });
}

// The page of a film: rates it, and shows changes of other users, without loading the page again.

import { keepFocus } from "./films.js";
import { sayOf, sayFailed } from "./messages.js";
import { page } from "./service.js";
import { tell } from "./times.js";

const main = document.getElementById("main");
/** The last rating that was sent. */
let last = Promise.resolve();

/** Replaces the content of this page by that of a new one. */
function show(fresh) {
  tell(fresh);
  keepFocus(() => main.replaceChildren(...fresh.getElementById("main").childNodes));
}

async function renew() {
  try {
    show(await page(location.href));
  } catch (refusal) {
    if (refusal.status === 404) location.reload(); // the page shows who deleted it
    else sayFailed(refusal);
  }
}

async function rate(address, rating) {
  try {
    const fresh = await page(address, { method: "POST", body: new URLSearchParams({ rating }) });
    show(fresh);
    sayOf(fresh, renew);
  } catch (refusal) {
    if (refusal.status === 404) location.reload();
    else sayFailed(refusal);
  }
}

document.addEventListener("submit", (event) => {
  const { target, submitter } = event;
  if (!target.matches("form.rating") || !submitter) return;
  event.preventDefault();
  last = last.then(() => rate(target.action, submitter.value));
});

document.addEventListener("films:refresh", (event) => {
  event.preventDefault();
  renew();
});

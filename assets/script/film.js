// The page of a film: rates it, and shows changes of other users, without loading the page again.

import { sayOf, sayFailed } from "./messages.js";
import { page } from "./service.js";
import { tell } from "./times.js";

const main = document.getElementById("main");
let busy = false;

/** Replaces parts of this page by those of a new one, and moves the focus to the same star. */
function show(fresh) {
  const { activeElement: focused } = document;
  const star = main.contains(focused) && focused.name === "rating" ? focused.value : undefined;
  tell(fresh);
  main.replaceChildren(...fresh.getElementById("main").childNodes);
  if (star) main.querySelector(`[name="rating"][value="${star}"]`)?.focus();
}

async function renew() {
  try {
    show(await page(location.href));
  } catch (refusal) {
    if (refusal.status === 404) location.reload(); // the page shows who deleted it
    else sayFailed(refusal);
  }
}

document.addEventListener("submit", async (event) => {
  const { target, submitter } = event;
  if (!target.matches("form.rating") || !submitter) return;
  event.preventDefault();
  if (busy) return;
  busy = true;
  try {
    const fresh = await page(target.action, { method: "POST", body: new URLSearchParams({ rating: submitter.value }) });
    show(fresh);
    sayOf(fresh, renew);
  } catch (refusal) {
    if (refusal.status === 404) location.reload();
    else sayFailed(refusal);
  } finally {
    busy = false;
  }
});

document.addEventListener("films:refresh", (event) => {
  event.preventDefault();
  renew();
});

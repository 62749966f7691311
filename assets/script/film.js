// A film's page: stars are given, and what others change is shown, without a new page.

import { sayOf, sayFailed } from "./messages.js";
import { page } from "./service.js";
import { tell } from "./times.js";

const main = document.getElementById("main");
let busy = false;

/** Puts what a fresh page has in place of this one's, and leads the focus to the same star. */
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
    if (refusal.status === 404) location.reload(); // the page says who deleted it
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

// The history page: shows new changes above the others.

import { page } from "./service.js";
import { sayFailed } from "./messages.js";
import { tell } from "./times.js";

const log = document.querySelector(".log");
const isFirstPage = !new URLSearchParams(location.search).has("cursor");

document.addEventListener("films:refresh", async (event) => {
  if (!log || !isFirstPage) return;
  event.preventDefault();
  try {
    const seen = new Set([...log.children].map(({ id }) => id));
    const entries = [...(await page(location.pathname + location.search)).querySelectorAll(".change")];
    tell(entries[0].parentElement);
    log.replaceChildren(...entries);
    for (const entry of entries) entry.classList.toggle("new", !seen.has(entry.id));
    const first = entries.findLast((entry) => entry.matches(".new")) ?? entries[0];
    entries[0].scrollIntoView({ block: "nearest" });
    first.querySelector("a").focus();
  } catch (refusal) {
    sayFailed(refusal);
  }
});

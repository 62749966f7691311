// Shows another film for tonight without loading the page again.

import { sayFailed } from "./messages.js";
import { page } from "./service.js";

document.getElementById("pick").addEventListener("click", async (event) => {
  const another = event.target.closest("#another");
  if (!another || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  try {
    const fresh = await page(another.href);
    const film = fresh.querySelector(".cover");
    const next = fresh.getElementById("another");
    // No other film fits: the whole page shows that.
    if (!film || !next) return location.assign(another.href);
    const here = document.querySelector(".cover");
    here.className = film.className;
    here.replaceChildren(...film.childNodes);
    another.href = next.href;
  } catch (refusal) {
    sayFailed(refusal);
  }
});

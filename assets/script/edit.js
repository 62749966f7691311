// The form of a film: shows hints of the service while you type.

import { page } from "./service.js";

const form = document.querySelector(".film-form");

/** A request is sent after this time without a key, in milliseconds. */
const PAUSE = 150;

let asking;

async function ask() {
  asking?.abort();
  asking = new AbortController();
  const query = new URLSearchParams();
  // By name: `elements.length` is a number.
  for (const name of ["title", "releaseYear", "length"]) query.set(name, form.elements.namedItem(name).value);
  if (form.dataset.film) query.set("film", form.dataset.film);
  let hints;
  try {
    hints = await page(`/add/hints?${query}`, { signal: asking.signal });
  } catch {
    return; // only a hint: the service validates the form when it is sent
  }
  for (const id of ["alike", "length-read"]) {
    const [here, now] = [document.getElementById(id), hints.getElementById(id)];
    // Screen readers announce a live region when it changes.
    if (here.textContent.trim() !== now.textContent.trim()) here.replaceChildren(...now.childNodes);
  }
}

let pause;
form.addEventListener("input", () => {
  clearTimeout(pause);
  pause = setTimeout(ask, PAUSE);
});
ask();

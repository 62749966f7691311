// Adding and editing a film: what the service can say of it while it is typed.

import { page } from "./service.js";

const form = document.querySelector(".film-form");

/** For how long nothing is typed before the service is asked, in milliseconds. */
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
    return; // a help and no more: what is wrong is said when the form is sent
  }
  for (const id of ["alike", "length-read"]) {
    const [here, now] = [document.getElementById(id), hints.getElementById(id)];
    // A live region is read out when it is touched.
    if (here.textContent.trim() !== now.textContent.trim()) here.replaceChildren(...now.childNodes);
  }
}

let pause;
form.addEventListener("input", () => {
  clearTimeout(pause);
  pause = setTimeout(ask, PAUSE);
});
ask();

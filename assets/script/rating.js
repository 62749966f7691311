// Rates a film that has no controls for it: one on the shelf, or in the table of a telephone.

import { idOf, titleOf } from "./films.js";
import { say, sayFailed } from "./messages.js";
import { ask } from "./service.js";

const inWords = (stars) => (stars === 1 ? "1 star" : `${stars} stars`);

/** Shows the rating of a movie, on its spine and on its front or in its row. */
function show(film, { rating: stars, version }) {
  if (film.dataset.version) film.dataset.version = version;
  const spine = film.querySelector(".spine");
  const picture = film.querySelector(".stars");
  // A row of the table may have got its controls meanwhile.
  if (!picture) return void (film.querySelector(`.rate [value="${stars}"]`).checked = true);
  const before = picture.ariaLabel;
  picture.textContent = "★".repeat(stars);
  picture.ariaLabel = inWords(stars);
  for (const element of [spine, picture].filter(Boolean)) {
    element.className = element.className.replace(/\b([rs])[1-5]\b/, `$1${stars}`);
  }
  if (spine) spine.ariaLabel = spine.ariaLabel.slice(0, -before.length) + inWords(stars);
}

/** The last request of each film: the next one waits for it. */
const last = new WeakMap();

/** Gives a film so many stars. */
export function rateFilm(film, stars) {
  const sent = Promise.resolve(last.get(film)).then(() => send(film, stars));
  last.set(film, sent);
}

async function send(film, stars) {
  const operations = [{ op: "update", id: Number(idOf(film)), changes: { rating: stars } }];
  try {
    const answer = await ask("/movie/batch", { method: "POST", json: { operations }, keepalive: true });
    const { change, results } = await answer.json();
    show(film, results[0].movie);
    recount();
    if (change) say(`Changed ${titleOf(film)}: ${inWords(stars)}.`, { change, done: () => refresh(film) });
  } catch (refusal) {
    sayFailed(refusal);
  }
}

/** Shows the present rating of a film, if the film is there. */
async function refresh(film) {
  const answer = await ask(`/movie/${idOf(film)}`).catch(() => undefined);
  if (answer) show(film, await answer.json());
  recount();
}

const recount = () => document.dispatchEvent(new Event("films:recount"));

// Changes the format and the rating of a film in the list, in both views, and shows the result.

import { idOf, renew, titleOf } from "./films.js";
import { say } from "./messages.js";
import { ask, Refusal } from "./service.js";
import { count } from "./words.js";

export const starsInWords = (stars) => count(stars, "star");
const inWords = ({ movieFormat, rating }) => [movieFormat, rating && starsInWords(rating)].filter(Boolean).join(", ");

/** The last request of each film. */
const last = new WeakMap();

/** Shows the movie of a film. Keeps it, to show it again if a change fails. */
export function show(film, movie) {
  film.was = movie;
  if (film.dataset.version && movie.version) film.dataset.version = movie.version;
  const select = film.querySelector(".format select");
  if (select) {
    select.value = movie.movieFormat;
    film.querySelector(`.rate [value="${movie.rating}"]`).checked = true;
  } else {
    showStars(film, movie.rating);
  }
}

/** Shows the rating of a film without controls: on its spine and its front, or in its row. */
function showStars(film, stars) {
  const [spine, picture] = [film.querySelector(".spine"), film.querySelector(".stars")];
  const before = picture.ariaLabel;
  picture.textContent = "★".repeat(stars);
  picture.ariaLabel = starsInWords(stars);
  for (const element of [spine, picture].filter(Boolean)) {
    element.className = element.className.replace(/\b([rs])[1-5]\b/, `$1${stars}`);
  }
  if (spine) spine.ariaLabel = spine.ariaLabel.slice(0, -before.length) + picture.ariaLabel;
}

/** Changes a film after its pending request: a change of a row needs the version of the previous one. */
export function update(film, changes) {
  last.set(film, Promise.resolve(last.get(film)).catch(() => {}).then(() => send(film, changes)));
}

async function send(film, changes) {
  const operation = { op: "update", id: Number(idOf(film)), changes };
  if (film.dataset.version) operation.version = Number(film.dataset.version);
  try {
    const answer = await ask("/movie/batch", { method: "POST", json: { operations: [operation] }, keepalive: true });
    const { change, results } = await answer.json();
    const { movie } = results[0];
    show(film, movie);
    // A film on the shelf has no version, so it may have been renamed meanwhile.
    if (movie.title === film.querySelector("bdi").textContent) recount();
    else await renew();
    if (change) say(`Changed ${titleOf(film)}: ${inWords(changes)}.`, { change, done: () => refresh(film) });
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    await refuse(film, refusal);
  }
}

async function refuse(film, { status, message }) {
  const title = titleOf(film);
  if (status === 409 || status === 412) {
    await renew();
    say(`Somebody else changed ${title} meanwhile. You see it as it is now; your change was not saved.`);
    return;
  }
  if (film.was) show(film, film.was);
  say(status === 404 ? `${title} is not there any more.` : `${title} is as it was. ${message}`);
}

const recount = () => document.dispatchEvent(new Event("films:recount"));

/** Shows the rating and the format of a film after an undo, which changes nothing else. */
async function refresh(film) {
  const movie = await ask(`/movie/${idOf(film)}`).then((answer) => answer.json(), () => film.was);
  if (movie) show(film, movie);
  recount();
}

// The films of the list, in either view. The list is replaced and grows, so nothing here keeps an element.

import { page } from "./service.js";

const FILM = ".shelf > .film, .films tbody > tr";

/** What begins a letter, a decade: a sign on the shelf, the first film in the table. */
const POST = ".post, th[data-post]";
const labelOf = (post) => post?.dataset.post ?? post?.textContent;

export const films = (root = document) => [...root.querySelectorAll(FILM)];
/** The film that an element belongs to, if it does. */
export const filmOf = (element) => element?.closest(FILM);
/** The box that selects a film; there is none for who may not edit. */
export const boxOf = (film) => film.querySelector(".pick");
export const idOf = (film) => boxOf(film)?.value;
export const selected = () => [...document.querySelectorAll(".pick:checked")].map(filmOf);

/** The title of a film for a sentence, whichever way it is written. */
export const titleOf = (film) => `“\u2068${film.querySelector("bdi").textContent}\u2069”`;

/** Leads the focus to a film. */
export function focus(film) {
  const link = film.querySelector(".spine, th a");
  const target = link ?? film.querySelector("th");
  if (!link) target.tabIndex = -1;
  target.focus();
}

/** Makes the page like a fresh one of the same place: all of it, or all but the films. Whoever follows
 *  the list hears `films:changed`. */
export async function renew(fresh, { keepFilms = false } = {}) {
  const count = films().length;
  if (!fresh || (!keepFilms && count > films(fresh).length && nextOf(fresh))) fresh = await load(location.href, count);
  const chosen = new Set(selected().map(idOf));
  const all = document.querySelector("#every input")?.checked;
  const focused = document.activeElement;
  const here = filmOf(focused);
  const place = films().indexOf(here);
  replace(fresh, ["#found", "#every", ...(keepFilms ? [] : [".jumps", ".shelves", ".films tbody", ".pages"])]);
  for (const film of films()) if (chosen.has(idOf(film))) boxOf(film).checked = true;
  if (all && document.querySelector("#every input")) document.querySelector("#every input").checked = true;
  if (!focused.isConnected) focusAgain(here, place);
  document.dispatchEvent(new Event("films:changed"));
}

/** Leads the focus to the film that stands for one that was replaced, or else to the page's content. */
function focusAgain(film, place) {
  const now = films();
  const same = film && idOf(film) && now.find((other) => idOf(other) === idOf(film));
  const stand = same || (place >= 0 && now[Math.min(place, now.length - 1)]);
  if (stand) focus(stand);
  else document.getElementById("main").focus();
}

/** Replaces what is in these parts of the page; where the fresh one has others, all that is in `main`. */
function replace(fresh, parts) {
  const pairs = [...parts, "#filters"].map((part) => [document.querySelector(part), fresh.querySelector(part)]);
  const differs = pairs.some(([one, other]) => !one !== !other);
  for (const [one, other] of differs ? [[document.querySelector("main"), fresh.querySelector("main")]] : pairs) {
    if (one && !(one.id === "filters" && one.contains(document.activeElement))) one.replaceChildren(...other.childNodes);
  }
}

/** The link to the page with further films, if there is one. */
export const nextOf = (root) => root.querySelector(".pages [rel=next]")?.getAttribute("href");

/** With these options the list is given at once, and what a search finds is not counted first. */
export const LIST_FIRST = { headers: { "Reelshelf-List-First": "1" } };

/** The page of an address with so many films, where there are as many. */
export async function load(address, count = 0, options = {}) {
  const whole = await page(address, options);
  while (films(whole).length < count && nextOf(whole)) {
    append(whole, await page(nextOf(whole), { ...options, ...LIST_FIRST }));
  }
  return whole;
}

/** Puts the films of a further page behind those of a list. */
export function append(whole, more) {
  const posts = [...whole.querySelectorAll(POST)];
  let number = posts.length;
  for (const post of more.querySelectorAll(POST)) {
    if (labelOf(post) !== labelOf(posts.at(-1))) post.id = `at-${(number += 1)}`;
    else if (post.matches(".post")) post.remove();
    else post.removeAttribute("id");
  }
  const [shelves, shelf] = [whole.querySelector(".shelves"), more.querySelector(".shelf")];
  if (!shelves) whole.querySelector(".films tbody").append(...(more.querySelector(".films tbody")?.children ?? []));
  else if (shelf) addShelf(shelves, shelf);
  // Within its place: what comes or goes beside the list has browsers look through all of it again.
  whole.querySelector(".pages").replaceChildren(...(more.querySelector(".pages")?.childNodes ?? []));
}

/** Puts a shelf under the others, so that those off the screen cost nothing. Each but the last has full rows: what
 *  stands in one that is not goes to the next shelf. What is not shown yet has no rows, and stays one shelf. */
function addShelf(shelves, shelf) {
  const last = shelves.lastElementChild;
  if (!shelves.isConnected || shelves.ownerDocument !== document) return last.append(...shelf.children);
  const standing = [...last.children];
  const places = standing.map((film) => film.offsetTop); // before anything moves, or each is laid out anew
  const row = places.indexOf(places.at(-1));
  shelf.prepend(...standing.slice(row));
  if (row > 0) shelves.append(shelf);
  else last.replaceWith(shelf);
}

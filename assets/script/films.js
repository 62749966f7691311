// The films of the list, in both views. The list is replaced and grows, so nothing here keeps an element.

import { page } from "./service.js";

const FILM = ".shelf > .film, .films tbody > tr";

/** The start of a letter or a decade: a heading on the shelf, the first film in the table. */
const POST = ".post, th[data-post]";
const labelOf = (post) => post?.dataset.post ?? post?.textContent;

export const films = (root = document) => [...root.querySelectorAll(FILM)];
/** The film that contains an element, if any. */
export const filmOf = (element) => element?.closest(FILM);
/** The checkbox that selects a film; viewers have none. */
export const boxOf = (film) => film.querySelector(".pick");
export const idOf = (film) => boxOf(film)?.value;
export const selected = () => [...document.querySelectorAll(".pick:checked")].map(filmOf);

/** The title of a film for use in a sentence, whatever its direction of writing. */
export const titleOf = (film) => `“\u2068${film.querySelector("bdi").textContent}\u2069”`;

/** Moves the focus to a film. */
export function focus(film, options) {
  const link = film.querySelector(".spine, th a");
  const target = link ?? film.querySelector("th");
  if (!link) target.tabIndex = -1;
  target.focus(options);
}

const STAY = { preventScroll: true };
const isSame = (one, other) =>
  ["id", "name", "value", "ariaLabel"].every((key) => one[key] === other[key]) && one.textContent.trim() === other.textContent.trim();

/** Runs `change`, which replaces elements. If one of them has the focus, the focus moves to its copy, to the same film,
 *  to the film that is now in its place, or else to the content of the page. */
export function keepFocus(change) {
  const focused = document.activeElement;
  const film = filmOf(focused);
  const place = films().indexOf(film);
  change();
  if (focused.isConnected) return;
  const now = films();
  const same = film && ((idOf(film) && now.find((other) => idOf(other) === idOf(film))) || now[Math.min(place, now.length - 1)]);
  const copy = [...(same ?? document).querySelectorAll(focused.localName)].find((other) => isSame(other, focused));
  if (same && !copy) focus(same, STAY);
  else (copy ?? document.getElementById("main")).focus(STAY);
}

/** The list with its heading, which each view replaces. */
export const list = () => document.querySelector("section.list");

/** Loads this view again, with as many films as it shows; if another view is shown meanwhile, that one. */
async function loadAgain() {
  const [shown, address] = [list(), location.href];
  const whole = await load(address, films().length);
  return shown === list() && address === location.href ? whole : loadAgain();
}

/** Updates the page from a new copy of it: all of it, or all but the films. Listeners of the list get
 *  `films:changed`. */
export async function renew(fresh, { keepFilms = false } = {}) {
  if (!fresh || (!keepFilms && films().length > films(fresh).length && nextOf(fresh))) fresh = await loadAgain();
  const chosen = new Set(selected().map(idOf));
  const all = document.querySelector("#every input")?.checked;
  keepFocus(() => replace(fresh, ["#found", "#every", ...(keepFilms ? [] : [".jumps", ".shelves", ".films tbody", ".pages"])]));
  for (const film of films()) if (chosen.has(idOf(film))) boxOf(film).checked = true;
  if (all && document.querySelector("#every input")) document.querySelector("#every input").checked = true;
  document.dispatchEvent(new Event("films:changed"));
}

/** Replaces the content of these parts of the page; if the new page has other parts, replaces all of `main`. */
function replace(fresh, parts) {
  const pairs = [...parts, "#filters"].map((part) => [document.querySelector(part), fresh.querySelector(part)]);
  const differs = pairs.some(([one, other]) => !one !== !other);
  for (const [one, other] of differs ? [[document.querySelector("main"), fresh.querySelector("main")]] : pairs) {
    if (one && !(one.id === "filters" && one.contains(document.activeElement))) one.replaceChildren(...other.childNodes);
  }
}

/** The link to the page with more films, if any. */
export const nextOf = (root) => root.querySelector(".pages [rel=next]")?.getAttribute("href");

/** With these options the server sends the list at once, without counting the results of a search first. */
export const LIST_FIRST = { headers: { "Reelshelf-List-First": "1" } };

/** The page of a URL with `count` films, or with all if there are fewer. */
export async function load(address, count = 0, options = {}) {
  const whole = await page(address, options);
  while (films(whole).length < count && nextOf(whole)) {
    append(whole, await page(nextOf(whole), { ...options, ...LIST_FIRST }));
  }
  return whole;
}

/** Appends the films of another page to the list. */
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
  // Inside its parent: browsers recalculate the whole list when an element beside it comes or goes.
  whole.querySelector(".pages").replaceChildren(...(more.querySelector(".pages")?.childNodes ?? []));
}

/** Appends a shelf, so that shelves outside of the screen cost nothing. All but the last have full rows: films of an
 *  incomplete row move to the next shelf. A shelf that is not rendered has no rows, and stays one shelf. */
function addShelf(shelves, shelf) {
  const last = shelves.lastElementChild;
  if (!shelves.isConnected || shelves.ownerDocument !== document) return last.append(...shelf.children);
  const standing = [...last.children];
  const places = standing.map((film) => film.offsetTop); // read before any film moves, to avoid a layout for each
  const row = places.indexOf(places.at(-1));
  const focused = document.activeElement;
  shelf.prepend(...standing.slice(row));
  if (row > 0) shelves.append(shelf);
  else last.replaceWith(shelf);
  if (document.activeElement !== focused) focused.focus(STAY); // a film that moves loses the focus
}

// The films of the list, in either view. The list is replaced and grows, so nothing here keeps an element.

import { page } from "./service.js";

const FILM = ".shelf > .film, .films tbody > tr";
/** How many films a page of the list can have. */
const MOST = 1000;

export const films = (root = document) => [...root.querySelectorAll(FILM)];
/** The film that an element belongs to, if it does. */
export const filmOf = (element) => element?.closest(FILM);
/** The box that selects a film; there is none for who may not edit. */
export const boxOf = (film) => film.querySelector(".pick");
export const idOf = (film) => boxOf(film)?.value;
export const selected = () => films().filter((film) => boxOf(film)?.checked);

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
  fresh ??= await page(location.pathname + location.search);
  const count = films().length;
  if (!keepFilms && count > films(fresh).length && nextOf(fresh)) fresh = await atLeast(count);
  const chosen = new Set(selected().map(idOf));
  const all = document.querySelector("#every input")?.checked;
  const here = filmOf(document.activeElement);
  const id = here && idOf(here);
  replace(fresh, ["#found", "#every", ...(keepFilms ? [] : [".jumps", ".shelf", ".films tbody", ".pages"])]);
  for (const film of films()) {
    if (chosen.has(idOf(film))) boxOf(film).checked = true;
    if (id !== undefined && idOf(film) === id && !film.contains(document.activeElement)) focus(film);
  }
  if (all && document.querySelector("#every input")) document.querySelector("#every input").checked = true;
  document.dispatchEvent(new Event("films:changed"));
}

/** Replaces what is in these parts of the page; where the fresh one has others, all that is in `main`. */
function replace(fresh, parts) {
  const pairs = [...parts, "#filters"].map((part) => [document.querySelector(part), fresh.querySelector(part)]);
  const differs = pairs.some(([one, other]) => !one !== !other);
  for (const [one, other] of differs ? [[document.querySelector("main"), fresh.querySelector("main")]] : pairs) {
    if (one && !(one.id === "filters" && one.contains(document.activeElement))) one.replaceChildren(...other.childNodes);
  }
}

const nextOf = (root) => root.querySelector('.pages [rel="next"]')?.getAttribute("href");

/** The page with so many films, where there are as many: what was fetched while scrolling stays. */
async function atLeast(count) {
  const to = new URL(location.href);
  const limit = to.searchParams.get("limit");
  const withLimit = (href, value) => {
    const address = new URL(href, location.href);
    if (value === null) address.searchParams.delete("limit");
    else address.searchParams.set("limit", value);
    return address.pathname + address.search;
  };
  let whole;
  for (let next = to.href; next && (!whole || films(whole).length < count); ) {
    const more = await page(withLimit(next, Math.min(count, MOST)));
    next = nextOf(more);
    if (whole) append(whole, more);
    whole ??= more;
  }
  for (const link of whole.querySelectorAll(".pages a")) link.setAttribute("href", withLimit(link.getAttribute("href"), limit));
  return whole;
}

function append(whole, more) {
  const list = (root) => root.querySelector(".shelf, .films tbody");
  for (const post of more.querySelectorAll(".post")) {
    const before = [...whole.querySelectorAll(".post")].at(-1);
    if (before?.textContent === post.textContent) post.remove();
    post.removeAttribute("id");
  }
  list(whole).append(...list(more).children);
  whole.querySelector(".pages").replaceWith(more.querySelector(".pages"));
}

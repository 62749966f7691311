// The collection: searches while you type, filters at once, and loads more films near the end of the list. Every
// view has a URL, and the server renders it; this script exchanges parts of the page.
//
// `films:changed` is sent to the document after films were added or removed; `films:refresh` reloads the films;
// `films:recount` reloads the counts.

import "./fronts.js";
import "./letters.js";
import "./print.js";
import { append, films, keepFocus, list, LIST_FIRST, load, nextOf, renew } from "./films.js";
import { page } from "./service.js";
import { sayFailed } from "./messages.js";

/** After this time without a key, in milliseconds, more films and the counts are requested. */
const PAUSE = 250;
/** After this time, in milliseconds, the page shows that it waits. */
const PATIENCE = 200;
/** The number of results of a search that are shown first; the rest follows a moment later. Laying out all results at
 *  once would delay the next key on a slow machine. */
const FIRST_FILMS = 24;
/** Results of a search are shown after this time without a key, in milliseconds: the value until the duration of a
 *  layout is known, and the maximum. */
const FIRST_WAIT = 150;
const MAX_WAIT = 250;
/** More films are loaded when the end of the list is within this distance below the window, in pixels. */
const AHEAD = 2000;

const form = document.getElementById("filters");
const search = document.getElementById("q");
const announcement = document.getElementById("announcement");

let underWay = new AbortController();
let ahead;
/** Whether the current text of the search has an entry in the history; a run of typing gets one entry. */
let typing = false;
/** How long the last results of a search blocked the page, in milliseconds. */
let cost = FIRST_WAIT;
/** The state for restoring the current position, until it is saved in the history. */
let left;
/** The view that could not be shown while the service was unreachable. */
let missed;
/** The URL of the view that is loading, until links and form belong to it. */
let pending;
/** The values of the form as the service sent it. */
let sent;

const isOurs = (url) => url.origin === location.origin && url.pathname === "/";

if (form) {
  history.scrollRestoration = "manual";
  begin();
}

function begin() {
  search.addEventListener("input", type);
  search.addEventListener("change", () => (typing = false));
  sent = address(form);
  form.addEventListener("change", () => show(changed(), { push: true }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    document.getElementById("filter-sheet").hidePopover?.();
    show(changed(), { push: true });
  });
  document.addEventListener("click", follow);
  document.addEventListener("films:refresh", (event) => {
    event.preventDefault();
    renew();
  });
  document.addEventListener("films:recount", recount);
  document.addEventListener("service:back", () => (missed ? show(...missed) : watch()));
  addEventListener("popstate", ({ state }) => {
    if (location.hash && !state) return; // a link to a section heading of this list
    typing = false;
    show(location.href, { films: state?.films, top: state?.top ?? 0, returns: true });
  });
  for (const event of ["scrollend", "pagehide"]) addEventListener(event, () => history.replaceState(place(), ""));
  watch();
  showAdded();
  const { films: shown, top } = history.state ?? {};
  const [entry] = performance.getEntriesByType("navigation");
  // The user may have typed before this script ran. The browser restores nothing here: `autocomplete` is off.
  if (search.value !== search.defaultValue) show(address(form), { typed: true });
  else if ([...form.elements].some(isChanged)) show(address(form), { push: true });
  else if (shown && entry.type !== "navigate") show(location.href, { films: shown, top, restores: true });
}

/** Scrolls to the film that was just added. */
function showAdded() {
  const film = document.getElementById("added");
  film?.scrollIntoView({ block: "center" });
  film?.querySelector(".spine, th a").focus({ preventScroll: true, focusVisible: false });
  if (location.hash === "#added") history.replaceState(history.state, "", location.pathname + location.search);
}

/** Whether a field of the form differs from the page of the server. The text that is being typed may be incomplete. */
function isChanged(field) {
  if (["checkbox", "radio"].includes(field.type)) return field.checked !== field.defaultChecked;
  return field.type === "text" && field.value !== field.defaultValue && field !== document.activeElement;
}

/** The URL of a view, without empty values. */
function urlOf(pairs) {
  const query = new URLSearchParams(pairs.filter(([, value]) => value !== "")).toString();
  return query ? `/?${query}` : "/";
}

function address(form) {
  return urlOf([...new FormData(form)]);
}

/** The URL after a change of the form. */
function changed() {
  return combined(sent, address(form));
}

/** What changes as one: each format by itself, and both years together. */
function partOf([name, value]) {
  if (name === "movieFormat") return value;
  return name.startsWith("year") ? "releaseYear" : name;
}

/** The URL `to`, with the changes of a view that is still loading: the page, which leads `from` one URL to the other,
 *  does not have them yet. */
function combined(from, to) {
  const [before, after, next] = [from, to, pending ?? to].map((url) => [...new URL(url, location).searchParams]);
  if (!pending || after.some(([name]) => name === "cursor")) return to;
  const lacks = (pairs) => (pair) => !pairs.some((other) => String(other) === String(pair));
  const changes = new Set([...after.filter(lacks(before)), ...before.filter(lacks(after))].map(partOf));
  const stays = (pair) => pair[0] !== "cursor" && !changes.has(partOf(pair));
  return urlOf([...next.filter(stays), ...after.filter((pair) => changes.has(partOf(pair)))]);
}

/** A click on a link to another view of the collection. */
function follow(event) {
  const link = event.target.closest?.("main a[href]");
  if (!link || event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || link.target) return;
  const url = new URL(link.href);
  if (!isOurs(url) || (url.hash && url.search === location.search)) return;
  event.preventDefault();
  link.closest(".menu")?.removeAttribute("open");
  show(combined(form.contains(link) ? sent : location.href, url.href), { push: true, top: 0, focus: true });
}

/** The state for restoring this position. */
function place() {
  return { films: films().length, top: scrollY };
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Waits until the change is painted. */
async function painted() {
  await new Promise(requestAnimationFrame);
  await pause(0);
}

/** Shows the results of typing: first the letter, then the films. */
async function type() {
  underWay.abort();
  const { signal } = (underWay = new AbortController());
  const shown = pause(cost < 20 ? 0 : Math.min(2 * cost, MAX_WAIT));
  await painted();
  if (!signal.aborted) show(changed(), { typed: true, after: shown });
}

/** Replaces the list by the new one. Results of typing are shown in two steps, unless a key comes in between. */
async function replaceList(fresh, typed, signal) {
  const rest = typed && document.createDocumentFragment();
  const begun = performance.now();
  if (typed) rest.append(...films(fresh).slice(FIRST_FILMS));
  const into = typed && films(fresh).at(-1)?.parentElement;
  if (document.querySelector(".sorts[open]")) fresh.querySelector(".sorts").open = true;
  keepFocus(() => list().replaceWith(fresh));
  if (typed) {
    await painted();
    cost = performance.now() - begun;
    signal.throwIfAborted();
    if (into) into.append(rest);
  }
}

/** Shows the films of a URL: at least `count` films if given, scrolled to `top`. A view that the user `returns` to has
 *  its own text in each field. A page that `restores` its place leaves it to a user who scrolls meanwhile. */
async function show(url, { push, films: count, top, focus, typed = false, after, returns, restores } = {}) {
  const [begun, before] = [scrollY, returns && document.activeElement.value];
  pending = url;
  underWay.abort();
  underWay = new AbortController();
  const { signal } = underWay;
  const waiting = setTimeout(() => list().classList.add("waiting"), PATIENCE);
  try {
    const main = await load(url, count, { ...LIST_FIRST, signal });
    await after;
    signal.throwIfAborted();
    clearTimeout(waiting);
    missed = undefined;
    const { at } = main;
    const query = new URL(at).searchParams.get("q") ?? "";
    if (!typed) search.value = query;
    left ??= place();
    await replaceList(main.querySelector("section.list"), typed, signal);
    document.dispatchEvent(new Event("films:changed"));
    if (top !== undefined && (!restores || scrollY === begun)) scrollTo(0, top);
    if (focus) focusOn(document.getElementById("found"));
    await painted(); // browsers take as long for the history entry as for the films
    signal.throwIfAborted();
    if (at !== location.href) {
      if (push || (typed && !typing)) {
        history.replaceState(left, "");
        history.pushState(null, "", at);
      } else {
        history.replaceState(history.state, "", at);
      }
      typing ||= typed;
    }
    pending = at;
    left = undefined;
    document.title = query ? `\u2068${query}\u2069 · Reelshelf` : "Reelshelf";
    if (typed) await pause(PAUSE);
    signal.throwIfAborted();
    watch();
    complete(query ? await page(at, { signal }) : main, before); // counting the results of a search takes longer
    pending = undefined;
    announcement.textContent = document.getElementById("found").textContent;
  } catch (error) {
    if (error.name === "AbortError") return;
    pending = undefined;
    if (error.status === 0) missed = [url, { push, films: count, top, typed }];
    sayFailed(error);
    watch();
  } finally {
    clearTimeout(waiting);
    if (underWay.signal === signal) list().classList.remove("waiting");
  }
}

/** Reloads the counts and keeps the films. */
async function recount() {
  const { signal } = underWay;
  try {
    complete(await page(location.href, { signal }));
  } catch (error) {
    sayFailed(error);
  }
}

/** Updates the counts, and what depends on them. The text that the user types stays. If it is still the one
 *  `before` they went back or forward, it belongs to the view that they left. */
function complete(main, before) {
  const fresh = main.getElementById("filters");
  if (!fresh) return location.reload(); // the collection has become empty
  sent = address(fresh);
  const all = document.querySelector("#every input")?.checked;
  keepFocus(() => {
    for (const part of ["#found", ".jumps", "#every"]) {
      const [old, counted] = [list(), main].map((within) => within.querySelector(part));
      if (old && counted) old.innerHTML = counted.innerHTML;
    }
  });
  if (all) document.querySelector("#every input").checked = true;
  document.dispatchEvent(new Event("films:counted"));
  const { name, value, type } = document.activeElement;
  if (form.contains(document.activeElement)) {
    form.querySelector(".apply").innerHTML = fresh.querySelector(".apply").innerHTML;
    if (type === "text" && value !== before) return;
    form.innerHTML = fresh.innerHTML;
    [...form.elements].find((field) => field.name === name && (type === "text" || field.value === value))?.focus();
  } else {
    form.innerHTML = fresh.innerHTML;
  }
}

/** Loads more films before the end becomes visible. */
function watch() {
  ahead?.disconnect();
  const end = list().querySelector(".pages");
  if (!nextOf(list())) return;
  const seen = (entries) => entries.some(({ isIntersecting }) => isIntersecting) && further();
  ahead = new IntersectionObserver(seen, { rootMargin: `${AHEAD}px` });
  ahead.observe(end);
}

async function further() {
  ahead.disconnect();
  const { signal } = underWay;
  const section = list();
  try {
    const more = await page(nextOf(section), { ...LIST_FIRST, signal });
    if (section !== list()) return;
    append(section, more);
    watch();
    document.dispatchEvent(new Event("films:changed"));
  } catch (error) {
    sayFailed(error);
  }
}

function focusOn(element) {
  element.tabIndex = -1;
  element.focus({ preventScroll: true });
}

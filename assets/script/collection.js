// The collection: searched while one types, filtered at once, further films as their end comes near. Every view
// stays an address, and the server renders it; here its parts are exchanged.
//
// After films came or went, `films:changed` is sent to the document; `films:refresh` asks for the films anew, and
// `films:recount` for what is counted of them.

import "./letters.js";
import "./print.js";
import { append, films, LIST_FIRST, load, nextOf, renew } from "./films.js";
import { page } from "./service.js";
import { sayFailed } from "./messages.js";

/** Milliseconds without a key after which further films and the counts are asked for, and after which waiting is
 *  shown. */
const PAUSE = 250;
const PATIENCE = 200;
/** How many films of a search are shown first, and the rest a moment later: to lay out all at once would hold up the
 *  next key on a slow machine. */
const FIRST_FILMS = 24;
/** For how long no further key may come before the films of a search are shown, until it is known how long that takes,
 *  and at most, in milliseconds. */
const FIRST_WAIT = 150;
const MAX_WAIT = 250;
/** How far below the window the end may be before further films are fetched, in pixels. */
const AHEAD = 2000;

const form = document.getElementById("filters");
const search = document.getElementById("q");
const announcement = document.getElementById("announcement");

let underWay = new AbortController();
let ahead;
/** Whether what is typed has its entry in the history: one for all that is typed in one go. */
let typing = false;
/** For how long the last result of a search held up the page, in milliseconds. */
let cost = FIRST_WAIT;
/** What is needed to come back to the place that is left, until the history has it. */
let left;
/** What could not be shown while the service was away. */
let missed;

const list = () => document.querySelector("section.list");
const isOurs = (url) => url.origin === location.origin && url.pathname === "/";

if (form) {
  history.scrollRestoration = "manual";
  begin();
}

function begin() {
  search.addEventListener("input", type);
  search.addEventListener("change", () => (typing = false));
  form.addEventListener("change", () => show(address(), { push: true }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    document.getElementById("filter-sheet").hidePopover?.();
    show(address(), { push: true });
  });
  document.addEventListener("click", follow);
  document.addEventListener("films:refresh", (event) => {
    event.preventDefault();
    renew();
  });
  document.addEventListener("films:recount", recount);
  document.addEventListener("service:back", () => (missed ? show(...missed) : watch()));
  addEventListener("popstate", ({ state }) => {
    if (location.hash && !state) return; // a link to a signpost of this list
    typing = false;
    show(location.href, { films: state?.films, top: state?.top ?? 0 });
  });
  addEventListener("pagehide", () => history.replaceState(place(), ""));
  watch();
  showAdded();
  const { films: shown, top } = history.state ?? {};
  const [entry] = performance.getEntriesByType("navigation");
  // Somebody may have been faster than this script. The browser restores nothing here: `autocomplete` is off.
  if (search.value !== search.defaultValue) show(address(), { typed: true });
  else if ([...form.elements].some(isChanged)) show(address(), { push: true });
  else if (shown && entry.type !== "navigate") show(location.href, { films: shown, top });
}

/** Brings the film that was just added into sight. */
function showAdded() {
  const film = document.getElementById("added");
  film?.scrollIntoView({ block: "center" });
  film?.querySelector(".spine, th a").focus({ preventScroll: true, focusVisible: false });
  if (location.hash === "#added") history.replaceState(history.state, "", location.pathname + location.search);
}

/** Whether a field of the form differs from what the server sent. A year that is being typed is not complete. */
function isChanged(field) {
  if (["checkbox", "radio"].includes(field.type)) return field.checked !== field.defaultChecked;
  return field.type === "text" && field.value !== field.defaultValue && field !== document.activeElement;
}

/** The address that the form means; what was left empty is left out. */
function address() {
  const fields = [...new FormData(form)].filter(([, value]) => value !== "");
  const query = new URLSearchParams(fields).toString();
  return query ? `/?${query}` : "/";
}

/** A click on a link to another view of the collection. */
function follow(event) {
  const link = event.target.closest?.("main a[href]");
  if (!link || event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || link.target) return;
  const url = new URL(link.href);
  if (!isOurs(url) || (url.hash && url.search === location.search)) return;
  event.preventDefault();
  show(url.href, { push: true, top: 0, focus: true });
}

/** What is needed to come back to this place. */
function place() {
  return { films: films().length, top: scrollY };
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Waits until what was changed is on the screen. */
async function painted() {
  await new Promise(requestAnimationFrame);
  await pause(0);
}

/** Shows what is typed: the letter first, then the films. */
async function type() {
  underWay.abort();
  const { signal } = (underWay = new AbortController());
  const shown = pause(cost < 20 ? 0 : Math.min(2 * cost, MAX_WAIT));
  await painted();
  if (!signal.aborted) show(address(), { typed: true, after: shown });
}

/** Puts the fresh list in the place of the present one. What is typed is shown in two steps, unless a key comes. */
async function replaceList(fresh, typed, signal) {
  const rest = typed && document.createDocumentFragment();
  const begun = performance.now();
  if (typed) rest.append(...films(fresh).slice(FIRST_FILMS));
  const into = typed && films(fresh).at(-1)?.parentElement;
  list().replaceWith(fresh);
  if (typed) {
    await painted();
    cost = performance.now() - begun;
    signal.throwIfAborted();
    if (into) into.append(rest);
  }
}

/** Shows the films of an address: at least so many of them, if given, and from the `top` on. */
async function show(url, { push, films: count, top, focus, typed = false, after } = {}) {
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
    if (top !== undefined) scrollTo(0, top);
    if (focus) focusOn(document.getElementById("found"));
    await painted(); // the history takes browsers as long as the films
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
    left = undefined;
    document.title = query ? `\u2068${query}\u2069 · Reelshelf` : "Reelshelf";
    if (typed) await pause(PAUSE);
    signal.throwIfAborted();
    watch();
    complete(query ? await page(at, { signal }) : main); // to count what a search finds takes longer
    announcement.textContent = document.getElementById("found").textContent;
  } catch (error) {
    if (error.name === "AbortError") return;
    if (error.status === 0) missed = [url, { push, films: count, top, typed }];
    sayFailed(error);
    watch();
  } finally {
    clearTimeout(waiting);
    if (underWay.signal === signal) list().classList.remove("waiting");
  }
}

/** Counts anew, where the films stay as they are. */
async function recount() {
  const { signal } = underWay;
  try {
    complete(await page(location.href, { signal }));
  } catch (error) {
    sayFailed(error);
  }
}

/** Takes over the counts, and all that depends on them. */
function complete(main) {
  const fresh = main.getElementById("filters");
  if (!fresh) return location.reload(); // the collection has become empty
  for (const part of ["#found", ".jumps", "#every"]) {
    const [old, counted] = [list(), main].map((within) => within.querySelector(part));
    if (old && counted) old.innerHTML = counted.innerHTML;
  }
  document.dispatchEvent(new Event("films:counted"));
  const { name, value, type } = document.activeElement;
  if (form.contains(document.activeElement)) {
    form.querySelector(".apply").innerHTML = fresh.querySelector(".apply").innerHTML;
    if (type === "text") return; // somebody writes there
    form.innerHTML = fresh.innerHTML;
    [...form.elements].find((field) => field.name === name && field.value === value)?.focus();
  } else {
    form.innerHTML = fresh.innerHTML;
  }
}

/** Fetches further films before their end is seen. */
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

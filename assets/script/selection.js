// Selects films: by checkboxes, a range with Shift, or all that match; and changes the selected films.

import { boxOf, filmOf, films, focus, idOf, renew, selected } from "./films.js";
import { say, sayOf } from "./messages.js";
import { page, Refusal } from "./service.js";
import { count } from "./words.js";

const form = () => document.getElementById("selection");
const every = () => document.querySelector("#every input");
const selecting = () => document.getElementById("selecting");

/** A deletion of more films needs a second click; the service requires it, too. */
const unconfirmed = () => Number(form().querySelector(".selected").dataset.unconfirmed);

/** The film at which a range starts. */
let anchor;
let busy = false;
/** The button that asks for a second click, for how many films, and its previous text. */
let asking;

/** How many films are selected. */
const number = () => (every().checked ? Number(every().dataset.films) : selected().length);

/** Shows how many are selected. */
function tell() {
  if (asking && number() !== asking.number) stopAsking();
  const selects = Boolean(selecting()?.checked);
  document.body.classList.toggle("is-selecting", selects);
  if (!selects) return; // nobody sees the number, and counting thousands of films takes time
  const text = `${count(number(), "film")} selected`;
  const output = form().querySelector("output");
  if (output.value !== text) output.value = text;
  const [change, remove] = ["change", "delete"].map((value) => form().querySelector(`button[value=${value}]`));
  remove.disabled = number() === 0;
  change.disabled = remove.disabled || ![...form().querySelectorAll(".selected select")].some(({ value }) => value);
}

/** Selects a film, or removes it from the selection; with `range` also those since the last one. */
function choose(film, on, range) {
  const all = films();
  const place = all.indexOf(film);
  const from = range && anchor?.isConnected ? all.indexOf(anchor) : place;
  for (const one of all.slice(Math.min(from, place), Math.max(from, place) + 1)) boxOf(one).checked = on;
  anchor = film;
  if (on) selecting().checked = true;
  else every().checked = false;
  tell();
}

function clear() {
  form().reset();
  anchor = undefined;
  tell();
}

document.addEventListener("click", (event) => {
  const film = filmOf(event.target);
  const box = film && boxOf(film);
  if (!box) return;
  if (event.target === box) {
    choose(film, box.checked, event.shiftKey);
  } else if (event.target.matches(".front button")) {
    choose(film, true);
  } else if (event.shiftKey && event.target.closest(".spine, th a")) {
    event.preventDefault();
    choose(film, !box.checked || Boolean(anchor), true);
  }
});

document.addEventListener("change", ({ target }) => {
  if (target === every()) {
    for (const film of films()) boxOf(film).checked = target.checked;
    tell();
  }
  if (target.matches?.(".selected select")) tell();
  if (target !== selecting()) return;
  if (target.checked) tell();
  else clear();
});

document.addEventListener("reset", ({ target }) => {
  if (target === form()) queueMicrotask(tell); // the checkboxes are cleared after this event
});

document.addEventListener("keydown", (event) => {
  const hasOwn = document.querySelector(":popover-open, dialog[open]") || event.target.matches("[type=search], select");
  if (event.key === "Escape" && !event.defaultPrevented && form() && !hasOwn) clear();
});

document.addEventListener("films:changed", tell);

document.addEventListener("submit", (event) => {
  if (event.target !== form()) return;
  event.preventDefault();
  if (busy) return;
  const button = event.submitter;
  const fields = new URLSearchParams(new FormData(event.target, button));
  if (fields.get("do") === "delete" && isLarge()) {
    if (!asking) return ask(button);
    fields.set("confirmed", number());
  }
  send(fields, button);
});

/** Whether more films are selected than fit on a screen, or so many that nobody checked each. */
function isLarge() {
  if (number() > unconfirmed()) return true;
  const isSeen = (film) => {
    const { top, bottom } = film.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  };
  return every().checked && number() > films().filter(isSeen).length;
}

/** Asks for a second click on the button, which shows the number. */
function ask(button) {
  asking = { button, number: number(), text: button.textContent };
  button.textContent = `Delete ${count(asking.number, "film")}?`;
  button.parentElement.classList.add("asks");
  document.getElementById("announcement").textContent = `${button.textContent} Press the button once more.`;
}

function stopAsking() {
  if (!asking) return;
  asking.button.textContent = asking.text;
  asking.button.parentElement.classList.remove("asks");
  asking = undefined;
}

// A double click counts as one.
document.addEventListener("click", (event) => {
  if (asking && event.detail > 1 && event.target === asking.button) event.preventDefault();
});
document.addEventListener("focusout", ({ target }) => target === asking?.button && stopAsking());

async function send(fields, button) {
  busy = true;
  button.setAttribute("aria-busy", "true");
  try {
    // The response is the page after the form, or a problem document.
    const headers = { Accept: "text/html, application/problem+json" };
    const of = form();
    const fresh = await page("/selection", { method: "POST", body: fields, headers });
    sayOf(fresh, () => bringBack(fields));
    const alone = fields.get("do") === "delete" && !fields.has("all");
    if (of !== form()) await renew(); // another view is shown meanwhile
    else if (alone && remove(fields)) await renew(fresh, { keepFilms: true });
    else await renew(fresh);
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    if (refusal.status === 409) await changedMeanwhile();
    else say(refusal.message);
  } finally {
    busy = false;
    stopAsking();
    button.removeAttribute("aria-busy");
  }
}

/** Shows the films again after the undo of a deletion, and moves the focus to the first one that came back. */
async function bringBack(fields) {
  const ids = fields.get("do") === "delete" && !fields.has("all") ? idsOf(fields) : new Set();
  await renew();
  const film = films().find((one) => ids.has(idOf(one)));
  if (film) focus(film);
}

const idsOf = (fields) => new Set(fields.getAll("id").flatMap((ids) => ids.split(",")));

/** More films match than the user has confirmed. */
async function changedMeanwhile() {
  await renew();
  say("Nothing was deleted: more films match now. Look again.");
}

/** Removes the deleted films, and moves the focus to the next one if it was there. Films that were selected meanwhile
 *  stay selected. Returns whether any films are left. */
function remove(fields) {
  const gone = idsOf(fields);
  const all = films();
  const first = all.findIndex((film) => gone.has(idOf(film)));
  const stays = (film) => !gone.has(idOf(film));
  const next = all.slice(first).find(stays) ?? all.slice(0, Math.max(first, 0)).findLast(stays);
  if (next) {
    const { activeElement: focused, body } = document;
    const isHere = focused === body || form().contains(focused);
    for (const film of all) if (!stays(film)) film.remove();
    for (const post of document.querySelectorAll(".post:is(:last-child, :has(+ .post))")) post.remove();
    if (isHere && !filmOf(focused)?.isConnected) focus(next);
  }
  if (!next || selected().length === 0) clear();
  else tell();
  return Boolean(next);
}

tell();

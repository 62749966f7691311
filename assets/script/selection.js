// Films that are selected: by their boxes, with Shift a whole range, or all that match; and what is done with them.

import { boxOf, filmOf, films, focus, idOf, renew, selected } from "./films.js";
import { say } from "./messages.js";
import { page, Refusal } from "./service.js";

const form = () => document.getElementById("selection");
const every = () => document.querySelector("#every input");
const selecting = () => document.getElementById("selecting");

/** The film from which a range goes on. */
let anchor;
let busy = false;

/** Tells how many are selected. */
function count() {
  const selects = Boolean(selecting()?.checked);
  document.body.classList.toggle("is-selecting", selects);
  if (!selects) return; // the number is not shown, and to look through thousands of films for it takes its time
  const number = every().checked ? Number(every().dataset.films) : selected().length;
  const text = number === 1 ? "1 film selected" : `${number.toLocaleString("en")} films selected`;
  const output = form().querySelector("output");
  if (output.value !== text) output.value = text;
}

/** Selects a film or no longer; with `range` also those from the last one on. */
function choose(film, on, range) {
  const all = films();
  const place = all.indexOf(film);
  const from = range && anchor?.isConnected ? all.indexOf(anchor) : place;
  for (const one of all.slice(Math.min(from, place), Math.max(from, place) + 1)) boxOf(one).checked = on;
  anchor = film;
  if (on) selecting().checked = true;
  else every().checked = false;
  count();
}

function clear() {
  form().reset();
  anchor = undefined;
  count();
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
    count();
  }
  if (target !== selecting()) return;
  if (target.checked) count();
  else clear();
});

document.addEventListener("reset", ({ target }) => {
  if (target === form()) queueMicrotask(count); // the boxes are cleared behind this event
});

document.addEventListener("keydown", (event) => {
  const hasOwn = document.querySelector(":popover-open, dialog[open]") || event.target.matches("[type=search], select");
  if (event.key === "Escape" && form() && !hasOwn) clear();
});

document.addEventListener("films:changed", count);

document.addEventListener("submit", (event) => {
  if (event.target !== form()) return;
  event.preventDefault();
  send(new URLSearchParams(new FormData(event.target, event.submitter)));
});

async function send(fields) {
  if (busy) return;
  busy = true;
  try {
    // The answer is the page behind the form, or a problem that a program can read.
    const headers = { Accept: "text/html, application/problem+json" };
    const fresh = await page("/selection", { method: "POST", body: fields, headers });
    tell(fresh);
    const alone = fields.get("do") === "delete" && !fields.has("all");
    if (alone && remove(fields)) await renew(fresh, { keepFilms: true });
    else await renew(fresh);
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    say(refusal.message);
  } finally {
    busy = false;
  }
}

/** Says what the page behind the form says. */
function tell(fresh) {
  const message = fresh.getElementById("messages");
  const change = message.querySelector("[name=change]")?.value;
  say(message.querySelector("p").textContent, { change, done: () => renew() });
}

/** Takes the deleted films away, and leads the focus to the next one. Tells whether any films stay. */
function remove(fields) {
  const gone = new Set(fields.getAll("id").flatMap((ids) => ids.split(",")));
  const all = films();
  const first = all.findIndex((film) => gone.has(idOf(film)));
  const stays = (film) => !gone.has(idOf(film));
  const next = all.slice(first).find(stays) ?? all.slice(0, Math.max(first, 0)).findLast(stays);
  clear();
  if (!next) return false;
  for (const film of all) if (!stays(film)) film.remove();
  for (const post of document.querySelectorAll(".post:is(:last-child, :has(+ .post))")) post.remove();
  focus(next);
  return true;
}

count();

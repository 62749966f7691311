// Keyboard commands on every page, and their list. The single-character ones can be turned off.

import { boxOf, filmOf, films, focus, idOf, selected } from "./films.js";
import { undoLatest } from "./messages.js";
import { update } from "./update.js";

const OFF = "reelshelf.keys-off";
/** The keys, what they do, and whether they require the right to edit. */
const KEYS = [
  [["/"], "search"],
  [["n"], "add a film", true],
  [["j", "k"], "next film, previous film"],
  [["←", "→", "↑", "↓"], "from film to film, also on a film's page"],
  [["g", "…"], "to the films with that letter or digit"],
  [["Enter"], "open the film"],
  [["1", "…", "5"], "rate the film", true],
  [["e"], "edit the film", true],
  [["x"], "select or deselect the film", true],
  [["Shift", "click"], "select all from the last selected film to this one", true],
  [["Escape"], "select none", true],
  [["Delete"], "delete the selected films, or this one", true],
  [["z"], "undo the last change", true],
  [["?"], "show this list"],
];

const isOff = () => localStorage.getItem(OFF) === "1";
const current = () => filmOf(document.activeElement);

/** The position of the film that last had the focus. */
let last = 0;
/** Whether the next key is the target of a jump. */
let jumps = false;

const characters = {
  "/": () => document.getElementById("q")?.focus(),
  "?": showKeys,
  n: () => document.querySelector('.site-nav a[href="/add"]')?.click(),
  j: () => step(1),
  k: () => step(-1),
  e: edit,
  x: () => current() && boxOf(current())?.click(),
  z: undoLatest,
  g: () => (jumps = true),
};
for (const stars of "12345") characters[stars] = () => rate(stars);

const others = {
  ArrowRight: () => !inTable() && step(1),
  ArrowLeft: () => !inTable() && step(-1),
  ArrowDown: () => (inTable() ? step(1) : stepRow(1)),
  ArrowUp: () => (inTable() ? step(-1) : stepRow(-1)),
  Delete: remove,
};

document.addEventListener("focusin", () => {
  if (current()) last = films().indexOf(current());
});

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (isTyped(event) || document.querySelector("dialog[open]")) return;
  const jump = jumps;
  jumps = false;
  const command = event.key.length > 1 ? ofFilm(event) : !isOff() && (jump ? () => toSignpost(event.key) : characters[event.key]);
  if (!command) return;
  event.preventDefault();
  command();
});

/** Whether the focused element handles a key itself. */
function isTyped({ target, key }) {
  if (target.matches("select, textarea, [contenteditable]")) return true;
  if (target.matches("input:not([type=checkbox])")) return target.type !== "radio" || key.startsWith("Arrow");
  return false;
}

/** What a key other than a character does with the focused film. */
function ofFilm({ key, target }) {
  if (key === "Delete" && selected().length > 0) return remove;
  if (!current()) return beside(key);
  // Links and buttons handle it themselves.
  if (key === "Enter") return target.matches("a, button") ? undefined : () => current().querySelector("th a")?.click();
  return others[key];
}

const inTable = () => current().matches("tr");

/** Edits the focused film, or the film of this page. */
function edit() {
  const film = current();
  if (film && idOf(film)) location.assign(`/edit/${idOf(film)}`);
  else if (!film) document.getElementById("edit")?.click();
}

/** On the page of a film: the link to the film beside it. */
function beside(key) {
  const link = document.querySelector({ ArrowLeft: ".beside [rel=prev]", ArrowRight: ".beside [rel=next]" }[key] ?? "#none");
  return link ? () => link.click() : undefined;
}

/** Sets the rating of the focused film, or of the film of this page. */
function rate(stars) {
  const within = document.activeElement.closest(".rate, tr, .film") ?? document;
  const button = within.querySelector(`.rate [value="${stars}"], form.rating [value="${stars}"]`);
  if (button) button.click();
  else if (current() && idOf(current())) update(current(), { rating: Number(stars) });
}

function step(by) {
  const all = films();
  const here = current();
  const next = here ? all[all.indexOf(here) + by] : all[Math.min(last, all.length - 1)];
  if (next) focus(next);
}

/** Moves to the nearest film in the row above or below. */
function stepRow(by) {
  const all = films();
  const box = (film) => film.getBoundingClientRect();
  const middle = ({ left, right }) => (left + right) / 2;
  const here = box(current());
  let row;
  let nearest;
  for (let n = all.indexOf(current()) + by; all[n]; n += by) {
    const there = box(all[n]);
    if (there.top === here.top) continue;
    row ??= there.top;
    if (there.top !== row) break;
    const distance = Math.abs(middle(there) - middle(here));
    if (!nearest || distance < nearest.distance) nearest = { film: all[n], distance };
  }
  if (nearest) focus(nearest.film);
}

function remove() {
  if (selected().length === 0) boxOf(current())?.click();
  document.querySelector("#selection [value=delete]")?.click();
}

/** Jumps to the first film with this letter, this digit of a decade, or this rating. */
function toSignpost(key) {
  const wanted = key.toUpperCase();
  const is = ({ textContent: label }) =>
    label === wanted ||
    (/\d/.test(key) && (label === "0–9" || label === "★".repeat(key) || /^\d\d(\d)0s$/.exec(label)?.[1] === key)) ||
    (label.length > 2 && /^[A-Z]/.test(label) && label.startsWith(wanted));
  const link = [...document.querySelectorAll(".jumps a")].find(is);
  if (!link) return;
  link.click();
  const toPost = () => {
    const post = link.hash && document.getElementById(link.hash.slice(1));
    const film = link.hash ? filmOf(post) ?? post?.nextElementSibling : films()[0];
    if (film) focus(film);
  };
  if (link.hash) toPost();
  else document.addEventListener("films:changed", () => setTimeout(toPost), { once: true });
}

let dialog;
function showKeys() {
  dialog ??= makeDialog();
  dialog.showModal();
}

function makeDialog() {
  const made = document.createElement("dialog");
  made.className = "keys";
  made.setAttribute("aria-labelledby", "keys");
  made.innerHTML = `<form method="dialog"><h2 id="keys">Keys</h2><dl></dl><label><input type="checkbox"> Use single-key shortcuts</label><button autofocus>Close</button></form>`;
  const mayEdit = document.querySelector('.pick, .site-nav a[href="/add"]') !== null;
  for (const [keys, words, edits] of KEYS) {
    if (edits && !mayEdit) continue;
    const [names, does] = [document.createElement("dt"), document.createElement("dd")];
    for (const key of keys) names.append(Object.assign(document.createElement("kbd"), { textContent: key }), " ");
    does.textContent = words;
    made.querySelector("dl").append(names, does);
  }
  const box = made.querySelector("input");
  box.checked = !isOff();
  box.addEventListener("change", () => (box.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1")));
  document.body.append(made);
  return made;
}

const button = document.createElement("button");
button.type = "button";
button.className = "plain";
button.textContent = "Keys";
button.addEventListener("click", showKeys);
document.querySelector(".foot").append(button);

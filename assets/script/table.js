// Edits format and rating in the table. A row gets its controls when it comes near the window, so that the
// page stays small. Telephones have none: the controls would be too small for fingers.

import { idOf, titleOf } from "./films.js";
import { show, starsInWords, update } from "./update.js";

/** How long a change by keys waits for another one of the row, in milliseconds: arrow keys pass values in between. */
const WAIT = 400;

const room = matchMedia("(min-width: 40.01rem)");
const near = new IntersectionObserver(
  (rows) => {
    for (const { target, isIntersecting } of rows) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      waiting.push(target);
    }
    if (waiting.length > 0 && !timer) timer = idle(work);
  },
  { rootMargin: "400px" },
);

/** The rows near the window that have no controls yet. They get them when the browser is idle: those of a whole window
 *  would delay the next key. */
const waiting = [];
let timer;
const idle = globalThis.requestIdleCallback ?? ((work) => setTimeout(work, 50));
const ROWS_AT_ONCE = 3;

function work() {
  for (const row of waiting.splice(0, ROWS_AT_ONCE)) {
    // A row that was observed again while it waited is in the list twice.
    if (row.isConnected && !row.querySelector(".rate")) enliven(row);
  }
  timer = waiting.length > 0 ? idle(work) : undefined;
}

/** The pending changes of a row, and when they are sent. */
const pending = new Map();
let byKey = false;

function watch() {
  if (!room.matches) return;
  for (const row of document.querySelectorAll("tr[data-version]:not(:has(.rate))")) near.observe(row);
}

function enliven(row) {
  const [format, rating] = [row.querySelector(".format"), row.querySelector(".rating")];
  const stars = [...rating.textContent].filter((star) => star === "★").length;
  const movie = { movieFormat: format.textContent, rating: stars };
  const select = document.querySelector("#selection select[name=movieFormat]").cloneNode(true);
  select.removeAttribute("name");
  select.options[0].remove();
  select.ariaLabel = `Format of ${titleOf(row)}`;
  const rate = document.createElement("div");
  rate.className = "rate";
  rate.role = "radiogroup";
  rate.ariaLabel = `Rating of ${titleOf(row)}`;
  for (let value = 1; value <= 5; value++) {
    const radio = Object.assign(document.createElement("input"), { type: "radio", name: `rating-${idOf(row)}`, value });
    radio.ariaLabel = starsInWords(value);
    radio.setAttribute("form", ""); // not a part of the form around the table
    const label = document.createElement("label");
    label.append(radio);
    rate.append(label);
  }
  format.replaceChildren(select);
  rating.replaceChildren(rate);
  show(row, movie);
}

document.addEventListener("change", ({ target }) => {
  const row = target.closest("tr[data-version]");
  if (!row || !target.matches(".format select, .rate input")) return;
  const changed = target.type === "radio" ? { rating: Number(target.value) } : { movieFormat: target.value };
  const { timer, changes } = pending.get(row) ?? {};
  clearTimeout(timer);
  pending.set(row, { timer: setTimeout(send, byKey ? WAIT : 0, row), changes: { ...changes, ...changed } });
});
document.addEventListener("keydown", () => (byKey = true));
document.addEventListener("pointerdown", () => (byKey = false));
// When a row loses the focus, its changes are sent at once.
document.addEventListener("focusout", ({ target, relatedTarget }) => {
  const row = target.closest("tr[data-version]");
  if (row && !row.contains(relatedTarget)) send(row);
});
addEventListener("pagehide", () => [...pending.keys()].forEach(send));

/** Sends the pending changes of a row. */
function send(row) {
  const { timer, changes } = pending.get(row) ?? {};
  if (!changes) return;
  clearTimeout(timer);
  pending.delete(row);
  update(row, changes);
}

// Shift and a click on a heading adds it as the second sort key.
document.addEventListener("click", (event) => {
  const heading = event.shiftKey && event.target.closest(".films thead a");
  if (!heading) return;
  event.preventDefault();
  const here = new URL(location.href);
  const sort = (address) => address.searchParams.get("sort") ?? "title";
  const keys = sort(here).split(",");
  const wanted = sort(new URL(heading.href));
  const name = wanted.replace("-", "");
  const place = keys.findIndex((key) => key.replace("-", "") === name);
  if (place < 0) keys.push(wanted);
  else keys[place] = keys[place].startsWith("-") ? name : `-${name}`;
  here.searchParams.delete("cursor");
  here.searchParams.set("sort", keys.join(","));
  heading.href = here;
  heading.click(); // a plain click, as in other views
});

room.addEventListener("change", watch);
document.addEventListener("films:changed", watch);
watch();

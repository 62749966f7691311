// A double click sends a form once.

/** How close two clicks are that are meant as one, in milliseconds. */
const DOUBLE = 1000;

const sent = new WeakMap();

// On the window, behind the scripts that send a form themselves.
addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  if (event.timeStamp - sent.get(event.target) < DOUBLE) event.preventDefault();
  else sent.set(event.target, event.timeStamp);
});

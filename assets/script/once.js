// A double click sends a form only once.

/** Two clicks within this time count as one, in milliseconds. */
const DOUBLE = 1000;

const sent = new WeakMap();

// On the window, after the scripts that send a form themselves.
addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  if (event.timeStamp - sent.get(event.target) < DOUBLE) event.preventDefault();
  else sent.set(event.target, event.timeStamp);
});

// A line at the top while the service is unreachable. Forms keep their values and are not sent until it is back.

/** The interval between attempts, in milliseconds. */
const PAUSE = 3000;
const AWAY = "The service cannot be reached. What you typed stays here; this page tries again by itself.";
const HELD = "Not sent, since the service cannot be reached. What you typed stays here; try again when this line is gone.";

const line = document.createElement("div");
line.className = "offline";
line.setAttribute("role", "status");
document.body.prepend(line);

let away = false;

const reached = () => fetch("/health/live", { cache: "no-store" }).then((answer) => answer.ok, () => false);
const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE));

/** A request failed: if the service is unreachable, shows that until it is back. */
export async function lost() {
  if (away) return;
  away = true;
  let failed = false;
  while (!(await reached())) {
    failed = true;
    if (!line.textContent) line.textContent = AWAY;
    await pause();
  }
  away = false;
  line.textContent = "";
  if (failed) document.dispatchEvent(new Event("service:back"));
}

addEventListener("offline", lost);
if (!navigator.onLine) lost();

document.addEventListener("submit", (event) => {
  if (!line.textContent) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  line.textContent = HELD;
}, { capture: true });

// Shows times by the clock of the reader: how long ago, or date and time.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const ago = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const whole = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

function words(time) {
  const passed = time - Date.now();
  const length = Math.abs(passed);
  if (length < MINUTE) return "just now";
  if (length < HOUR) return ago.format(Math.trunc(passed / MINUTE), "minute");
  if (length < DAY) return ago.format(Math.trunc(passed / HOUR), "hour");
  return whole.format(time);
}

/** Formats the times within an element in the reader's language. */
export function tell(root = document) {
  for (const element of root.querySelectorAll("time[datetime]")) {
    const time = new Date(element.dateTime);
    element.textContent = words(time);
    element.title = whole.format(time);
  }
}

tell();
setInterval(() => tell(), MINUTE);

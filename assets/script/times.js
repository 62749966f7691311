// Times as the reader's clock has them: how long ago, or the day and the hour.

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

/** Tells the times within an element in the reader's own words. */
export function tell(root = document) {
  for (const element of root.querySelectorAll("time[datetime]")) {
    const time = new Date(element.dateTime);
    element.textContent = words(time);
    element.title = whole.format(time);
  }
}

tell();
setInterval(() => tell(), MINUTE);

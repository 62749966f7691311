// On every page: messages, keys, times, forms that are sent once, what others change, what was typed and not sent,
// and what is when the service cannot be reached.

import "./keyboard.js";
import "./menus.js";
import "./messages.js";
import "./drafts.js";
import "./times.js";
import "./once.js";
import "./live.js";
import "./offline.js";

navigator.serviceWorker?.register("/worker.js").catch(() => undefined); // the next page tries again

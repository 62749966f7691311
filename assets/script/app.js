// On every page: messages, keys, times, what others change, what was typed and not sent, and what is when the
// service cannot be reached.

import "./keyboard.js";
import "./messages.js";
import "./drafts.js";
import "./times.js";
import "./live.js";
import "./offline.js";

navigator.serviceWorker?.register("/worker.js").catch(() => undefined); // the next page tries again

// Runs on every page: messages, keyboard, times, double submits, live changes, drafts, and the state of the
// connection.

import "./keyboard.js";
import "./menus.js";
import "./messages.js";
import "./drafts.js";
import "./times.js";
import "./once.js";
import "./live.js";
import "./offline.js";

navigator.serviceWorker?.register("/worker.js").catch(() => undefined); // the next page tries again

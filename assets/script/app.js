// On every page: messages, keys, and what was typed and not sent.

import "./keyboard.js";
import "./messages.js";
import "./drafts.js";

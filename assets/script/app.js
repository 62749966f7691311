// On every page: messages, and what was typed and not sent.

import "./messages.js";
import "./drafts.js";

// On every page: messages.

import "./messages.js";

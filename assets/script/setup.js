// The set-up: takes the one-time code from the fragment of the URL, which browsers do not send.

import "./passwords.js";

const field = document.getElementById("code");
const code = new URLSearchParams(location.hash.slice(1)).get("code");
if (code) {
  field.value = code;
  history.replaceState(null, "", location.pathname); // so that the history does not contain it either
}
const wrong = document.querySelector('[aria-invalid="true"]');
(wrong ?? (field.value ? document.getElementById("name") : field)).focus();

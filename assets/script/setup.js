// The set-up: takes the one-time code from the fragment of the address, which browsers send to nobody.

const field = document.getElementById("code");
const code = new URLSearchParams(location.hash.slice(1)).get("code");
if (code) {
  field.value = code;
  history.replaceState(null, "", location.pathname); // so that it stays in no history either
}
const wrong = document.querySelector('[aria-invalid="true"]');
(wrong ?? (field.value ? document.getElementById("name") : field)).focus();

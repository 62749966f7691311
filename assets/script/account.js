// The account page: a button that copies a new token.

import { say } from "./messages.js";
import "./passwords.js";

const secret = document.getElementById("secret");
if (secret) {
  document.getElementById("made").focus();
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(secret.value);
      say("Copied.");
    } catch {
      secret.select(); // without https there is no clipboard
      say("Selected: copy it with the keyboard.");
    }
  });
  secret.after(button);
}

// The account: a button that copies a token which was just made.

import { say } from "./messages.js";

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
      secret.select(); // over plain http there is no clipboard
      say("Selected: copy it with the keyboard.");
    }
  });
  secret.after(button);
}

// The messages at the foot of the page, each with Undo where that can be.

import { ask } from "./service.js";

const messages = document.getElementById("messages");

/** How long a message stays that nobody points at, in milliseconds; one with Undo stays until the next. */
const STAY = 8000;

/** Tells a sentence; `change` is the id of a change that can be undone, `done` is called when it was. */
export function say(text, { change, done } = {}) {
  const message = document.createElement("div");
  const paragraph = document.createElement("p");
  paragraph.textContent = text;
  message.append(paragraph);
  if (change) message.append(undo(change, done));
  messages.replaceChildren(message);
  if (!change) setTimeout(() => message.remove(), STAY);
}

/** Takes a change back. */
export async function takeBack(change) {
  const undone = await (await ask(`/history/${change}/undo`, { method: "POST" })).json();
  return undone.id;
}

function undo(change, done) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "undo";
  button.textContent = "Undo";
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await takeBack(change);
      say("Undone.");
      await done?.();
    } catch (refusal) {
      say(refusal.message);
    }
  });
  return button;
}

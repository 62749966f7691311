// The messages at the foot of the page, each with Undo where that can be.

import { ask } from "./service.js";

const messages = document.getElementById("messages");

/** The changes that were made from this page: they are no news to it. */
export const own = new Set();

/** How long a message stays that nobody points at, in milliseconds; one with Undo stays until the next. */
const STAY = 8000;

/** Takes back the last change of this page that was not taken back yet. */
let takeLatestBack;

/** Tells a sentence; `change` is the id of a change that can be undone, `done` is called when it was. */
export function say(text, { change, done } = {}) {
  const message = document.createElement("div");
  const paragraph = document.createElement("p");
  paragraph.textContent = text;
  message.append(paragraph);
  if (change) {
    const button = undo(change, done);
    takeLatestBack = () => button.click();
    own.add(change);
    message.append(button);
  }
  messages.replaceChildren(message);
  if (!change) setTimeout(() => message.remove(), STAY);
}

/** Takes a change back. */
export async function takeBack(change) {
  const undone = await (await ask(`/history/${change}/undo`, { method: "POST" })).json();
  own.add(undone.id);
  return undone.id;
}

/** Takes the last change back: the one of the message, or else the last of this page. */
export function undoLatest() {
  const shown = messages.querySelector(".undo");
  if (shown) shown.click();
  else if (takeLatestBack) takeLatestBack();
  else say("There is nothing to undo on this page.");
}

function undo(change, done) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "undo";
  button.textContent = "Undo";
  button.addEventListener("click", async () => {
    button.disabled = true;
    takeLatestBack = undefined;
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

// Messages at the bottom of the page, with Undo if possible. One disappears by ×, by Escape, or after a time. A message
// with Undo is also shown on the next pages for a minute.

import { ask } from "./service.js";

const messages = document.getElementById("messages");
const { user } = document.body.dataset;

/** The changes that this page made: they are not news to it. */
export const own = new Set();

/** How long a message stays if it has neither the pointer nor the focus, in milliseconds. */
const STAY = 8000;
const STAY_WITH_UNDO = 20_000;
/** How long a message with Undo is also shown on other pages, in milliseconds. */
const COMES_ALONG = 60_000;
/** Where the message for the next pages is stored, for this tab. */
const KEPT = "message";

/** Undoes the last change that this page knows and that was not undone. */
let undoKnown;
/** Removes the message. */
let dismiss = () => false;
/** What had the focus before the message. */
let before;

/** Shows a sentence; `change` is the id of a change that can be undone by a button with this `label`, `done` is called
 *  after the undo. If the undo `asks`, the service shows a page for confirmation. `link` has the part of the sentence
 *  that is a link, and its URL. */
export function say(text, { change, label = "Undo", asks, done, link } = {}) {
  const id = Number(change);
  if (!id) return show(makeMessage({ text, link }), STAY);
  own.add(id);
  keep({ text, link, change: id, label, until: Date.now() + COMES_ALONG });
  if (asks) {
    undoKnown = () => sendUndo(id);
    return show(makeMessage({ text, link }, undoForm(id, label)), STAY_WITH_UNDO);
  }
  const button = undoButton("button", label);
  button.addEventListener("click", () => undo(id, button, done));
  undoKnown = () => undo(id, button, done);
  show(makeMessage({ text, link }, button), STAY_WITH_UNDO);
}

/** Shows the message of a page of the service; `done` is called after its undo. */
export function sayOf(fresh, done) {
  const message = fresh.querySelector("#messages > *");
  if (message) say(message.querySelector("p").textContent, { ...read(message), done });
}

/** The change of a message of the service, its undo button, and the link in it. */
function read(message) {
  const link = message.querySelector("p a");
  const [asks, label] = [message.querySelector("[data-asks]") !== null, message.querySelector(".undo")?.textContent];
  const change = Number(message.querySelector("[name=change]")?.value);
  return { change, label, asks, link: link && { text: link.textContent, href: link.getAttribute("href") } };
}

/** Shows why something failed, unless the service is unreachable: a line at the top of the page shows that. */
export function sayFailed(error) {
  if (error.name !== "AbortError" && error.status !== 0) say(error.message);
}

/** Undoes the last change: that of the message, or else the last one of this page. */
export function undoLatest() {
  const shown = messages.querySelector(".undo");
  if (shown) shown.click();
  else if (undoKnown) undoKnown();
  else say("There is nothing to undo on this page.");
}

async function undo(change, button, done) {
  if (button.ariaBusy) return;
  button.ariaBusy = "true"; // a disabled button would lose the focus
  undoKnown = undefined;
  try {
    const undone = await (await ask(`/history/${change}/undo`, { method: "POST" })).json();
    own.add(undone.id);
    keep();
    say("Undone.");
    await done?.();
  } catch (refusal) {
    say(refusal.message);
  }
}

function makeMessage({ text, link }, ...more) {
  const message = document.createElement("div");
  const sentence = document.createElement("p");
  const [before, after] = link ? text.split(link.text) : [text];
  sentence.append(before);
  if (link) sentence.append(Object.assign(document.createElement("a"), { href: link.href, textContent: link.text }), after);
  message.append(sentence, ...more);
  return message;
}

function undoButton(type, label) {
  return Object.assign(document.createElement("button"), { type, className: "undo", textContent: label });
}

/** The form that the service also puts behind its messages; the next page shows what was undone. */
function undoForm(change, label) {
  const form = Object.assign(document.createElement("form"), { method: "post", action: "/undo" });
  const fields = { change, back: location.pathname + location.search };
  for (const [name, value] of Object.entries(fields)) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
  form.append(undoButton("submit", label));
  return form;
}

/** Undoes a change whose message has disappeared. */
function sendUndo(change) {
  const form = undoForm(change, "Undo");
  form.hidden = true;
  messages.append(form);
  form.requestSubmit();
}

/** Stores the message for the next pages; without one, deletes the stored message. */
function keep(message) {
  if (message) sessionStorage.setItem(KEPT, JSON.stringify({ ...message, user }));
  else sessionStorage.removeItem(KEPT);
}

/** The stored message, unless it belongs to another user or is too old. */
function kept() {
  const message = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  return message?.user === user && message.until > Date.now() ? message : undefined;
}

/** Shows a message until it is dismissed; `stay` is its time without pointer and focus, in milliseconds. */
function show(message, stay) {
  const close = Object.assign(document.createElement("button"), { type: "button", className: "close", textContent: "×", ariaLabel: "Dismiss" });
  message.append(close);
  for (const old of [...messages.children]) if (old !== message) takeAway(old);
  messages.append(message);

  let timer;
  const hold = () => clearTimeout(timer);
  const wait = () => {
    hold();
    timer = setTimeout(() => message.isConnected && !message.contains(document.activeElement) && !document.hidden && dismiss(), stay);
  };
  dismiss = () => {
    if (!message.isConnected) return false;
    hold();
    takeAway(message);
    keep();
    return true;
  };
  close.addEventListener("click", () => dismiss());
  message.addEventListener("pointerenter", ({ pointerType }) => pointerType !== "touch" && hold());
  message.addEventListener("pointerleave", wait);
  message.addEventListener("focusin", ({ relatedTarget }) => {
    if (!message.contains(relatedTarget)) before = relatedTarget;
    hold();
  });
  message.addEventListener("focusout", wait);
  seen = () => message.isConnected && wait();
  wait();
}

/** Removes a message; its focus returns to where it was before. */
function takeAway(message) {
  const focused = message.contains(document.activeElement);
  message.remove();
  if (focused) (before?.isConnected ? before : document.getElementById("main")).focus();
}

/** What happens with the message when the page becomes visible again. */
let seen = () => {};
document.addEventListener("visibilitychange", () => document.hidden || seen());

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  const { target } = event;
  if (document.querySelector(":popover-open, dialog[open], .menu[open]") || target.matches("select") || (target.type === "search" && target.value)) return;
  if (dismiss()) event.preventDefault();
});

// The message of the page, or else the stored one.
const [first] = messages.children;
if (first) {
  const { change, label, link } = read(first);
  if (change) undoKnown = () => sendUndo(change);
  keep(change ? { text: first.querySelector("p").textContent, link, change, label, until: Date.now() + COMES_ALONG } : undefined);
  show(first, change ? STAY_WITH_UNDO : STAY);
} else {
  const message = kept();
  if (message) {
    undoKnown = () => sendUndo(message.change);
    const again = makeMessage(message, undoForm(message.change, message.label));
    again.dataset.again = "";
    show(again, STAY_WITH_UNDO);
  }
}

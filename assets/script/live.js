// Shows changes of other users at once, without moving the content: a line offers to load them.

import { own } from "./messages.js";
import { lost } from "./offline.js";
import { settled } from "./service.js";
import { count } from "./words.js";

/** How long this page can take to read the response to its own request, in milliseconds. */
const LATER = 2000;
/** The delay before a new connection if the browser does not reconnect, in milliseconds. */
const PAUSE = 10_000;

const DONE = { create: "added", delete: "deleted", import: "imported", undo: "undid a change of", restore: "restored" };

const user = document.body.dataset.user;
const main = document.querySelector("main.collection, main.changes, main.film-page");
/** The film of this page, if only its changes are shown. */
const film = Number(new URLSearchParams(location.search).get("film") ?? document.querySelector("[data-film].about")?.dataset.film);

const line = document.createElement("div");
line.className = "news";
line.setAttribute("role", "status");
const sentence = new Text();
const button = document.createElement("button");
button.type = "button";
button.textContent = "Show";
button.addEventListener("click", show);

/** The last change that this page knows. */
const known = document.body.dataset;

let stream;
let news = [];

function begin() {
  if (stream || document.hidden) return;
  stream = new EventSource(`/events?lastEventId=${known.newest}`);
  stream.addEventListener("message", ({ data, lastEventId }) => {
    known.newest = lastEventId;
    const change = JSON.parse(data);
    // The same user may be signed in elsewhere, but the change may also come from this page.
    if (change.by === user) settled().then(() => setTimeout(heard, LATER, change));
    else heard(change);
  });
  // This page has missed changes that the history no longer has.
  stream.addEventListener("pruned", () => offer("The collection has changed"));
  stream.addEventListener("error", async () => {
    lost();
    if (stream?.readyState !== EventSource.CLOSED) return; // the browser reconnects
    end();
    if (await isSignedOut()) line.replaceChildren("You are signed out.", link("Sign in", `/login?next=${encodeURIComponent(location.pathname + location.search)}`));
    else setTimeout(begin, PAUSE);
  });
}

/** The stream does not tell why it was refused. */
const isSignedOut = () => fetch("/me", { cache: "no-store" }).then(({ status }) => status === 401, () => false);

function link(text, href) {
  const to = document.createElement("a");
  Object.assign(to, { textContent: text, href });
  return to;
}

/** Browsers limit the connections to one host, so hidden pages close theirs. */
function end() {
  stream?.close();
  stream = undefined;
}

function heard(change) {
  const elsewhere = film && change.movies === change.effects.length && change.effects.every(({ movieId }) => movieId !== film);
  if (own.has(change.id) || elsewhere) return;
  news.push(change);
  offer(main.matches(".changes") ? count(news.length, "new change") : words(news));
}

function offer(text) {
  sentence.data = text;
  if (!button.isConnected) line.replaceChildren(sentence, button); // the button may have the focus
}

/** Loads the changes: a listener with a list loads them (and calls `preventDefault`), otherwise the page reloads. */
function show() {
  news = [];
  if (line.contains(document.activeElement)) main.focus({ preventScroll: true });
  line.replaceChildren();
  if (document.dispatchEvent(new CustomEvent("films:refresh", { cancelable: true }))) location.reload();
}

function words(changes) {
  const same = (of) => new Set(changes.map(of)).size === 1;
  const by = same(({ by }) => by) ? changes[0].by : undefined;
  const kind = same(({ kind }) => kind) ? changes[0].kind : undefined;
  const films = count(changes.reduce((sum, { movies }) => sum + movies, 0), "film");
  const who = by === undefined ? "Others" : by === user ? "You" : `\u2068${by}\u2069`;
  return `${who} ${DONE[kind] ?? "changed"} ${films}${by === user ? " in another window" : ""}`;
}

if (main && known.newest !== undefined) {
  document.body.append(line);
  begin();
  document.addEventListener("visibilitychange", () => (document.hidden ? end() : begin()));
  document.addEventListener("service:back", () => (end(), begin()));
  addEventListener("pagehide", end);
  addEventListener("pageshow", begin);
}

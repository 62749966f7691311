// Importing: the preview follows the options, the browser keeps the file, and a bar shows the progress.

import { say } from "./messages.js";

/** Up to this size in bytes, each change of an option sends the file again; a larger file is sent by a button. */
const SMALL = 4 * 1024 * 1024;
/** The preview follows after this time without a key, in milliseconds. */
const PATIENCE = 300;

const main = document.getElementById("main");
const spoken = document.createElement("p");
spoken.className = "visually-hidden";
spoken.setAttribute("role", "status");
document.body.append(spoken);

let request;
let timer;
let importing = false;

const form = () => document.getElementById("import");

main.addEventListener("input", ({ target }) => {
  // Typing a value selects its option.
  if (target.matches(".each")) target.closest("fieldset").querySelector('[value="each"]').checked = true;
  const file = form()?.elements.file.files[0];
  offer();
  if (!file || importing) return;
  clearTimeout(timer);
  request?.abort();
  if (file.size <= SMALL) timer = setTimeout(send, target.matches("select, [type=file], [type=radio], [type=checkbox]") ? 0 : PATIENCE, "preview");
  else if (target.type === "file") say("A large file: press Preview to see what would be stored.");
});

main.addEventListener("submit", (event) => {
  if (event.target !== form()) return;
  event.preventDefault();
  clearTimeout(timer);
  request?.abort();
  if (!importing) send(event.submitter?.value ?? "preview");
});

for (const type of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(type, (event) => {
    const input = form()?.elements.file;
    if (!input || importing || !event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    main.classList.toggle("dropping", type === "dragover");
    if (type !== "drop") return;
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

/** Without a file all buttons are disabled; a small file is previewed at once. */
function offer() {
  const first = form()?.querySelector(".first");
  if (!first) return;
  const file = form().elements.file.files[0];
  for (const button of first.children) {
    button.disabled = !file;
    button.hidden = !file || file.size <= SMALL;
  }
}
offer();

/** Sends the form like its buttons; `what` is the value of the button. */
function send(what) {
  const data = new FormData(form());
  data.set("do", what);
  data.set("fileStays", "yes");
  const sent = (request = new XMLHttpRequest()); // only XMLHttpRequest reports the upload progress
  sent.open("POST", "/import");
  sent.setRequestHeader("Accept", "text/html");
  sent.responseType = "document";
  sent.addEventListener("load", () => show(sent));
  sent.addEventListener("error", () => say("Not sent: the service cannot be reached, or the file has changed."));
  sent.addEventListener("loadend", () => wait(false));
  wait(true);
  if (what === "import") watch(sent);
  sent.send(data);
}

function wait(busy) {
  main.setAttribute("aria-busy", busy);
  if (busy) return;
  importing = false;
  const progress = document.getElementById("progress");
  if (!progress) return;
  progress.hidden = true;
  for (const section of form().children) section.inert = false;
}

/** Shows the progress of the upload, then that the file is being stored, with a button that cancels. */
function watch(sent) {
  importing = true;
  for (const section of form().children) section.inert = !section.matches(".result");
  const progress = document.getElementById("progress");
  const [label, bar, stop] = progress.children;
  progress.hidden = false;
  label.textContent = "Sending";
  bar.value = 0;
  sent.upload.addEventListener("progress", ({ loaded, total }) => (bar.value = loaded / total));
  sent.upload.addEventListener("load", () => {
    bar.removeAttribute("value");
    spoken.textContent = label.textContent = "Storing";
  });
  stop.onclick = () => {
    sent.abort();
    form().querySelector("[name=do]").focus();
    say("Stopped.");
  };
}

/** Replaces this page by the response, but keeps the file and the focus. */
function show({ response, responseURL }) {
  if (new URL(responseURL).pathname === "/login") return location.assign("/login?next=%2Fimport");
  const fresh = response?.getElementById("main");
  if (!fresh?.matches(".import")) return say(fresh?.querySelector("h1 + p")?.textContent ?? "This did not work.");

  const { file } = form().elements;
  const focused = document.activeElement;
  const selector = focused.id ? `#${CSS.escape(focused.id)}` : `[name="${focused.name}"][value="${focused.value}"]`;
  const selection = [focused.selectionStart, focused.selectionEnd];
  const unfolded = new Set([...main.querySelectorAll("details[open]")].map(named));
  const { scrollY } = window;

  main.className = fresh.className;
  main.replaceChildren(...fresh.childNodes);
  document.title = response.title;
  for (const details of main.querySelectorAll("details")) details.open ||= unfolded.has(named(details));
  const input = document.getElementById("file");
  if (input) {
    for (const name of ["aria-invalid", "aria-describedby"]) file.toggleAttribute(name, input.hasAttribute(name));
    for (const { name, value } of input.attributes) file.setAttribute(name, value);
    input.replaceWith(file);
  }
  offer();
  const done = document.getElementById("imported");
  const again = done ?? (main.contains(focused) || !focused.isConnected ? main.querySelector(selector) : null);
  again?.focus({ preventScroll: !done });
  if (typeof selection[0] === "number") again?.setSelectionRange?.(...selection);
  window.scrollTo(0, done ? 0 : scrollY);
  const counts = [...main.querySelectorAll(".counts > div")].map(({ innerText }) => innerText.replace(/\s+/g, " "));
  spoken.textContent = [main.querySelector("#imported, #result").textContent, ...counts].join(", ");
}

/** The label of a folded list, without its number. */
const named = (details) => details.firstElementChild.textContent.replace(/[\d,]+/g, "");

// The file may have been chosen before this script ran, or restored by the browser after a reload.
const chosen = form()?.elements.file;
if (chosen?.files.length > 0) chosen.dispatchEvent(new Event("input", { bubbles: true }));

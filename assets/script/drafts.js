// Keeps what is typed into a form with `data-draft`, also when the session ends or the service cannot be
// reached: until the page shows that tells what was done, or one goes away by a link with `data-discard`.

const form = document.querySelector("form[data-draft]");
const place = location.pathname + location.search;
const DRAFTS = "draft ";
// Another user of this tab neither sees nor sends them.
const own = `${DRAFTS}${document.body.dataset.user} `;
const SENT = `${own}sent`;

const nameOf = (place) => `${own}at ${place}`;
const forget = (isGone) => {
  for (const name of Object.keys(sessionStorage)) {
    if (name.startsWith(DRAFTS) && isGone(name)) sessionStorage.removeItem(name);
  }
};
const fields = () => [...form.elements].filter(({ name, type }) => name && !["password", "file", "submit"].includes(type));
const isChosen = ({ type, checked }) => !["radio", "checkbox"].includes(type) || checked;
const typed = () => JSON.stringify(fields().filter(isChosen).map(({ name, value }) => [name, value]));
const isTyped = ({ type, value, defaultValue = value, checked, defaultChecked }) =>
  ["radio", "checkbox"].includes(type) ? checked !== defaultChecked : value !== defaultValue;
const keep = () => sessionStorage.setItem(nameOf(place), typed());
const discard = () => sessionStorage.removeItem(nameOf(place));

function restore(draft) {
  const pairs = JSON.parse(draft);
  for (const field of fields()) {
    const { name, type, value } = field;
    if (["radio", "checkbox"].includes(type)) {
      field.checked = pairs.some((pair) => pair[0] === name && pair[1] === value);
    } else {
      field.value = pairs.find((pair) => pair[0] === name)?.[1] ?? value;
    }
  }
}

/** A line that says what has happened, with a way out. */
function tell() {
  const line = document.createElement("p");
  line.className = "restored";
  line.setAttribute("role", "status");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "plain quiet";
  button.textContent = "Discard";
  button.addEventListener("click", () => {
    discard();
    location.replace(place);
  });
  line.append("Restored your draft. ", button);
  form.prepend(line);
}

// Who signs in again as the same user has what was sent done at once: the page that follows tells it, with Undo.
const USER = "user";
const again = document.querySelector('[data-kept="whole"]');
const isSameUser = sessionStorage.getItem(USER) === document.body.dataset.user;
sessionStorage.setItem(USER, document.body.dataset.user);
if (again && isSameUser) again.requestSubmit();

forget((name) => !name.startsWith(own));
document.querySelector('form[action="/logout"]')?.addEventListener("submit", () => forget(() => true));

// The page that follows a form tells what was done; if it does not, nothing was.
const sent = sessionStorage.getItem(SENT);
if (!document.querySelector("[data-kept]")) sessionStorage.removeItem(SENT); // there it is sent once more
if (sent && document.querySelector("#messages > :not([data-again])")) sessionStorage.removeItem(nameOf(sent));
if (form) {
  const draft = sessionStorage.getItem(nameOf(place));
  if (form.dataset.draft === "sent") {
    keep(); // the service has shown what was typed
  } else if (draft && draft !== typed()) {
    restore(draft);
    tell();
  } else if (!draft && fields().some(isTyped)) {
    keep(); // by somebody who was faster than this script
  }
  form.addEventListener("input", keep);
  form.addEventListener("submit", () => {
    keep();
    sessionStorage.setItem(SENT, place);
  });
  for (const link of form.querySelectorAll("a[data-discard]")) link.addEventListener("click", discard);
}

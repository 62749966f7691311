// Keeps the values of forms with `data-draft` if the session ends or the service is unreachable: until the next page
// shows that the form was saved, or the user leaves by a link with `data-discard`.

const form = document.querySelector("form[data-draft]");
const place = location.pathname + location.search;
const DRAFTS = "draft ";
// Drafts belong to one user: another user of this tab neither sees nor sends them.
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

/** Shows a line that tells what happened, with an action. */
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

// If the same user signs in again, the form is sent at once; the next page shows the message, with Undo.
const USER = "user";
const again = document.querySelector('[data-kept="whole"]');
const isSameUser = sessionStorage.getItem(USER) === document.body.dataset.user;
sessionStorage.setItem(USER, document.body.dataset.user);
if (again && isSameUser) again.requestSubmit();

forget((name) => !name.startsWith(own));
document.querySelector('form[action="/logout"]')?.addEventListener("submit", () => forget(() => true));

// The page after a form confirms that it was saved. Without a confirmation, nothing was saved.
const sent = sessionStorage.getItem(SENT);
if (!document.querySelector("[data-kept]")) sessionStorage.removeItem(SENT); // that page sends it again
if (sent && document.querySelector("#messages > :not([data-again])")) sessionStorage.removeItem(nameOf(sent));
if (form) {
  const draft = sessionStorage.getItem(nameOf(place));
  if (form.dataset.draft === "sent") {
    keep(); // the service has shown the values
  } else if (draft && draft !== typed()) {
    restore(draft);
    tell();
  } else if (!draft && fields().some(isTyped)) {
    keep(); // the user typed before this script ran
  }
  form.addEventListener("input", keep);
  form.addEventListener("submit", () => {
    keep();
    sessionStorage.setItem(SENT, place);
  });
  for (const link of form.querySelectorAll("a[data-discard]")) link.addEventListener("click", discard);
}

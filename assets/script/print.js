// Prints all films of the view, one line each, from `/print`, and not only those that are loaded.

const paper = document.createElement("section");
paper.className = "paper";

/** The browser does not wait for a promise here, so the request is synchronous. */
function bringAll() {
  const link = document.querySelector(".onward a[href^='/print']");
  if (!link) return;
  const request = new XMLHttpRequest();
  request.open("GET", link.href, false);
  try {
    request.send();
  } catch {
    return; // prints the loaded films, with a line that says so
  }
  const list = new DOMParser().parseFromString(request.responseText, "text/html").querySelector(".catalogue");
  if (request.status !== 200 || !list) return;
  paper.replaceChildren(list);
  document.querySelector("main").append(paper);
  document.body.classList.add("on-paper");
}

function takeAway() {
  document.body.classList.remove("on-paper");
  paper.replaceChildren();
  paper.remove();
}

addEventListener("beforeprint", bringAll);
addEventListener("afterprint", takeAway);
document.getElementById("print")?.addEventListener("click", () => print());

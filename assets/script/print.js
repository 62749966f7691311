// On paper stand all films of the view, not only those that were scrolled to: one line each, from `/print`.

const paper = document.createElement("section");
paper.className = "paper";

/** The browser does not wait for a promise here, so the list is fetched synchronously. */
function bringAll() {
  const link = document.querySelector(".onward a[href^='/print']");
  if (!link) return;
  const request = new XMLHttpRequest();
  request.open("GET", link.href, false);
  try {
    request.send();
  } catch {
    return; // those that are here are printed, with a line that says so
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

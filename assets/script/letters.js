// The letters above the films are one tab stop; arrow keys, Home and End move between them.

const bar = () => document.querySelector(".jumps");

function only(link) {
  for (const other of bar().querySelectorAll("a")) other.tabIndex = other === link ? 0 : -1;
}

function begin() {
  const first = bar()?.querySelector("a");
  if (first) only(first);
}

document.addEventListener("keydown", (event) => {
  const link = event.target.closest?.(".jumps a");
  if (!link || event.ctrlKey || event.altKey || event.metaKey) return;
  const links = [...bar().querySelectorAll("a")];
  const place = links.indexOf(link);
  const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: links.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  links[Math.min(Math.max(next, 0), links.length - 1)].focus();
});
document.addEventListener("focusin", ({ target }) => {
  if (target.closest(".jumps")) only(target);
});
document.addEventListener("films:changed", begin);
document.addEventListener("films:counted", begin);
begin();

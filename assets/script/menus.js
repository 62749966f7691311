// Menus close on a click elsewhere, when the focus leaves them, and on Escape. Only one is open (`name` in the page).

const open = () => document.querySelector("details.menu[open]");

function close(menu) {
  if (menu) menu.open = false;
}

document.addEventListener("pointerdown", ({ target }) => {
  const menu = open();
  if (menu && !menu.contains(target)) close(menu);
});
document.addEventListener("focusin", ({ target }) => {
  const menu = open();
  if (menu && !menu.contains(target)) close(menu);
});
document.addEventListener("keydown", (event) => {
  const menu = open();
  if (event.key !== "Escape" || !menu) return;
  event.preventDefault();
  event.stopPropagation(); // Escape does nothing else then
  if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
  close(menu);
}, { capture: true });
// A page that comes out of the browser's cache has its menus closed.
addEventListener("pagehide", () => close(open()));

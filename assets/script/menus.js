// Menus close when one clicks elsewhere, leaves them, or presses Escape. Only one is open at a time (`name` in the page).

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
  event.stopPropagation(); // it does nothing else then
  if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
  close(menu);
}, { capture: true });
// Who comes back finds the page as it was first.
addEventListener("pagehide", () => close(open()));

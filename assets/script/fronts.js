// Shows the front of a film below its spine if the bars at the top would cover it above the spine.

import { filmOf } from "./films.js";

function place({ target }) {
  const film = filmOf(target);
  const front = film?.querySelector(".front");
  if (!front || target.closest(".front")) return;
  film.classList.remove("low");
  // After the browser has scrolled to a focused film.
  requestAnimationFrame(() => {
    const bars = document.querySelector(".jumps") ?? document.querySelector(".top");
    film.classList.toggle("low", front.getBoundingClientRect().top < bars.getBoundingClientRect().bottom);
  });
}

document.addEventListener("pointerover", place);
document.addEventListener("focusin", place);

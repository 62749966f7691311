// The page for an unreachable service: it tries again by itself, but sends no form again.

/** The interval between attempts, in milliseconds. */
const PAUSE = 3000;

if (document.documentElement.matches(".sent")) {
  document.querySelector("a.of-form").addEventListener("click", (event) => {
    event.preventDefault();
    history.back();
  });
} else {
  const again = () => location.reload();
  addEventListener("online", again);
  setInterval(async () => {
    const answer = await fetch("/health/live", { cache: "no-store" }).catch(() => undefined);
    if (answer?.ok) again();
  }, PAUSE);
}

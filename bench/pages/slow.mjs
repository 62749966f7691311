// The collection on a slow processor: the duration of typing, opening a film and going back, and layout shifts.

const SLOWER = 4;
const TYPED = "gladiator";
const KEY_PAUSE_MS = 120;

/** Runs in each page: stores what the browser measures, across pages. */
function observe() {
  const kept = JSON.parse(sessionStorage.measured ?? "{}");
  const keep = (name, value) => {
    kept[name] = value;
    sessionStorage.measured = JSON.stringify(kept);
  };
  globalThis.measured = { event: 0, shift: 0, tasks: [] };
  new PerformanceObserver((list) => {
    for (const { duration, interactionId } of list.getEntries()) {
      if (interactionId) measured.event = Math.max(measured.event, duration);
    }
  }).observe({ type: "event", durationThreshold: 16, buffered: true });
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) measured.shift += value;
  }).observe({ type: "layout-shift", buffered: true });
  new PerformanceObserver((list) => measured.tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: "longtask", buffered: true });
  addEventListener("click", () => keep("click", Date.now()), { capture: true });
  addEventListener("pageshow", ({ persisted }) => {
    requestAnimationFrame(() => setTimeout(() => {
      keep("shown", Date.now());
      keep("persisted", persisted);
    }));
  });
  new PerformanceObserver((list) => {
    for (const { name, startTime } of list.getEntries()) {
      if (name === "first-contentful-paint") keep("painted", performance.timeOrigin + startTime);
    }
  }).observe({ type: "paint", buffered: true });
}

const read = (page, name) => page.evaluate((name) => JSON.parse(sessionStorage.measured)[name], name);

/** One round in a page of `context`: milliseconds, and the layout shift without a unit. */
export async function round(context, view) {
  const page = await context.newPage();
  await page.addInitScript(observe);
  const client = await context.newCDPSession(page);
  await client.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
  await page.goto(`/?view=${view}`, { waitUntil: "networkidle" });
  await page.waitForTimeout(1500);
  const shift = await page.evaluate(() => measured.shift);
  await page.evaluate(() => (measured.tasks = []));
  await page.getByRole("searchbox").focus();
  await page.waitForTimeout(300);
  await page.evaluate(() => (measured.event = 0));
  await page.keyboard.type(TYPED, { delay: KEY_PAUSE_MS });
  await page.waitForTimeout(1500);
  const { event, tasks } = await page.evaluate(() => measured);

  await page.goto(`/?view=${view}`, { waitUntil: "networkidle" });
  await page.waitForTimeout(500);
  const away = page.waitForURL(/\/(film|edit)\//, { waitUntil: "load" });
  await page.locator(".spine, tbody th a").nth(2).click();
  await away;
  await page.waitForTimeout(500);
  const click = (await read(page, "painted")) - (await read(page, "click"));
  const from = await page.evaluate(() => {
    const now = Date.now();
    setTimeout(() => history.back());
    return now;
  });
  await page.waitForTimeout(3000); // a page from the cache has no load event to wait for
  const back = (await read(page, "shown")) - from;
  const kept = await read(page, "persisted");
  const reasons = kept ? undefined : await page.evaluate(() => performance.getEntriesByType("navigation")[0].notRestoredReasons?.reasons?.map(({ reason }) => reason));
  await page.close();
  return { event, longest: Math.max(0, ...tasks), shift, click, back, kept, reasons };
}

// The collection, as a shelf and as a table.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { becomes, films, fitsInWidth, inEveryWay, isAccessible, NARROW, open, queries, start, takePictures, WIDE } from "./support.mjs";

const heading = (page) => page.getByRole("heading", { level: 1 });
const shown = (page) => page.locator(".film, table.films tbody tr");

let service;
before(async () => (service = await start()));
after(() => service.stop());

inEveryWay("one narrows the films down and comes back", () => service, async (page, { js, narrow }) => {
  await service.fill(films(60));
  await page.goto("/");
  await becomes(() => page.getByRole("heading", { level: 1 }).textContent(), "60 films");
  if (narrow) await page.getByRole("button", { name: "Filters" }).click();
  await page.getByRole("checkbox", { name: /^VHS/ }).check();
  if (!js) await page.getByRole("button", { name: "Apply" }).click();
  else if (narrow) await page.getByRole("button", { name: /^Show \d+ films?$/ }).click();
  const found = (await service.movies("?movieFormat=VHS")).length;
  await heading(page).getByText(`${found} films found`).waitFor();
  await queries(page, "?movieFormat=VHS");
  await page.goBack();
  await heading(page).getByText("60 films", { exact: true }).waitFor();
}, { as: "vera" });

for (const viewport of [WIDE, NARROW]) {
  test(`it looks well and is accessible at ${viewport.width}`, async () => {
    await service.empty();
    const page = await open(service, { viewport });
    await page.goto("/");
    await isAccessible(page);
    await takePictures(page, "empty");
    await service.fill(films(120));
    for (const [name, path] of [["shelf", "/"], ["table", "/?view=table"], ["nothing-found", "/?q=nothing+like+it"]]) {
      await page.goto(path);
      await isAccessible(page);
      await fitsInWidth(page);
      await takePictures(page, name);
    }
    await page.done();
  });
}

test("the front of a film reaches out of its shelf", async () => {
  await service.empty();
  await service.fill(films(300));
  const page = await open(service, { viewport: WIDE });
  await page.goto("/");
  await page.mouse.wheel(0, 100_000);
  const shelves = page.locator(".shelves .shelf");
  await shelves.nth(1).waitFor();
  await page.waitForFunction(() => document.querySelectorAll(".film").length === 300);
  const film = shelves.nth(1).locator(".film").nth(5);
  await film.scrollIntoViewIfNeeded();
  await film.locator(".spine").hover();
  const front = film.locator(".front");
  const place = () => front.evaluate((front) => {
    const [{ x, y, width, bottom }, shelf, spine] = [front, front.closest(".shelf"), front.previousElementSibling].map((element) => element.getBoundingClientRect());
    const seen = [x + 3, x + width - 3].map((x) => document.elementFromPoint(x, y + 3)?.closest(".front") === front);
    return { outside: y < shelf.y, over: bottom - spine.y > 20, seen };
  });
  await becomes(place, { outside: true, over: false, seen: [true, true] });
  await front.getByRole("link", { name: "Edit" }).click();
  await page.waitForURL(/\/edit\//);
  await page.done();
});

for (const viewport of [WIDE, NARROW]) {
  test(`films are found while one types, at ${viewport.width}`, async () => {
    await service.empty();
    await service.fill(films(250));
    const page = await open(service, { viewport });
    await page.goto("/?sort=-rating%2Ctitle");
    const search = page.getByRole("searchbox");
    await search.pressSequentially("zod");
    await page.waitForURL(/q=zod/);
    const exact = await service.movies("?q=zod");
    await heading(page).getByText(`${exact.length} films found`).waitFor();
    await becomes(() => shown(page).count(), exact.length);
    assert.match(page.url(), /sort=-rating%2Ctitle/);
    // The field keeps its text and focus, and a live region announces the result.
    await becomes(() => search.evaluate((field) => field === document.activeElement && field.value), "zod");
    await page.getByRole("status").getByText(`${exact.length} films found`).waitFor({ state: "attached" });
    // A search tolerates a typing error.
    await search.fill("zodaic");
    await page.getByText(/similar\./).waitFor();
    await page.waitForURL(/q=zodaic/);
    assert.ok((await shown(page).count()) >= exact.length);
    // One step back leads to the state before all typing.
    await page.goBack();
    await heading(page).getByText("250 films", { exact: true }).waitFor();
    await becomes(() => search.inputValue(), "");
    await page.goForward();
    await page.getByText(/similar\./).waitFor();
    await becomes(() => search.inputValue(), "zodaic");
    await page.done();
  });
}

/** Opens the collection, and delays its script until `act` has run. */
async function beforeTheScript(page, act) {
  let come;
  const time = new Promise((resolve) => (come = resolve));
  await page.route("**/collection.js", async (route) => {
    await time;
    await route.fallback();
  });
  await page.goto("/", { waitUntil: "commit" });
  await act();
  come();
}

test("what is typed before the script is there is searched", async () => {
  await service.empty();
  await service.fill(films(250));
  const page = await open(service);
  const search = page.getByRole("searchbox");
  await beforeTheScript(page, () => search.pressSequentially("zod"));
  await queries(page, "?q=zod");
  const found = (await service.movies("?q=zod")).length;
  await heading(page).getByText(`${found} films found`).waitFor();
  await becomes(() => search.evaluate((field) => field === document.activeElement && field.value), "zod");
  // After going back, the field matches the films, whatever was typed there.
  await page.goBack();
  await heading(page).getByText("250 films", { exact: true }).waitFor();
  await becomes(() => search.inputValue(), "");
  await page.goto("/docs/");
  await page.goBack();
  await heading(page).getByText("250 films", { exact: true }).waitFor();
  await page.waitForLoadState("networkidle");
  await becomes(() => search.inputValue(), "");
  await queries(page, "");
  await page.done();
});

test("a filter that is chosen before the script is there is applied", async () => {
  await service.empty();
  await service.fill(films(60));
  const page = await open(service);
  const box = page.getByRole("checkbox", { name: /^VHS/ });
  await beforeTheScript(page, () => box.check());
  const found = (await service.movies("?movieFormat=VHS")).length;
  await heading(page).getByText(`${found} films found`).waitFor();
  await queries(page, "?movieFormat=VHS");
  // The browser does not restore a checkbox after going back to a page where it was not ticked.
  await page.goBack();
  await heading(page).getByText("60 films", { exact: true }).waitFor();
  await page.reload();
  await page.waitForLoadState("networkidle");
  await becomes(() => box.isChecked(), false);
  await queries(page, "");
  await page.done();
});

for (const view of ["shelf", "table"]) {
  test(`further films come as one scrolls the ${view}, and the place is kept`, async () => {
    await service.empty();
    await service.fill(films(700));
    const page = await open(service);
    // The initial page: the script may have loaded more films already.
    const html = await (await page.goto(`/?view=${view}`)).text();
    assert.equal(html.match(view === "shelf" ? /<a class="spine/g : /<th scope="row"/g).length, 200);
    for (let count = 200; count < 700; count = await shown(page).count()) {
      await page.mouse.wheel(0, 100_000);
      await page.waitForFunction((count) => document.querySelectorAll(".film, tbody tr").length > count, count);
    }
    await becomes(() => shown(page).count(), 700);
    await becomes(() => page.getByRole("link", { name: "Next page" }).count(), 0);
    const titles = await page.locator(".film b, tbody th").allTextContents();
    assert.deepEqual(titles, (await service.movies("?sort=title")).map(({ title }) => title));
    const posts = await page.locator(".post h2").allTextContents();
    assert.equal(new Set(posts).size, posts.length);
    const ids = await page.locator("[id]").evaluateAll((elements) => elements.map(({ id }) => id));
    assert.equal(new Set(ids).size, ids.length);
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight / 2));
    const settled = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(scrollY))));
    const top = await page.evaluate(settled);
    await page.goto("/docs/");
    await page.goBack();
    await page.waitForFunction((top) => Math.abs(scrollY - top) < 100, top);
    // A search keeps the position.
    await page.getByRole("searchbox").pressSequentially("zod");
    await page.waitForURL(/q=zod/);
    await page.waitForFunction(() => document.querySelectorAll(".film, tbody tr").length < 700);
    await page.goBack();
    await page.waitForFunction(() => document.querySelectorAll(".film, tbody tr").length === 700);
    await page.done();
  });
}

test("filters answer at once, each with an address of its own", async () => {
  await service.empty();
  await service.fill(films(120));
  const page = await open(service);
  await page.goto("/");
  const box = page.getByRole("checkbox", { name: /^VHS/ });
  await box.check();
  const found = await service.movies("?movieFormat=VHS");
  await heading(page).getByText(`${found.length} films found`).waitFor();
  await queries(page, "?movieFormat=VHS");
  await becomes(() => box.evaluate((field) => field === document.activeElement), true);
  await page.getByRole("radio", { name: /4 stars/ }).check();
  const both = await service.movies("?movieFormat=VHS&rating=4..");
  await heading(page).getByText(`${both.length} films found`).waitFor();
  await becomes(() => shown(page).count(), both.length);
  await queries(page, "?movieFormat=VHS&rating=4..");
  await page.getByRole("link", { name: /Without the filter VHS/ }).click();
  await heading(page).getByText(`${(await service.movies("?rating=4..")).length} films found`).waitFor();
  await queries(page, "?rating=4..");
  await page.goBack();
  await heading(page).getByText(`${both.length} films found`).waitFor();
  await becomes(() => box.isChecked(), true);
  await page.done();
});

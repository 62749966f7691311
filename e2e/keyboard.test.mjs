// Keyboard commands.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { becomes, films, fitsInWidth, focuses, isAccessible, NARROW, open, start, takePictures, WIDE } from "./support.mjs";

let service;
before(async () => (service = await start()));
after(() => service.stop());

const current = (page) => page.evaluate(() => document.activeElement.closest(".film, tr")?.querySelector("bdi").textContent);
const message = (page, text) => page.getByRole("status").filter({ hasText: text });

async function press(page, ...keys) {
  for (const key of keys) await page.keyboard.press(key);
}

async function shelf() {
  await service.empty();
  await service.add("Alien", "VHS", 117, 1979, 5);
  await service.add("Brazil", "VHS", 132, 1985, 4);
  await service.add("Casablanca", "DVD", 102, 1942, 5);
  await service.add("Dune", "Streaming", 155, 2021, 4);
}

for (const view of ["shelf", "table"]) {
  test(`one walks, selects, deletes and undoes with keys alone (${view})`, async () => {
    await shelf();
    const page = await open(service);
    await page.goto(`/?view=${view}`);
    await press(page, "j");
    await becomes(() => current(page), "Alien");
    await press(page, "j", "j", "k");
    await becomes(() => current(page), "Brazil");
    await press(page, view === "shelf" ? "ArrowRight" : "ArrowDown");
    await becomes(() => current(page), "Casablanca");
    await press(page, "x");
    await page.locator("output").filter({ hasText: /^1 film selected$/ }).waitFor();
    await becomes(() => current(page), "Casablanca");
    await press(page, "k", "x");
    await page.locator("output").filter({ hasText: /^2 films selected$/ }).waitFor();
    await press(page, "Delete");
    await message(page, "Deleted 2 films.").waitFor();
    await becomes(() => current(page), "Dune");
    await press(page, "z");
    await page.getByRole("heading", { level: 1 }).filter({ hasText: "4 films" }).waitFor();
    assert.equal((await service.movies()).length, 4);
    // The first film that came back has the focus.
    await becomes(() => current(page), "Brazil");
    await press(page, "j", "j");
    await becomes(() => current(page), "Dune");
    // Without a selection the command applies to the focused film; after the last one the focus goes back.
    await press(page, "Delete");
    await message(page, "Deleted “\u2068Dune\u2069”.").waitFor();
    await becomes(() => current(page), "Casablanca");
    await page.done();
  });
}

test("arrows lead to the nearest film of the next row", async () => {
  await service.empty();
  await service.fill(films(120));
  const page = await open(service);
  await page.goto("/");
  await press(page, "j", "j", "j");
  const before = await page.evaluate(() => document.activeElement.closest(".film").getBoundingClientRect().toJSON());
  await press(page, "ArrowDown");
  const after = await page.evaluate(() => document.activeElement.closest(".film").getBoundingClientRect().toJSON());
  assert.ok(after.top > before.top && Math.abs(after.left - before.left) < 120, JSON.stringify([before, after]));
  const there = await current(page);
  await press(page, "ArrowUp", "ArrowDown");
  await becomes(() => current(page), there);
  await page.done();
});

test("g and a letter lead to a signpost, / to the search, and typing is no command", async () => {
  await shelf();
  const page = await open(service);
  await page.goto("/");
  await press(page, "g", "c");
  await becomes(() => current(page), "Casablanca");
  await press(page, "/");
  await focuses(page, "q");
  await page.keyboard.type("jxnz?");
  await becomes(() => page.locator("#q").inputValue(), "jxnz?");
  assert.equal(await page.locator("dialog").count(), 0);
  await page.goto("/?sort=releaseYear");
  await press(page, "g", "8");
  await becomes(() => current(page), "Brazil");
  await page.goto("/?sort=-rating,title");
  await press(page, "g", "4");
  await becomes(() => current(page), "Brazil");
  await page.done();
});

test("the list of keys can be had, and single characters turned off", async () => {
  await shelf();
  for (const viewport of [WIDE, NARROW]) {
    const page = await open(service, { viewport });
    await page.goto("/");
    await press(page, "?");
    const dialog = page.getByRole("dialog", { name: "Keys" });
    await dialog.waitFor();
    await isAccessible(page);
    await fitsInWidth(page);
    await takePictures(page, "keys");
    await dialog.getByRole("checkbox").uncheck();
    await press(page, "Escape");
    await dialog.waitFor({ state: "hidden" });
    await page.reload();
    await press(page, "j", "?");
    assert.equal(await current(page), undefined);
    assert.equal(await page.locator("dialog").count(), 0);
    // On devices without hover, such as telephones, the list of keys is hidden.
    if (viewport === WIDE) {
      await page.getByRole("button", { name: "Keys" }).click();
      await dialog.getByRole("checkbox").check();
      await dialog.getByRole("button", { name: "Close" }).click();
      await press(page, "j");
      await becomes(() => current(page), "Alien");
    }
    await page.done();
  }
});

test("who may only look walks too, and deletes nothing", async () => {
  await shelf();
  const page = await open(service, { as: "vera" });
  for (const view of ["shelf", "table"]) {
    await page.goto(`/?view=${view}`);
    await press(page, "j", "j");
    await becomes(() => current(page), "Brazil");
    await press(page, "x", "e", "3", "Delete");
    await becomes(() => current(page), "Brazil");
    await press(page, "?");
    await page.getByRole("dialog").waitFor();
    const keys = await page.getByRole("dialog").locator("dd").allTextContents();
    assert.equal(keys.some((words) => /delete|edit|rate/.test(words)), false);
    await press(page, "Escape");
  }
  assert.deepEqual((await service.movies("?sort=title")).map(({ rating }) => rating), [5, 4, 5, 4]);
  await page.done();
});

for (const viewport of [WIDE, NARROW]) {
  for (const view of ["shelf", "table"]) {
    test(`1 to 5 give stars to the film that has the focus (${view}, ${viewport.width})`, async () => {
      await shelf();
      const page = await open(service, { viewport });
      await page.goto(`/?view=${view}`);
      await press(page, "j", "j");
      await becomes(() => current(page), "Brazil");
      const rating = async () => (await service.movies("?q=brazil"))[0].rating;
      await press(page, "2");
      await message(page, "Changed “\u2068Brazil\u2069”: 2 stars.").waitFor();
      await becomes(rating, 2);
      const picture = page.locator(".film, tbody tr").filter({ hasText: "Brazil" }).locator(".stars");
      const isPicture = view === "shelf" || viewport === NARROW;
      if (isPicture) await becomes(() => picture.textContent(), "★★");
      if (view === "shelf") await page.getByRole("link", { name: "Brazil 1985, VHS, 2 stars", exact: true }).waitFor();
      await press(page, "1");
      await becomes(rating, 1);
      await becomes(() => current(page), "Brazil");
      await message(page, "Changed “\u2068Brazil\u2069”: 1 star.").waitFor();
      await press(page, "z");
      await becomes(rating, 2);
      if (isPicture) await becomes(() => picture.textContent(), "★★");
      await page.done();
    });
  }
}

test("a film keeps the focus when the next films are appended to the shelf", async () => {
  await service.empty();
  await service.fill(films(300));
  const page = await open(service, { viewport: WIDE });
  await page.goto("/");
  const spines = page.locator(".spine");
  const count = await spines.count();
  const title = await spines.last().locator("xpath=..").locator("bdi").textContent();
  await spines.last().focus(); // scrolls to it, and so the next films come
  await becomes(async () => (await spines.count()) > count, true);
  assert.equal(await current(page), title);
  await press(page, "j");
  await becomes(() => current(page).then((now) => now !== title && now !== undefined), true);
  await page.done();
});

test("the front of a film is below the bars at the top, for the keyboard and the mouse", async () => {
  await service.empty();
  await service.fill(films(300));
  const page = await open(service, { viewport: WIDE });
  await page.goto("/");
  /** Whether the front of the film is drawn, and nothing covers its upper edge. */
  const isSeen = (state) =>
    page.evaluate((state) => {
      const front = document.querySelector(`.spine:${state} + .front`);
      if (!front) return false;
      const { x, y, width } = front.getBoundingClientRect();
      return document.elementFromPoint(x + width / 2, y + 1)?.closest(".front") === front;
    }, state);
  await press(page, "j", ...Array(14).fill("ArrowDown"), ...Array(6).fill("ArrowUp"));
  await becomes(() => isSeen("focus"), true);
  await page.evaluate(() => document.activeElement.blur());
  const bars = await page.locator(".jumps").evaluate((jumps) => jumps.getBoundingClientRect().bottom);
  for (const room of [0, 60, 400]) {
    // The row of the 100th film begins this far below the bars.
    const { x, y } = await page.locator(".spine").nth(100).evaluate((spine, below) => {
      const row = () => spine.closest(".film").getBoundingClientRect();
      scrollBy(0, row().top - below);
      const { x, bottom } = spine.getBoundingClientRect();
      return { x: x + 5, y: bottom - 20 };
    }, bars + room);
    await page.mouse.move(x, y);
    await becomes(() => isSeen("hover"), true, `${room} px below the bars`);
  }
  await page.done();
});

// Films that are selected and changed together, or edited in the table.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { becomes, films, fitsInWidth, focuses, inEveryWay, isAccessible, NARROW, open, queries, reads, start, takePictures, WIDE } from "./support.mjs";

let service;
before(async () => (service = await start()));
after(() => service.stop());

const bar = (page) => page.getByRole("group", { name: "Selected films" });
const box = (page, title) => page.getByRole("checkbox", { name: title, exact: true });
const message = (page, text) => page.getByRole("status").filter({ hasText: text });
const titles = async () => (await service.movies("?sort=title")).map(({ title }) => title);
const formats = async () => (await service.movies("?sort=title")).map(({ movieFormat }) => movieFormat);

async function shelf() {
  await service.add("Alien", "VHS", 117, 1979, 5);
  await service.add("Brazil", "VHS", 132, 1985, 4);
  await service.add("Casablanca", "DVD", 102, 1942, 5);
  await service.add("Dune", "Streaming", 155, 2021, 4);
}

for (const view of ["shelf", "table"]) {
  inEveryWay(`one changes and deletes several films (${view})`, () => service, async (page, { js, narrow }) => {
    await shelf();
    await page.goto(`/?view=${view}`);
    await becomes(() => bar(page).isVisible(), !js && !narrow && view === "table");
    await page.locator(".selecting").click();
    await box(page, "Alien").check();
    await box(page, "Casablanca").check();
    await bar(page).getByLabel("Format").selectOption("Streaming");
    await bar(page).getByLabel("Rating").selectOption("2");
    await bar(page).getByRole("button", { name: "Change" }).click();
    await message(page, "Changed 2 films.").waitFor();
    if (js) await bar(page).locator("output").filter({ hasText: /^2 films selected$/ }).waitFor();
    assert.deepEqual(await formats(), ["Streaming", "VHS", "Streaming", "Streaming"]);
    await queries(page, `?view=${view}`);
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByRole("status").filter({ hasText: /Undone|Undid/ }).waitFor();
    assert.deepEqual(await formats(), ["VHS", "VHS", "DVD", "Streaming"]);

    await page.goto(`/?view=${view}&movieFormat=VHS`);
    await page.locator(".selecting").click();
    await page.getByRole("checkbox", { name: "Select all 2 that match" }).check();
    await bar(page).getByRole("button", { name: "Delete" }).click();
    await message(page, "Deleted 2 films.").waitFor();
    await page.getByText("No film matches this filter.").waitFor();
    if (js) await focuses(page, "main");
    assert.deepEqual(await titles(), ["Casablanca", "Dune"]);
  });
}

/** The number of selected films that the page shows. */
const count = (page) => bar(page).locator("output");

test("Shift selects a range, all can be selected, Escape none", async () => {
  await service.empty();
  await service.fill(films(230));
  const page = await open(service);
  for (const view of ["shelf", "table"]) {
    await page.goto(`/?view=${view}`);
    await page.locator(".selecting").click();
    const boxes = page.locator(".pick");
    await boxes.nth(2).check();
    await boxes.nth(7).click({ modifiers: ["Shift"] });
    await count(page).filter({ hasText: /^6 films selected$/ }).waitFor();
    await boxes.nth(4).click({ modifiers: ["Shift"] });
    await count(page).filter({ hasText: /^2 films selected$/ }).waitFor();
    await page.getByRole("checkbox", { name: "Select all 230 that match" }).check();
    await count(page).filter({ hasText: /^230 films selected$/ }).waitFor();
    await boxes.nth(0).uncheck();
    await count(page).filter({ hasText: /^199 films selected$/ }).waitFor();
    await page.keyboard.press("Escape");
    await bar(page).waitFor({ state: "hidden" });
    await becomes(() => page.locator(".pick:checked").count(), 0);
  }
  // Shift and a click on a spine selects.
  await page.goto("/");
  await page.locator(".spine").nth(1).click({ modifiers: ["Shift"] });
  await page.locator(".film").nth(4).click({ modifiers: ["Shift"] });
  await count(page).filter({ hasText: /^4 films selected$/ }).waitFor();
  // So does Select on the front.
  await page.keyboard.press("Escape");
  await page.locator(".film").nth(7).hover();
  await page.locator(".film").nth(7).getByText("Select", { exact: true }).click();
  await count(page).filter({ hasText: /^1 film selected$/ }).waitFor();
  await page.done();
});

test("a film that may be selected shows its title", async () => {
  await service.empty();
  await shelf();
  const page = await open(service);
  await page.goto("/");
  await page.locator(".selecting").click();
  await box(page, "Alien").check();
  const looks = await page.locator(".shelf .pick").evaluateAll((boxes) =>
    boxes.map((element) => {
      const [{ backgroundColor, borderTopWidth }, tag] = [undefined, "::before"].map((part) => getComputedStyle(element, part));
      return [backgroundColor, borderTopWidth, tag.display, tag.width, tag.height, tag.rotate].join(" ");
    }),
  );
  assert.deepEqual(new Set(looks), new Set(["rgba(0, 0, 0, 0) 0px block 20px 20px none"]));
  assert.equal(looks.length, 4);
  // The bar at the bottom covers none of the actions on a front.
  await page.locator(".film").nth(1).hover();
  await page.locator(".film .front:visible").waitFor();
  assert.equal(await page.locator(".front :is(a, button):visible").count(), 0);
  await page.done();
});

test("what is not on the page any more is taken from it, and the rest stays as it is", async () => {
  await service.empty();
  await shelf();
  const page = await open(service);
  await page.goto("/");
  await page.evaluate(() => (globalThis.same = true));
  await page.locator(".spine").nth(1).click({ modifiers: ["Shift"] });
  await bar(page).getByRole("button", { name: "Delete" }).click();
  await message(page, "Deleted “\u2068Brazil\u2069”.").waitFor();
  await becomes(() => page.locator(".spine b").allTextContents(), ["Alien", "Casablanca", "Dune"]);
  await becomes(() => page.locator(".post").allTextContents(), ["A", "C", "D"]);
  await becomes(() => page.getByRole("heading", { level: 1 }).textContent(), "3 films");
  await becomes(() => page.evaluate(() => /^Casablanca/.test(document.activeElement.textContent)), true);
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByRole("heading", { level: 1 }).filter({ hasText: "4 films" }).waitFor();
  await becomes(() => page.locator(".spine b").allTextContents(), ["Alien", "Brazil", "Casablanca", "Dune"]);
  assert.equal(await page.evaluate(() => globalThis.same), true);
  // Another user was faster with one of two.
  const [, , { id }] = await service.movies("?sort=title");
  await page.locator(".spine").nth(2).click({ modifiers: ["Shift"] });
  await page.locator(".film").nth(3).click({ modifiers: ["Shift"] });
  await service.api("DELETE", `/movie/${id}`);
  await bar(page).getByRole("button", { name: "Delete" }).click();
  await message(page, "Deleted “\u2068Dune\u2069”. 1 film no longer existed.").waitFor();
  await page.done();
});

test("rating and format are changed in place", async () => {
  await service.empty();
  await shelf();
  const page = await open(service);
  await page.goto("/?view=table");
  assert.equal((await page.getByRole("row").filter({ hasText: "Alien" }).boundingBox()).height, 32);
  const movie = async (title) => (await service.movies("?sort=title")).find((film) => film.title === title);
  await page.getByRole("radiogroup", { name: "Rating of “⁨Alien⁩”" }).getByRole("radio", { name: "2 stars" }).check();
  await message(page, "Changed “\u2068Alien\u2069”: 2 stars.").waitFor();
  assert.equal((await movie("Alien")).rating, 2);
  const alien = page.getByRole("row").filter({ hasText: "Alien" });
  const stars = () => alien.locator(".rate label").evaluateAll((labels) =>
    labels.map((label) => getComputedStyle(label, "::before").content[1]).join(""));
  await becomes(stars, "★★☆☆☆");
  await alien.getByRole("radio", { name: "4 stars" }).hover();
  await becomes(stars, "★★★★☆");
  await page.mouse.move(0, 0);
  await becomes(stars, "★★☆☆☆");
  await page.getByLabel("Format of “⁨Alien⁩”").selectOption("DVD");
  await message(page, "Changed “\u2068Alien\u2069”: DVD.").waitFor();
  await page.getByRole("checkbox", { name: "VHS 1 film", exact: true }).waitFor(); // with a new count
  assert.equal((await movie("Alien")).movieFormat, "DVD");
  await page.getByRole("button", { name: "Undo" }).click();
  await message(page, "Undone.").waitFor();
  await page.waitForFunction(() => document.querySelector(".format select").value === "VHS");
  assert.equal((await movie("Alien")).movieFormat, "VHS");
  // By keys: values in between are skipped.
  await page.getByRole("row").filter({ hasText: "Alien" }).getByRole("radio", { name: "2 stars" }).focus();
  for (const key of ["ArrowRight", "ArrowRight", "ArrowRight"]) await page.keyboard.press(key);
  await message(page, "Changed “\u2068Alien\u2069”: 5 stars.").waitFor();
  // Another user is faster.
  await service.api("PATCH", `/movie/${(await movie("Brazil")).id}`, { rating: 1, movieFormat: "DVD", releaseYear: 1986, length: 143 });
  const brazil = page.getByRole("row").filter({ hasText: "Brazil" });
  await brazil.getByRole("radio", { name: "3 stars" }).click(); // check() could look after the change is undone
  await message(page, "Somebody else changed “\u2068Brazil\u2069” meanwhile.").waitFor();
  await becomes(() => brazil.getByRole("radio", { name: "1 star", exact: true }).isChecked(), true);
  await becomes(() => brazil.getByRole("combobox").inputValue(), "DVD");
  assert.deepEqual(await brazil.locator(".number").allTextContents(), ["1986", "2 h 23"]);
  await brazil.getByRole("radio", { name: "3 stars" }).check();
  await message(page, "Changed “\u2068Brazil\u2069”: 3 stars.").waitFor();
  // The service is unreachable.
  await page.route("**/movie/batch", (route) => route.abort());
  await brazil.getByRole("radio", { name: "5 stars" }).click();
  await message(page, "“\u2068Brazil\u2069” is as it was. The service cannot be reached.").waitFor();
  await becomes(() => brazil.getByRole("radio", { name: "3 stars" }).isChecked(), true);
  await page.unroute("**/movie/batch");
  page.troubles.length = 0; // the browser reported the failed request
  // A film that was deleted.
  await service.api("DELETE", `/movie/${(await movie("Dune")).id}`);
  await page.getByRole("row").filter({ hasText: "Dune" }).getByRole("combobox").selectOption("VHS");
  await message(page, "“\u2068Dune\u2069” is not there any more.").waitFor();
  await page.done();
});

test("a film that was changed meanwhile is shown with all of its changes", async () => {
  await service.empty();
  await shelf();
  const [{ id }] = await service.movies("?q=Brazil");
  const changes = { title: "Bananas", movieFormat: "DVD", length: 82, releaseYear: 1971 };
  const page = await open(service);
  await page.goto("/");
  const spines = () => page.locator(".spine").evaluateAll((all) => all.map(({ ariaLabel }) => ariaLabel));
  await page.locator(".spine").nth(1).focus();
  await service.api("PATCH", `/movie/${id}`, changes);
  await page.keyboard.press("2");
  const shown = "Bananas 1971, DVD, 2 stars";
  await becomes(async () => (await spines())[1], shown);
  await reads(page.locator(".film:has(.spine:focus) .front"), "Bananas");
  await page.done();

  const narrow = await open(service, { viewport: NARROW });
  await narrow.goto("/?view=table");
  await service.api("PATCH", `/movie/${id}`, { title: "Brazil", movieFormat: "VHS" });
  await narrow.getByRole("link", { name: "Bananas" }).focus();
  await narrow.keyboard.press("3");
  await message(narrow, "Somebody else changed “\u2068Bananas\u2069” meanwhile.").waitFor();
  await becomes(() => narrow.locator("tbody tr").nth(1).locator("th, td:not(.picks)").allTextContents(), ["Brazil", "1971", "VHS", "1 h 22", "★★"]);
  await narrow.done();
});

test("a click with Shift on a heading sorts by it in second place", async () => {
  await service.empty();
  await shelf();
  const page = await open(service);
  await page.goto("/?view=table");
  await page.getByRole("link", { name: "Rating" }).click();
  await page.waitForURL((url) => url.searchParams.get("sort") === "-rating");
  await page.evaluate(() => (globalThis.same = true));
  await page.getByRole("link", { name: "Year" }).click({ modifiers: ["Shift"] });
  await page.waitForURL((url) => url.searchParams.get("sort") === "-rating,-releaseYear");
  await page.getByRole("columnheader", { name: "Year" }).and(page.locator(".then-down")).waitFor();
  await becomes(() => page.locator("tbody bdi").allTextContents(), ["Alien", "Casablanca", "Dune", "Brazil"]);
  await page.getByRole("link", { name: "Year" }).click({ modifiers: ["Shift"] });
  await page.waitForURL((url) => url.searchParams.get("sort") === "-rating,releaseYear");
  await page.locator(".then-up").waitFor();
  assert.ok(await page.evaluate(() => globalThis.same));
  await becomes(() => page.locator("tbody bdi").allTextContents(), ["Casablanca", "Alien", "Brazil", "Dune"]);
  await page.done();
});

test("who may only look finds nothing to change", async () => {
  await service.empty();
  await shelf();
  const page = await open(service, { as: "vera" });
  for (const view of ["shelf", "table"]) {
    await page.goto(`/?view=${view}`);
    assert.equal(await page.locator("#selection, .pick, #selecting, .rate, td select").count(), 0);
  }
  await page.done();
});

for (const viewport of [WIDE, NARROW]) {
  test(`selecting looks well and is accessible at ${viewport.width}`, async () => {
    await service.empty();
    await service.fill(films(60));
    const page = await open(service, { viewport });
    for (const view of ["shelf", "table"]) {
      await page.goto(`/?view=${view}`);
      await page.locator(".selecting").click();
      for (const n of [1, 2, 6]) await page.locator(".pick").nth(n).check();
      await fitsInWidth(page);
      await page.setViewportSize({ ...viewport, height: 6000 }); // so that the bars cover no film
      await isAccessible(page);
      await page.setViewportSize(viewport);
      await takePictures(page, `selection-${view}`);
    }
    await page.done();
  });
}

// Users who act while the page waits for the service: nothing that they did is lost.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { becomes, films, focuses, hold, NARROW, open, queries, reads, start, WIDE } from "./support.mjs";

let service;
before(async () => (service = await start()));
after(() => service.stop());

const heading = (page, text) => page.getByRole("heading", { level: 1 }).filter({ hasText: text }).waitFor();
const focused = (page) => page.evaluate(() => document.activeElement.closest(".film")?.querySelector("bdi").textContent ?? document.activeElement.textContent);
const search = (page) => page.getByRole("searchbox");

async function shelf() {
  await service.empty();
  await service.fill(films(300));
}

for (const viewport of [WIDE, NARROW]) {
  const widths = `(${viewport.width})`;

  test(`the focus and an open menu stay when the list is replaced ${widths}`, async () => {
    await shelf();
    const page = await open(service, { viewport });
    for (const [control, text] of [[".film:has-text('The Network 3') .spine", "The Network 3"], [".jumps a:text-is('N')", "N"], [".sorts summary", "Order: Title A–Z"]]) {
      await page.goto("/");
      const release = await hold(page, "/");
      await search(page).fill("the");
      if (control.startsWith(".sorts")) await page.locator(control).click();
      else await page.locator(control).first().focus();
      release();
      await heading(page, "films found");
      await queries(page, "?q=the");
      await becomes(() => focused(page).then((now) => now.trim()), text);
      assert.equal(await page.locator(".sorts[open]").count(), control.startsWith(".sorts") ? 1 : 0);
      await page.unrouteAll({ behavior: "wait" });
    }
    await page.done();
  });

  test(`two changes of the view in a row are both made ${widths}`, async () => {
    await shelf();
    const page = await open(service, { viewport });
    const chip = (name) => page.getByRole("link", { name: `Without the filter ${name}` });
    const order = async (name) => {
      await page.locator(".sorts summary").click();
      await page.getByRole("link", { name }).click();
    };
    for (const [from, acts, query] of [
      ["/?movieFormat=DVD&movieFormat=VHS&length=..150", [() => chip("DVD").click(), () => chip("VHS").click()], "?length=..150"],
      ["/?movieFormat=DVD&length=..150", [() => chip("DVD").click(), () => search(page).fill("heat")], "?length=..150&q=heat"],
      ["/", [() => order("Last added first"), () => search(page).fill("heat")], "?sort=-createdAt&q=heat"],
      ["/", [() => page.getByRole("link", { name: "Table" }).click(), () => search(page).fill("heat")], "?view=table&q=heat"],
      ["/?releaseYear=1990..1999", [() => search(page).fill("heat"), () => chip("1990").click()], "?q=heat"],
    ]) {
      await page.goto(from);
      const release = await hold(page, "/");
      for (const act of acts) await act();
      release();
      await queries(page, query);
      await becomes(() => search(page).inputValue(), new URLSearchParams(query).get("q") ?? "");
      await page.unrouteAll({ behavior: "wait" });
    }
    await page.done();
  });

  test(`films that come late do not replace those of a newer search ${widths}`, async () => {
    await shelf();
    const page = await open(service, { viewport });
    await page.goto("/");
    await heading(page, "300 films");
    await service.add("Abba", "DVD", 90, 2000, 3);
    await page.locator(".news").getByRole("button", { name: "Show" }).waitFor();
    const release = await hold(page, "/", 1);
    await page.locator(".news").getByRole("button", { name: "Show" }).click();
    await search(page).fill("ikiru");
    await heading(page, "films found");
    await queries(page, "?q=ikiru");
    const answer = page.waitForResponse((response) => new URL(response.url()).search === "");
    release();
    await answer;
    // Its films would be shown now.
    await search(page).fill("ikiru 2");
    await queries(page, "?q=ikiru+2");
    await becomes(() => page.locator(".film bdi").allTextContents().then((titles) => titles.every((title) => title.includes("Ikiru"))), true);
    await page.done();
  });

  test(`back and forward lead to the text of a view and to the place in it ${widths}`, async () => {
    await shelf();
    const page = await open(service, { viewport });
    await page.goto("/?releaseYear=1950..");
    await page.getByRole("link", { name: "Table" }).click();
    await queries(page, "?releaseYear=1950..&view=table");
    await page.evaluate(() => scrollTo(0, 700));
    await becomes(() => page.evaluate(() => history.state?.top), 700);
    await page.goBack();
    await queries(page, "?releaseYear=1950..");
    await page.goForward();
    await becomes(() => page.evaluate(() => scrollY), 700);
    if (viewport === WIDE) {
      const year = page.getByLabel("from");
      await year.fill("1990");
      await year.press("Enter");
      await queries(page, "?view=table&releaseYear=1990..");
      await page.goBack();
      await queries(page, "?releaseYear=1950..&view=table");
      await becomes(() => year.inputValue(), "1950");
    }
    await page.done();
  });

  test(`more news leave the focus on the button that shows them ${widths}`, async () => {
    await shelf();
    const page = await open(service, { viewport });
    await page.goto("/");
    const news = page.locator(".news");
    for (const count of [1, 2]) {
      await service.add(`Abba ${count}`, "DVD", 90, 2000, 3);
      await reads(news, `olivia\u2069 added ${count} film`);
      if (count === 1) await news.getByRole("button").focus();
    }
    assert.equal(await focused(page), "Show");
    await page.keyboard.press("Enter");
    await heading(page, "302 films");
    await focuses(page, "main");
    await page.done();
  });

  test(`the last of several stars on a film's page counts, and the focus stays ${widths}`, async () => {
    await service.empty();
    const { id } = await service.add("Heat", "DVD", 170, 1995, 5);
    const page = await open(service, { viewport });
    await page.goto(`/film/${id}`);
    const release = await hold(page, `/film/${id}/rating`);
    const star = (name) => page.getByRole("button", { name, exact: true });
    await star("1 star").click();
    await star("3 stars").click();
    await page.getByRole("link", { name: "Edit", exact: true }).focus();
    release();
    await becomes(() => star("3 stars").getAttribute("aria-pressed"), "true");
    await focuses(page, "edit");
    assert.equal((await service.api("GET", `/movie/${id}`)).rating, 3);
    await page.done();
  });

  test(`films that are selected while others are deleted stay selected ${widths}`, async () => {
    await shelf();
    const page = await open(service, { viewport });
    await page.goto("/");
    const release = await hold(page, "/selection");
    await page.locator(".spine").nth(2).focus();
    await page.keyboard.press("Delete");
    await page.locator(".spine").nth(4).focus();
    const title = await focused(page);
    await page.keyboard.press("x");
    release();
    await reads(page.locator("#messages"), "Deleted");
    await becomes(() => page.getByRole("group", { name: "Selected films" }).locator("output").textContent(), "1 film selected");
    assert.equal(await page.locator(".film:has(.pick:checked) bdi").textContent(), title);
    assert.equal(await focused(page), title);
    await page.done();
  });
}

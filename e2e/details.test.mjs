// Details of the design, at both widths: search, shelf, filters, orders, Tonight, users and signing in.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { becomes, films, fitsInWidth, focuses, isAccessible, NARROW, open, PASSWORD, start, WIDE } from "./support.mjs";

let service;
before(async () => {
  service = await start();
  await service.fill(films(300));
});
after(() => service.stop());

const box = (locator) => locator.evaluate((element) => element.getBoundingClientRect().toJSON());
const styleOf = (locator, name, pseudo) =>
  locator.evaluate((element, [name, pseudo]) => getComputedStyle(element, pseudo)[name], [name, pseudo]);

/** A test at both widths, of a page that is open. */
const atBothWidths = (name, walk, options = {}) => {
  for (const viewport of [WIDE, NARROW]) {
    test(`${name} (${viewport.width})`, async () => {
      const page = await open(service, { viewport, ...options });
      await walk(page, viewport === NARROW);
      await page.done();
    });
  }
};

atBothWidths("the ring of the search is around all of it, in both directions of writing", async (page) => {
  await page.goto("/?q=zodaic&movieFormat=DVD");
  const [search, field] = [page.getByRole("search"), page.getByRole("searchbox")];
  await field.focus();
  await becomes(() => styleOf(search, "outlineStyle"), "solid");
  assert.equal(await styleOf(field, "outlineStyle"), "none");
  for (const text of ["zodaic", "הרכבת"]) {
    await field.fill(text);
    const radii = await search.evaluate((element) => {
      const { borderTopLeftRadius, borderTopRightRadius } = getComputedStyle(element);
      return [borderTopLeftRadius, borderTopRightRadius];
    });
    assert.deepEqual(radii, ["6px", "6px"], text);
    assert.equal(await styleOf(field, "borderTopWidth"), "0px");
  }
});

atBothWidths("what typing errors were forgiven stands apart from the filters", async (page) => {
  await page.goto("/?q=zodaic&rating=1..");
  const [chips, line] = [await box(page.locator(".chips")), await box(page.locator(".list > p").first())];
  assert.ok(line.top - chips.bottom >= 8, JSON.stringify([chips, line]));
});

atBothWidths("a shelf of streams has low rows, and tiles have patterns", async (page) => {
  for (const [format, height] of [["Streaming", 156], ["DVD", 240]]) {
    await page.goto(`/?movieFormat=${format}`);
    assert.equal((await box(page.locator(".film").first())).height, height, format);
  }
  await page.goto("/?movieFormat=Streaming");
  const patterns = await page.locator(".tile .spine").evaluateAll((tiles) => tiles.map((tile) => getComputedStyle(tile).backgroundImage));
  assert.ok(new Set(patterns).size >= 5, `${new Set(patterns).size}`);
});

atBothWidths("spines ask for a narrow face on every system", async (page) => {
  await page.goto("/");
  const faces = await styleOf(page.locator(".spine").first(), "fontFamily");
  for (const face of ["Avenir Next Condensed", "Roboto Condensed", "sans-serif-condensed", "Bahnschrift SemiCondensed", "Arial Narrow"]) {
    assert.ok(faces.includes(face), face);
  }
});

atBothWidths("at night tapes have a rim, and boxes the colours of the page", async (page) => {
  await page.goto("/");
  const rim = () => styleOf(page.locator(".vhs .spine").first(), "boxShadow");
  assert.equal(await rim(), "none");
  await page.emulateMedia({ colorScheme: "dark" });
  assert.match(await rim(), /inset/);
  const tick = page.locator("#filters input[type=checkbox]").first();
  assert.equal(await styleOf(tick, "appearance"), "none");
  const faint = await page.locator(".filters small").first().evaluate((element) => getComputedStyle(element).color);
  assert.equal(await styleOf(tick, "borderTopColor"), faint);
});

atBothWidths("decades are bars at the edge of the other filters, and nothing is cut where there is room", async (page, narrow) => {
  if (!narrow) await page.setViewportSize({ width: 1920, height: 1400 });
  await page.goto("/");
  if (narrow) await page.getByRole("button", { name: "Filters", exact: true }).click();
  const filters = page.locator("#filter-sheet");
  const decades = filters.locator("ul a");
  const counted = await decades.evaluateAll((links) =>
    links.map((link) => [Number(link.querySelector("small").firstChild.textContent), link.querySelector("rect").getBoundingClientRect().width]),
  );
  const [most, longest] = counted.reduce((one, other) => (other[0] > one[0] ? other : one));
  for (const [number, width] of counted) assert.ok(Math.abs(width / longest - number / most) < 0.03, JSON.stringify(counted));
  const [decade, label] = [await box(decades.first()), await box(filters.locator("fieldset > label").first())];
  assert.equal(decade.left, label.left);
  assert.ok(Math.abs((await box(decades.first().locator("small"))).right - (await box(filters.locator("fieldset > label small").first())).right) <= 1);
  if (!narrow) assert.ok(await filters.evaluate(({ scrollHeight, clientHeight }) => scrollHeight <= clientHeight));
  await fitsInWidth(page);
});

atBothWidths("the order has a name, and there are orders both ways", async (page) => {
  await page.goto("/");
  const order = page.locator(".sorts summary");
  assert.equal(await order.textContent().then((text) => text.trim()), "Order: Title A–Z");
  await order.click();
  for (const [name, query] of [["Title Z–A", "?sort=-title"], ["Worst rated first", "?sort=rating%2Ctitle"], ["Last changed first", "?sort=-updatedAt"]]) {
    const link = page.locator(".sorts").getByRole("link", { name, exact: true });
    assert.equal(await link.getAttribute("href"), `/${query}`);
  }
  await page.locator(".sorts").getByRole("link", { name: "Last added first" }).click();
  await page.getByText("Order: Last added first").waitFor({ state: "attached" });
  await page.goto("/?sort=id");
  assert.equal(await order.textContent().then((text) => text.trim()), "Order: custom");
});

atBothWidths("Tonight's form stands near the film, with equal fields and one main button", async (page, narrow) => {
  await page.goto("/tonight");
  const [film, form] = [await box(page.locator("#pick")), await box(page.locator(".evening"))];
  const gap = narrow ? form.top - film.bottom : form.left - film.right;
  assert.ok(gap >= 0 && gap <= 64, `${gap}`);
  const [from, to] = [await box(page.getByLabel("from")), await box(page.getByLabel("to", { exact: true }))];
  assert.ok(Math.abs(from.width - to.width) < 0.1, `${from.width} ${to.width}`);
  const main = await page.locator("main :is(button, .button):not(.quiet)").allTextContents();
  assert.deepEqual(main, ["Another one"]);
});

atBothWidths("the button that opens a user's form stays where it is", async (page) => {
  await page.goto("/users");
  const summary = page.getByText("Change edward");
  const before = await box(summary);
  await summary.click();
  await becomes(() => page.locator("details[open]").count(), 1);
  const after = await box(summary);
  assert.ok(Math.abs(before.right - after.right) <= 1, JSON.stringify([before, after]));
  await fitsInWidth(page);
}, { as: "olivia" });

atBothWidths("a length is read back only where it differs from what is written", async (page) => {
  const [{ id }] = await service.movies("?length=116..&limit=1");
  await page.goto(`/edit/${id}`);
  const read = page.locator("#length-read");
  assert.equal(await read.textContent(), "");
  const field = page.getByLabel("Length");
  for (const [written, understood] of [["116", "= 1 h 56"], ["1 h 56", ""], ["1:57", "= 1 h 57"]]) {
    await field.fill(written);
    await becomes(() => read.textContent(), understood);
  }
});

atBothWidths("signing in shows a shelf of five films, and the focus where a mistake is", async (page) => {
  await page.goto("/login");
  assert.equal(await page.getByText("Reelshelf", { exact: true }).count(), 1);
  const spines = page.locator(".scene .spine");
  assert.equal(await spines.count(), 5);
  assert.ok(await spines.last().isVisible());
  await fitsInWidth(page);
  await isAccessible(page);
  await page.getByLabel("User name").fill("edward");
  await page.getByLabel("Password").fill(`not ${PASSWORD}`);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").filter({ hasText: "Not signed in" }).waitFor();
  await focuses(page, "password");
  const password = page.getByLabel("Password");
  assert.equal(await password.getAttribute("aria-invalid"), "true");
  assert.notEqual(await styleOf(password, "borderTopColor"), await styleOf(page.getByLabel("User name"), "borderTopColor"));
}, { as: null });

atBothWidths("a title is cut at its end, also where it is written from the right", async (page) => {
  const title = "הרכבת האחרונה שיוצאת מתחנת הגבול אל העיר הרחוקה";
  const { id } = await service.add(title, "DVD", 100, 2001, 4);
  await page.goto(`/?q=${encodeURIComponent("הרכבת")}`);
  const label = page.locator(".dvd .spine b").first();
  assert.equal(await label.textContent(), title);
  assert.equal(await styleOf(label, "direction"), "rtl");
  await service.api("DELETE", `/movie/${id}`);
});

atBothWidths("hollow stars are fainter than full ones", async (page) => {
  await page.goto("/film/1");
  const given = page.locator("form.rating button");
  await given.first().waitFor();
  const [{ id }] = await service.movies("?rating=3&limit=1");
  await page.goto(`/film/${id}`);
  const colors = await Promise.all([2, 3].map((star) => styleOf(given.nth(star), "color", "::before")));
  assert.notEqual(colors[0], colors[1]);
  await page.goto("/?rating=3");
  const stars = page.locator(".front .stars").first();
  assert.equal(await stars.textContent(), "★★★");
  assert.match(await styleOf(stars, "content", "::after"), /^"☆☆"/);
  assert.ok(Number(await styleOf(stars, "opacity", "::after")) < 0.7);
});

atBothWidths("thirty films to look around with are one change that Undo removes", async (page) => {
  await service.empty();
  await page.goto("/");
  await isAccessible(page);
  await fitsInWidth(page);
  await page.getByRole("button", { name: "Look around with 30 films" }).click();
  await page.getByRole("heading", { level: 1, name: "30 films" }).waitFor();
  await page.getByRole("status").filter({ hasText: "Imported 30 films." }).waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByRole("heading", { name: "The shelf is empty" }).waitFor();
  await service.fill(films(300));
});

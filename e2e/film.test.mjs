// The page of a film, and the links to it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { becomes, films, fitsInWidth, inEveryWay, isAccessible, NARROW, open, reads, start, takePictures, WIDE } from "./support.mjs";

let service;
before(async () => (service = await start()));
after(() => service.stop());

const said = (page) => page.locator("#messages");
const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
/** Waits until the page handles keys. */
const listens = (page) => page.waitForFunction(() => document.querySelector(".foot button"));
const rating = async (id) => (await service.api("GET", `/movie/${id}`)).rating;

async function shelf() {
  const { id } = await service.add("Heat", "DVD", 170, 1995, 5);
  await service.add("Alien", "VHS", 117, 1979, 4);
  await service.add("Heat", "VHS", 170, 1995, 3);
  await service.add("Zodiac", "Streaming", 157, 2007, 2);
  return id;
}

inEveryWay("a click on a film leads to its page, and from there to those beside it", () => service, async (page) => {
  const id = await shelf();
  for (const [view, back] of [["", "On the shelf"], ["&view=table", "In the table"]]) {
    await page.goto(`/?releaseYear=1990..${view}&sort=-rating`);
    await page.getByRole("link", { name: /^Heat/ }).first().click();
    await heading(page, "Heat");
    await page.waitForURL(`/film/${id}`);
    await page.locator("[rel=next]").click();
    await page.waitForURL((url) => url.pathname !== `/film/${id}` && url.searchParams.get("sort") === "-rating");
    await page.locator("[rel=next]").click();
    await heading(page, "Zodiac");
    assert.equal(await page.locator("[rel=next]").count(), 0);
    await page.locator("[rel=prev]").click();
    await heading(page, "Heat");
    await page.getByRole("link", { name: back }).click();
    await page.waitForURL((url) => url.pathname === "/" && url.searchParams.get("releaseYear") === "1990..");
  }
}, { as: "vera" });

inEveryWay("an editor gives stars, edits and deletes on a film's page", () => service, async (page, { js }) => {
  const id = await shelf();
  await page.goto(`/film/${id}`);
  const star = (name) => page.getByRole("button", { name, exact: true });
  await star("2 stars").click();
  await reads(said(page), "Changed “\u2068Heat\u2069”.");
  assert.equal(await rating(id), 2);
  await becomes(() => star("2 stars").getAttribute("aria-pressed"), "true");
  await page.locator(".past .change").nth(1).waitFor();
  await said(page).getByRole("button", { name: "Undo" }).click();
  await reads(said(page), js ? "Undone." : "is as it was");
  await becomes(() => star("5 stars").getAttribute("aria-pressed"), "true");
  assert.equal(await rating(id), 5);

  await page.getByRole("link", { name: "Edit", exact: true }).click();
  await page.getByLabel("Title").fill("Heat!");
  await page.getByRole("button", { name: "Save" }).click();
  await heading(page, "Heat!");
  await page.getByRole("button", { name: "Delete" }).click();
  await reads(said(page), "Deleted “\u2068Heat!\u2069”.");
  await page.goto(`/film/${id}`);
  await heading(page, "“\u2068Heat!\u2069” was deleted");
  if (js) await isAccessible(page);
  await page.getByRole("button", { name: "Restore" }).click();
  await heading(page, "Heat!");
});

inEveryWay("a film that was added is drawn out where it stands, and its title in the message leads to it", () => service, async (page) => {
  await service.fill(films(260));
  await page.goto("/add");
  await page.getByLabel("Title").fill("Yojimbo");
  await page.getByLabel("Year").fill("1961");
  await page.getByLabel("Length").fill("110");
  await page.getByRole("radio", { name: "VHS" }).check();
  await page.getByRole("radio", { name: "5 stars" }).check();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await becomes(() => page.locator("#added bdi").first().textContent(), "Yojimbo");
  const isInView = ({ y }) => y >= 0 && y < page.viewportSize().height;
  await becomes(async () => isInView(await page.locator("#added .spine").boundingBox()), true);
  await page.locator(".added .front").waitFor({ state: "hidden" });
  await said(page).getByRole("link", { name: "Yojimbo" }).click();
  await heading(page, "Yojimbo");
});

for (const viewport of [WIDE, NARROW]) {
  test(`keys lead from film to film and give stars (${viewport.width})`, async () => {
    await service.empty();
    const id = await shelf();
    const page = await open(service, { viewport });
    await page.goto("/");
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await heading(page, "Alien");
    await listens(page);
    await page.keyboard.press("ArrowRight");
    await page.waitForURL(`/film/${id}`);
    await listens(page);
    await page.keyboard.press("3");
    await reads(said(page), "Changed");
    assert.equal(await rating(id), 3);
    await page.keyboard.press("z");
    await reads(said(page), "Undone.");
    await becomes(() => rating(id), 5);
    await page.keyboard.press("ArrowLeft");
    await heading(page, "Alien");
    await listens(page);
    await page.keyboard.press("e");
    await page.waitForURL("/edit/**");
    await listens(page);
    await page.getByRole("radio", { name: "4 stars" }).focus();
    await page.keyboard.press("2");
    await becomes(() => page.getByRole("radio", { name: "2 stars" }).isChecked(), true);
    await page.done();
  });

  test(`what somebody else does to the film is announced on its page, and only that (${viewport.width})`, async () => {
    await service.empty();
    const id = await shelf();
    const page = await open(service, { viewport });
    await page.goto(`/film/${id}`);
    const [, other] = await service.movies();
    await service.api("PATCH", `/movie/${other.id}`, { rating: 1 });
    await service.api("PATCH", `/movie/${id}`, { rating: 1 });
    await page.locator(".news", { hasText: /olivia.* changed 1 film/ }).waitFor();
    await page.getByRole("button", { name: "Show" }).click();
    await page.locator(".line").waitFor();
    await becomes(() => page.getByRole("button", { name: "1 star", exact: true }).getAttribute("aria-pressed"), "true");
    await page.done();
  });

  test(`the page looks well and is accessible at ${viewport.width}`, async () => {
    await service.empty();
    await shelf();
    await service.fill(films(30));
    const long = await service.add("Cries & Whispers: <b>the long</b> \u202btitle in red!!", "VHS", 0, 1972, 4);
    const wide = await service.add("W".repeat(50), "Streaming", 90, 1999, 1);
    for (const rating of [1, 2, 3]) await service.api("PATCH", `/movie/${long.id}`, { rating, title: `Cries & Whispers ${rating}` });
    const heat = (await service.movies("?q=heat&sort=title"))[0];
    await service.api("PATCH", `/movie/${heat.id}`, { rating: 4 });
    for (const [as, { id }, name] of [["edward", heat, "film"], ["vera", long, "film-viewer"], ["edward", wide, "film-wide"]]) {
      const page = await open(service, { viewport, as });
      await page.goto(`/film/${id}`);
      await isAccessible(page);
      await fitsInWidth(page);
      await takePictures(page, name);
      if (viewport === NARROW) {
        await page.setViewportSize({ width: 320, height: 640 });
        await fitsInWidth(page);
        await takePictures(page, name);
      }
      await page.done();
    }
    await service.api("DELETE", `/movie/${heat.id}`);
    const page = await open(service, { viewport });
    await page.goto(`/film/${heat.id}`);
    await isAccessible(page);
    await fitsInWidth(page);
    await takePictures(page, "film-gone");
    await page.done();
  });
}

// Adding, editing and deleting one film.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { becomes, fitsInWidth, focuses, inEveryWay, isAccessible, NARROW, open, PASSWORD, queries, reads, start, takePictures, WIDE } from "./support.mjs";

let service;
before(async () => (service = await start()));
after(() => service.stop());

const said = (page) => page.locator("#messages");
const titles = async () => (await service.movies()).map(({ title }) => title);

/** Fills the form with a film. */
async function type(page, { title, year, length, format, rating }) {
  if (title !== undefined) await page.getByLabel("Title").fill(title);
  if (year !== undefined) await page.getByLabel("Year").fill(year);
  if (length !== undefined) await page.getByLabel("Length").fill(length);
  if (format !== undefined) await page.getByRole("radio", { name: format }).check();
  if (rating !== undefined) await page.getByRole("radio", { name: rating }).check();
}
const HEAT = { title: "Heat", year: "1995", length: "2h50", format: "DVD", rating: "5 stars" };

/** The stored film, with only its attributes. */
async function stored(id) {
  const { title, movieFormat, length, releaseYear, rating } = await service.api("GET", `/movie/${id}`);
  return [title, movieFormat, length, releaseYear, rating];
}

inEveryWay("one types in a whole shelf, and takes the last film back", () => service, async (page) => {
  await page.goto("/?movieFormat=VHS&sort=-rating");
  await page.getByRole("link", { name: "Add", exact: true }).click();
  await page.locator("#title:focus").waitFor();
  await type(page, { ...HEAT, format: "VHS" });
  await page.getByRole("button", { name: "Save and add another" }).click();
  await reads(said(page), "Added “\u2068Heat\u2069”.");
  await page.locator("#title:focus").waitFor();
  await becomes(() => page.getByRole("radio", { name: "VHS" }).isChecked(), true);
  await type(page, { title: "Alien", year: "1979", length: "1:57", rating: "4 stars" });
  await page.getByLabel("Length").press("Enter");
  await reads(said(page), "Added “\u2068Alien\u2069”.");
  await page.locator("#title:focus").waitFor();
  await said(page).getByRole("button", { name: "Undo" }).click();
  await reads(said(page), "Took away “\u2068Alien\u2069” again.");
  await becomes(() => page.getByRole("radio", { name: "VHS" }).isChecked(), true);
  await type(page, { title: "Zodiac", year: "2007", length: "157 min", rating: "3 stars" });
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await reads(said(page), "Added “\u2068Zodiac\u2069”.");
  await queries(page, "?movieFormat=VHS&sort=-rating");
  assert.deepEqual(await titles(), ["Heat", "Zodiac"]);
});

test("a double click adds a film once", async () => {
  await service.empty();
  const page = await open(service);
  await page.goto("/add");
  await type(page, HEAT);
  await page.getByRole("button", { name: "Save", exact: true }).dblclick();
  await reads(said(page), "Added “\u2068Heat\u2069”.");
  assert.deepEqual(await titles(), ["Heat"]);
  await page.done();
});

inEveryWay("every violation stands beside its field, and nothing typed is lost", () => service, async (page, { js }) => {
  await page.goto("/add");
  await type(page, { title: "x".repeat(51), year: "1799", length: "8h21" });
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Not saved yet.").waitFor();
  await focuses(page, "title");
  await becomes(() => page.locator("#title-wrong").textContent(), "Too long by 1 character.");
  for (const [label, value] of [["Title", "x".repeat(51)], ["Year", "1799"], ["Length", "8h21"]]) {
    await becomes(() => page.getByLabel(label).inputValue(), value);
    await becomes(() => page.getByLabel(label).getAttribute("aria-invalid"), "true");
  }
  if (js) await isAccessible(page);
  await fitsInWidth(page);
  await becomes(() => page.locator("#length-wrong").textContent(), "Write at most 500 minutes, which are 8 h 20.");
  await type(page, { ...HEAT, title: "é".repeat(50), year: "1800", length: "8h20" });
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await reads(said(page), "Added");
  const [{ id }] = await service.movies();
  assert.deepEqual(await stored(id), ["é".repeat(50), "DVD", 500, 1800, 5]);
});

inEveryWay("a film that is there already is said, and added anyway if one says so", () => service, async (page, { js }) => {
  const known = await service.add("Amélie", "Streaming", 122, 2001, 4);
  await page.goto("/add");
  const stars = () => page.locator(".rate").boundingBox();
  const place = await stars();
  await type(page, { title: "AMELIE", year: "2001", length: "122" });
  if (js) {
    await reads(page.locator("#alike"), "On the shelf already: Streaming, 2 h 02");
    await becomes(() => page.locator("#alike a").getAttribute("href"), `/film/${known.id}`);
    await reads(page.locator("#length-read"), "= 2 h 02");
  }
  assert.deepEqual(await stars(), place); // nothing moves away from under a finger
  await type(page, { format: "DVD", rating: "5 stars" });
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("heading", { name: "Is this a duplicate?" }).waitFor();
  await focuses(page, "trouble");
  assert.deepEqual(await titles(), ["Amélie"]);
  if (js) await isAccessible(page);
  await page.getByRole("button", { name: "Add anyway" }).click();
  await reads(said(page), "Added “\u2068AMELIE\u2069”.");
  assert.deepEqual(await titles(), ["Amélie", "AMELIE"]);
});

inEveryWay("one opens a film of the collection, changes it and comes back", () => service, async (page) => {
  const { id } = await service.add("Heat", "VHS", 170, 1995, 4);
  for (const [view, rating] of [["", 5], ["&view=table", 3]]) {
    await page.goto(`/?releaseYear=1990..1999${view}`);
    await page.getByRole("link", { name: /^Heat/ }).click();
    await page.getByRole("link", { name: "Edit", exact: true }).click();
    await page.getByRole("heading", { name: "Heat" }).waitFor();
    await becomes(() => page.getByLabel("Length").inputValue(), "2 h 50");
    await type(page, { format: "DVD", rating: `${rating} stars` });
    await page.getByRole("button", { name: "Save" }).click();
    await reads(said(page), "Changed “\u2068Heat\u2069”.");
    await page.waitForURL(`/film/${id}`);
    assert.deepEqual(await stored(id), ["Heat", "DVD", 170, 1995, rating]);
  }
  await page.goto(`/edit/${id}`);
  await page.getByRole("button", { name: "Save" }).click();
  await reads(said(page), "Nothing was changed.");
  assert.equal((await service.api("GET", `/movie/${id}`)).version, 3);
});

inEveryWay("one deletes a film and brings it back", () => service, async (page) => {
  await service.add("Heat", "VHS", 170, 1995, 4);
  await page.goto("/?rating=4..");
  await page.getByRole("link", { name: /^Heat/ }).click();
  await page.locator(".line").waitFor();
  await page.getByRole("button", { name: "Delete" }).click();
  await reads(said(page), "Deleted “\u2068Heat\u2069”.");
  assert.deepEqual(await titles(), []);
  await said(page).getByRole("button", { name: "Undo" }).click();
  await reads(said(page), "Brought back “\u2068Heat\u2069”.");
  await queries(page, "?rating=4..");
  assert.deepEqual(await titles(), ["Heat"]);
});

inEveryWay("of two who change a film, the second sees both versions", () => service, async (page, { js }) => {
  const { id } = await service.add("Heat", "VHS", 170, 1995, 4);
  await page.goto(`/edit/${id}`);
  const other = await open(service, { as: "olivia" });
  await other.goto(`/edit/${id}`);
  await type(other, { title: "HEAT", length: "172" });
  await other.getByRole("button", { name: "Save" }).click();
  await reads(said(other), "Changed");
  await type(page, { title: "Heat!", rating: "5 stars" });
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "This film was changed meanwhile" }).waitFor();
  await focuses(page, "trouble");
  assert.deepEqual(await stored(id), ["HEAT", "VHS", 172, 1995, 4]);
  const rows = async () => (await page.getByRole("row").allInnerTexts()).slice(1).map((row) => row.trim().split(/\s*\t\s*/));
  await becomes(rows, [
    ["Title", "Heat!", "HEAT both changed"].map((text) => text.replace(" both", "\nboth")),
    ["Format", "VHS", "VHS"],
    ["Length", "2 h 50", "2 h 52"],
    ["Year", "1995", "1995"],
    ["Rating", "5 stars", "4 stars"],
  ]);
  await becomes(() => page.locator("mark").allInnerTexts(), ["Heat!", "2 h 52", "5 stars"]);
  await reads(page.locator(".trouble"), /changed by olivia \(/);
  await becomes(() => page.getByLabel("Length").inputValue(), "2 h 52");
  if (js) await isAccessible(page);
  await fitsInWidth(page);
  await takePictures(page, "changed-meanwhile");
  await page.getByRole("button", { name: "Save" }).click();
  await reads(said(page), "Changed “\u2068Heat!\u2069”.");
  assert.deepEqual(await stored(id), ["Heat!", "VHS", 172, 1995, 5]);
  await other.done();
});

inEveryWay("a film that was deleted meanwhile can be added again", () => service, async (page, { js }) => {
  const { id } = await service.add("Heat", "VHS", 170, 1995, 4);
  await page.goto(`/edit/${id}`);
  await type(page, { rating: "5 stars" });
  await service.api("DELETE", `/movie/${id}`);
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "This film was deleted meanwhile" }).waitFor();
  await reads(page.locator(".trouble"), /deleted by olivia \(/);
  if (js) await isAccessible(page);
  await page.getByRole("button", { name: "Add it again" }).click();
  await reads(said(page), "Added “\u2068Heat\u2069”.");
  const [film] = await service.movies();
  assert.deepEqual([film.title, film.rating], ["Heat", 5]);
});

inEveryWay("what was searched and not found can be added", () => service, async (page) => {
  await service.add("Heat", "VHS", 170, 1995, 4);
  await page.goto("/?q=Stalker");
  await page.getByRole("link", { name: "Add “Stalker”" }).click();
  await becomes(() => page.getByLabel("Title").inputValue(), "Stalker");
  await page.locator("#title:focus").waitFor();
});

test("the keyboard alone is enough", async () => {
  await service.empty();
  const page = await open(service);
  await page.goto("/add");
  await page.keyboard.type("Heat");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Tab");
  await page.keyboard.type("2:50");
  await page.keyboard.press("Tab");
  await page.keyboard.type("1995");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  for (let n = 0; n < 3; n++) await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await reads(said(page), "Added “\u2068Heat\u2069”.");
  const [{ id }] = await service.movies();
  assert.deepEqual(await stored(id), ["Heat", "DVD", 170, 1995, 4]);
  // A film on the shelf opens in the same way.
  await page.getByRole("link", { name: /^Heat/ }).focus();
  await page.keyboard.press("Enter");
  await page.waitForURL(`/film/${id}`);
  await page.done();
});

test("a length is read back as it is understood", async () => {
  const page = await open(service);
  await page.goto("/add");
  const read = page.locator("#length-read");
  for (const [written, understood] of [["170", "= 2 h 50"], ["2:50:30", "= 2 h 51"], ["501", ""], ["500", "= 8 h 20"]]) {
    await page.getByLabel("Length").fill(written);
    if (understood) await reads(read, understood);
    else await page.waitForFunction(() => document.getElementById("length-read").textContent === "");
  }
  await page.done();
});

test("what was typed is there again after signing in anew", async () => {
  await service.empty();
  const { id } = await service.add("Heat", "VHS", 170, 1995, 4);
  for (const path of ["/add", "/add?movieFormat=DVD&another=", `/edit/${id}`]) {
    const page = await open(service);
    await page.goto(path);
    const typed = { title: `Typed at ${path}`.slice(0, 50), year: "1996", length: "2h49", format: "Streaming", rating: "2 stars" };
    await type(page, typed);
    await page.context().clearCookies({ name: "reelshelf_session" });
    await page.keyboard.press("Enter"); // unless the page has sent the request already
    await page.getByLabel("User name").fill("edward");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    // The form was opened after the session had ended, or the user left the page before sending it.
    const [restored, done] = [page.getByText("Restored your draft."), said(page).filter({ hasText: typed.title })];
    await restored.or(done).waitFor();
    if (await restored.isVisible()) {
      await isAccessible(page);
      await becomes(() => page.getByLabel("Title").inputValue(), typed.title);
      await becomes(() => page.getByLabel("Length").inputValue(), "2h49");
      await page.getByRole("button", { name: /^Save$/ }).click();
    }
    await reads(said(page), typed.title);
    // After saving, the form is empty again.
    await page.goto("/add");
    await becomes(() => page.getByLabel("Title").inputValue(), "");
    assert.equal(await page.getByText("Restored your draft.").count(), 0);
    await page.done();
  }
});

test("what was typed is there again once the service can be reached", async () => {
  await service.empty();
  const page = await open(service);
  await page.goto("/add");
  await type(page, HEAT);
  await service.pause();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText(/cannot be reached/).first().waitFor();
  await service.resume();
  await page.goto("/add");
  await page.getByText("Restored your draft.").waitFor();
  await becomes(() => page.getByLabel("Title").inputValue(), "Heat");
  await becomes(() => page.getByRole("radio", { name: "5 stars" }).isChecked(), true);
  await page.getByRole("button", { name: "Discard" }).click();
  await page.waitForFunction(() => document.getElementById("title").value === "");
  await page.goto("/add");
  await becomes(() => page.getByLabel("Title").inputValue(), "");
  await page.context().close();
});

test("a viewer is led nowhere that is not for him", async () => {
  await service.empty();
  const { id } = await service.add("Heat", "VHS", 170, 1995, 4);
  const page = await open(service, { as: "vera" });
  for (const path of ["/", "/?view=table", "/?q=Stalker"]) {
    await page.goto(path);
    assert.equal(await page.locator("a[href^='/add'], a[href^='/edit'], a[href^='/import']").count(), 0, path);
  }
  for (const path of ["/add", `/edit/${id}`]) {
    await page.goto(path);
    await becomes(() => page.getByRole("heading", { level: 1 }).textContent(), "This is not allowed");
  }
  await page.done();
});

for (const viewport of [WIDE, NARROW]) {
  test(`the forms look well and are accessible at ${viewport.width}`, async () => {
    await service.empty();
    const { id } = await service.add("Cries & Whispers: <b>the long</b> \u202btitle in red!!", "VHS", 170, 1995, 4);
    await service.add("Heat", "DVD", 170, 1995, 5);
    const page = await open(service, { viewport });
    const shows = async (name) => {
      await isAccessible(page);
      await fitsInWidth(page);
      await takePictures(page, name);
    };
    await page.goto("/add");
    await shows("add");
    await type(page, HEAT);
    await page.getByText("On the shelf already: DVD, 2 h 50").waitFor();
    await shows("add-known");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByRole("heading", { name: "Is this a duplicate?" }).waitFor();
    await shows("add-asked");
    await page.goto("/add?movieFormat=DVD");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("Not saved yet.").waitFor();
    await shows("add-wrong");
    await page.goto(`/edit/${id}`);
    await shows("edit");
    await type(page, { title: "Cries and Whispers" });
    await page.goto(`/edit/${id}`);
    await page.getByText("Restored your draft.").waitFor();
    await shows("edit-again");
    await page.goto("/");
    const spine = page.getByRole("link", { name: /^Heat/ });
    await (viewport === WIDE ? spine.hover() : spine.focus());
    await takePictures(page, "shelf-front");
    await page.goto("/?view=table");
    await shows("table-of-editor");
    await page.done();
  });
}

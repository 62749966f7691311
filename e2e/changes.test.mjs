// The history, and live changes of other users.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { becomes, films, fitsInWidth, inEveryWay, isAccessible, NARROW, open, reads, start, takePictures, WIDE } from "./support.mjs";

let service;
before(async () => (service = await start()));
after(() => service.stop());

const heading = (page) => page.getByRole("heading", { level: 1 });

inEveryWay("one looks at what was done and takes it back", () => service, async (page) => {
  const { id } = await service.add("Heat", "DVD", 170, 1995, 5);
  await service.api("PATCH", `/movie/${id}`, { rating: 1 });
  await page.goto("/");
  await page.getByRole("link", { name: "Changes", exact: true }).click();
  const newest = page.locator(".change").first();
  await newest.getByText("5 stars").waitFor();
  await newest.getByRole("button", { name: /^Undo/ }).click();
  await page.locator(".messages", { hasText: "is as it was" }).waitFor();
  assert.equal((await service.api("GET", `/movie/${id}`)).rating, 5);
  await page.getByText("undone by").first().waitFor();
  await page.getByRole("link", { name: "History of this film" }).first().click();
  await reads(heading(page), /^History of “.*Heat.*”$/);
  await becomes(() => page.getByRole("link", { name: "The film", exact: true }).getAttribute("href"), `/film/${id}`);
  await becomes(() => page.locator(".change").count(), 3);
});

inEveryWay("one is shown the later changes that conflict, and undoes them first", () => service, async (page) => {
  const { id } = await service.add("Heat", "DVD", 170, 1995, 5);
  await service.api("PATCH", `/movie/${id}`, { rating: 1 });
  await page.goto(`/changes?film=${id}`);
  await page.locator(".change").last().getByRole("button", { name: /^Undo/ }).click();
  await page.getByRole("heading", { name: "This cannot be undone yet" }).waitFor();
  await page.getByRole("button", { name: /^Undo/ }).click();
  await page.waitForURL(`/changes?film=${id}#*`);
  await page.locator(".change").last().getByRole("button", { name: /^Undo/ }).click();
  await page.locator(".messages", { hasText: "Took away" }).waitFor();
  assert.equal((await service.movies()).length, 0);
});

inEveryWay("the undo of many films says how many and asks first", () => service, async (page, { js }) => {
  await service.fill(films(101));
  const [{ id }] = await service.movies();
  await page.goto(`/film/${id}`);
  await page.getByRole("button", { name: /^Undo all 101/ }).click();
  await reads(heading(page), /^Undo “Imported 101 films”\?$/);
  if (js) await isAccessible(page);
  await fitsInWidth(page);
  await page.getByRole("link", { name: "Cancel" }).click();
  await page.waitForURL(`/film/${id}*`);
  assert.equal((await service.movies()).length, 101);
  await page.getByRole("button", { name: /^Undo all 101/ }).click();
  await page.getByRole("button", { name: "Undo all 101" }).click();
  await page.locator(".messages", { hasText: "Undid a change of 101 films." }).waitFor();
  assert.equal((await service.movies()).length, 0);
  // So does the message.
  await page.locator(".messages").getByRole("button", { name: "Undo all 101" }).click();
  await reads(heading(page), /^Undo “Undid a change of 101 films”\?$/);
});

for (const viewport of [WIDE, NARROW]) {
  test(`what another browser changes is announced, and shown when one asks (${viewport.width})`, async () => {
    await service.empty();
    await service.fill(films(40));
    const [reader, writer] = [await open(service, { as: "vera", viewport }), await open(service)];
    await reader.goto("/");
    await writer.goto("/changes");
    await reader.evaluate(() => scrollTo(0, 300));
    const first = reader.locator(".spine").first();
    const before = await first.boundingBox();
    await writer.getByRole("button", { name: /^Undo/ }).first().click();
    await writer.locator(".messages .undo").waitFor();
    const news = reader.locator(".news");
    await news.getByText(/edward.* undid a change of 40 films/).waitFor();
    assert.deepEqual(await first.boundingBox(), before, "nothing has moved");
    assert.equal(await news.getAttribute("role"), "status");
    await isAccessible(reader);
    await takePictures(reader, "news");
    await news.getByRole("button", { name: "Show" }).click();
    await reader.getByRole("heading", { name: "The shelf is empty" }).waitFor();
    await reader.done();
    await writer.done();
  });

  test(`new changes wait above the history until one asks for them (${viewport.width})`, async () => {
    await service.empty();
    for (const title of ["Heat", "Alien", "Brazil"]) await service.add(title, "DVD", 100, 1985, 4);
    const page = await open(service, { viewport });
    await page.goto("/changes");
    const top = await page.locator(".change").first().getAttribute("id");
    await service.add("Zodiac", "DVD", 157, 2007, 5);
    await page.getByText("1 new change", { exact: true }).or(page.getByText("1 new changeShow")).waitFor();
    await service.add("Jaws", "VHS", 124, 1975, 5);
    await page.getByText("2 new changes").waitFor();
    assert.equal(await page.locator(".change").first().getAttribute("id"), top, "nothing has moved");
    await takePictures(page, "new-changes");
    await page.getByRole("button", { name: "Show" }).click();
    await page.locator(".change.new").nth(1).waitFor();
    await becomes(() => page.locator(".change.new").count(), 2);
    await becomes(() => page.locator(".change.new").nth(1).locator("a").first().evaluate((link) => link === document.activeElement), true);
    await becomes(() => page.locator(".news").textContent(), "");
    await isAccessible(page);
    await page.done();
  });
}

test("one's own changes are no news, but those made elsewhere are", async () => {
  await service.empty();
  const page = await open(service);
  await page.goto("/");
  // Sends a request like a script of the page: the response names the change.
  await page.evaluate(async () => {
    const { own } = await import(document.querySelector('script[src$="app.js"]').src.replace("app.js", "messages.js"));
    const movie = { title: "Mine", movieFormat: "DVD", length: 1, releaseYear: 2000, rating: 1 };
    const body = JSON.stringify({ operations: [{ op: "create", movie }] });
    const answer = await fetch("/movie/batch", { method: "POST", body, headers: { "Content-Type": "application/json" } });
    own.add((await answer.json()).change);
  });
  await service.api("POST", "/movie", { title: "Also mine", movieFormat: "DVD", length: 1, releaseYear: 2000, rating: 1 }, { as: "edward" });
  await page.locator(".news", { hasText: "You added 1 film in another window" }).waitFor();
  await page.done();
});

test("a page that comes back is told what it has missed", async () => {
  await service.empty();
  const page = await open(service);
  await page.goto("/");
  await page.evaluate(() => {
    Object.defineProperty(document, "hidden", { configurable: true, value: true });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await service.add("Heat", "DVD", 170, 1995, 5);
  await page.evaluate(() => {
    delete document.hidden;
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await page.locator(".news", { hasText: /olivia.* added 1 film/ }).waitFor();
  await page.done();
});

test("a page that has missed changes that were pruned offers to load the collection anew", async () => {
  await service.empty();
  const page = await open(service);
  const pruned = { contentType: "text/event-stream", body: "event: pruned\ndata: {}\n\n" };
  await page.route("/events?*", (route) => route.fulfill(pruned), { times: 1 });
  await page.goto("/");
  await page.locator(".news", { hasText: "The collection has changed" }).getByRole("button", { name: "Show" }).waitFor();
  await page.done();
});

test("times are told in the reader's own way", async () => {
  await service.empty();
  await service.add("Heat", "DVD", 170, 1995, 5);
  const page = await open(service);
  await page.goto("/changes");
  await page.locator(".change time", { hasText: "just now" }).first().waitFor();
  await page.done();
});

for (const viewport of [WIDE, NARROW]) {
  test(`it looks well and is accessible at ${viewport.width}`, async () => {
    await service.empty();
    await service.fill(films(1240));
    const { id } = await service.add("<script>alert(1)</script>", "DVD", 170, 1995, 5);
    await service.api("PATCH", `/movie/${id}`, { title: "W".repeat(50), rating: 1, length: 59, movieFormat: "VHS", releaseYear: 1800 });
    const some = (await service.movies("?limit=4")).map((film) => ({ op: "update", id: film.id, changes: { rating: 1 + (film.rating % 5) } }));
    const { change } = await service.api("POST", "/movie/batch", { operations: some });
    await service.api("POST", `/history/${change}/undo`);
    await service.api("DELETE", `/movie/${id}`);
    const page = await open(service, { viewport });
    for (const [name, path] of [["changes", "/changes"], ["changes-of-film", `/changes?film=${id}`], ["change", `/changes/${change}`]]) {
      await page.goto(path);
      await isAccessible(page);
      await fitsInWidth(page);
      await takePictures(page, name);
    }
    await page.goto(`/changes?film=${id}`);
    await page.locator(".change").last().getByRole("button", { name: /^Undo/ }).click();
    await page.getByRole("heading", { name: "This cannot be undone yet" }).waitFor();
    await isAccessible(page);
    await fitsInWidth(page);
    await takePictures(page, "in-the-way");
    await page.done();
  });
}

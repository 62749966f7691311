// Messages at the bottom of the page: how they disappear and how they follow to other pages; and large deletions.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { becomes, films, fitsInWidth, focuses, isAccessible, NARROW, open, PASSWORD, start, takePictures, WIDE } from "./support.mjs";

let service;
before(async () => (service = await start()));
after(() => service.stop());

const bar = (page) => page.getByRole("group", { name: "Selected films" });
const message = (page) => page.locator("#messages > div");
const undo = (page) => message(page).getByRole("button", { name: "Undo" });
const heading = (page, text) => page.getByRole("heading", { level: 1 }).filter({ hasText: text }).waitFor();

/** Opens the collection with `count` films and selects all of them. */
async function selectAll(page, count) {
  await service.empty();
  await service.fill(films(count));
  await page.goto("/");
  await page.locator(".selecting").click();
  await page.getByRole("checkbox", { name: `Select all ${count} that match` }).check();
}

/** Opens the collection with a clock that the test controls, and deletes its only film. */
async function deleteOne(page) {
  await service.empty();
  await service.add("Heat", "DVD", 170, 1995, 5);
  await service.add("Alien", "VHS", 117, 1979, 5);
  await page.clock.install();
  await page.goto("/");
  await page.locator(".spine").first().focus();
  await page.keyboard.press("x");
  await page.keyboard.press("Delete");
  await undo(page).waitFor();
  await page.mouse.move(1, 1);
}

for (const viewport of [WIDE, NARROW]) {
  test(`what this page did is no news to it, also when it was undone (${viewport.width})`, async () => {
    const page = await open(service, { viewport });
    await page.clock.install();
    /** Waits until the page knows the last change, and until the time has passed in which that may be its own. */
    const isNoNews = async () => {
      const [{ id }] = await service.api("GET", "/history?limit=1");
      await becomes(() => page.evaluate(() => document.body.dataset.newest), String(id));
      await page.clock.runFor(5000);
      assert.equal(await page.locator(".news").textContent(), "");
    };
    await selectAll(page, 8);
    await bar(page).getByLabel("Rating").selectOption("2");
    await bar(page).getByRole("button", { name: "Change" }).click();
    await message(page).filter({ hasText: "Changed" }).waitFor();
    await isNoNews();
    await undo(page).click();
    await message(page).filter({ hasText: "Undone." }).waitFor();
    await isNoNews();
    await page.done();
  });

  test(`a message leaves by ×, by Escape and by itself (${viewport.width})`, async () => {
    const page = await open(service, { viewport });
    await deleteOne(page);
    await message(page).hover(); // it stays
    await isAccessible(page);
    await fitsInWidth(page);
    await takePictures(page, "message");
    await message(page).getByRole("button", { name: "Dismiss" }).click();
    await becomes(() => message(page).count(), 0);

    await deleteOne(page);
    await page.keyboard.press("Escape");
    await becomes(() => message(page).count(), 0);
    await page.keyboard.press("z"); // still undoes it
    await heading(page, "2 films");

    await deleteOne(page);
    await page.clock.runFor(10_000);
    assert.equal(await message(page).count(), 1);
    await page.clock.runFor(11_000);
    await becomes(() => message(page).count(), 0);

    await deleteOne(page);
    await undo(page).focus();
    await page.clock.runFor(60_000);
    assert.equal(await message(page).count(), 1);
    await page.keyboard.press("Escape");
    await becomes(() => message(page).count(), 0);
    assert.notEqual(await page.evaluate(() => document.activeElement), null);
    await page.done();
  });

  test(`a message stays as long as one without another before it, and gives the focus back (${viewport.width})`, async () => {
    const page = await open(service, { viewport });
    await deleteOne(page);
    await page.clock.runFor(15_000);
    await page.keyboard.press("1");
    await message(page).filter({ hasText: "1 star" }).waitFor();
    await page.clock.runFor(15_000);
    await undo(page).focus();
    await page.keyboard.press("Enter");
    await message(page).filter({ hasText: "Undone." }).waitFor();
    await becomes(() => page.evaluate(() => document.activeElement.matches(".spine")), true);
    await page.done();
  });

  test(`a message with Undo comes along to other pages for a minute (${viewport.width})`, async () => {
    const page = await open(service, { viewport });
    await deleteOne(page);
    await page.goto("/statistics");
    await message(page).filter({ hasText: "Deleted “\u2068Alien\u2069”." }).waitFor();
    await page.goto("/add");
    await page.getByLabel("Title").fill("Typed");
    await undo(page).click();
    await message(page).filter({ hasText: "Brought back “\u2068Alien\u2069”." }).waitFor();
    await becomes(() => page.getByLabel("Title").inputValue(), "Typed");
    assert.equal((await service.movies()).length, 2);

    await deleteOne(page);
    await message(page).getByRole("button", { name: "Dismiss" }).click();
    await page.goto("/statistics");
    await heading(page, /film/);
    assert.equal(await message(page).count(), 0);

    await deleteOne(page);
    await page.goto("/statistics");
    await undo(page).waitFor();
    await undo(page).focus();
    await page.clock.runFor(61_000);
    await page.goto("/changes");
    await heading(page, "Changes");
    assert.equal(await message(page).count(), 0);
    await page.done();
  });

  test(`many films are deleted by a second click on their number (${viewport.width})`, async () => {
    const page = await open(service, { viewport });
    await selectAll(page, 230);
    const button = bar(page).locator("[value=delete]");
    await button.dblclick();
    await becomes(() => button.textContent(), "Delete 230 films?");
    await isAccessible(page);
    await fitsInWidth(page);
    await takePictures(page, "delete-many");
    await page.locator(".pick").first().uncheck(); // now the selection is another one
    await becomes(() => button.textContent(), "Delete");
    await page.getByRole("checkbox", { name: "Select all 230 that match" }).check();
    await button.click();
    await becomes(() => button.textContent(), "Delete 230 films?");
    await page.locator("#q").focus();
    await becomes(() => button.textContent(), "Delete");
    assert.equal((await service.movies()).length, 230);

    await button.click();
    let go;
    const gate = new Promise((resolve) => (go = resolve));
    await page.route("**/selection", async (route) => {
      await gate;
      await route.continue();
    });
    await button.click();
    await becomes(() => button.getAttribute("aria-busy"), "true");
    go();
    await message(page).filter({ hasText: "Deleted 230 films." }).waitFor();
    await undo(page).click();
    await heading(page, "230 films");
    await page.done();
  });
}

test("without JavaScript a page asks whether many films are to be deleted", async () => {
  const page = await open(service, { js: false });
  await selectAll(page, 230);
  await bar(page).getByRole("button", { name: "Delete" }).click();
  await heading(page, "Delete 230 films?");
  await fitsInWidth(page);
  await takePictures(page, "confirm");
  await page.getByRole("link", { name: "Cancel" }).click();
  await heading(page, "230 films");
  await page.locator(".selecting").click();
  await page.getByRole("checkbox", { name: "Select all 230 that match" }).check();
  await bar(page).getByRole("button", { name: "Delete" }).click();
  await page.getByRole("button", { name: "Delete 230 films" }).click();
  await message(page).filter({ hasText: "Deleted 230 films." }).waitFor();
  await page.done();
});

test("films that came meanwhile are not deleted with those that were confirmed", async () => {
  const page = await open(service);
  await selectAll(page, 101);
  const button = bar(page).locator("[value=delete]");
  await button.click();
  await becomes(() => button.textContent(), "Delete 101 films?");
  await service.add("One more", "DVD", 100, 2000, 3);
  await button.click();
  await message(page).filter({ hasText: "Nothing was deleted: more films match now." }).waitFor();
  assert.equal((await service.movies()).length, 102);
  await page.done();
});

test("what was sent when the session had ended is done after signing in, with Undo", async () => {
  await service.empty();
  await service.add("Heat", "DVD", 170, 1995, 5);
  const page = await open(service);
  for (const [as, asks] of [["edward", false], ["olivia", true]]) {
    await page.goto("/changes");
    await page.context().clearCookies({ name: "reelshelf_session" });
    await page.locator(".change").first().getByRole("button", { name: /^Undo/ }).click();
    await page.getByText("Your session has ended.").waitFor();
    await page.getByLabel("User name").fill(as);
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    // Another user has to confirm.
    if (asks) await page.getByRole("button", { name: "Send it now" }).click();
    await page.waitForURL("/changes**");
    await undo(page).waitFor();
    assert.equal((await service.movies()).length, asks ? 1 : 0);
  }
  await page.done();
});

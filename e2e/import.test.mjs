// Importing a file: preview, options, progress, and the way back.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { becomes, fitsInWidth, focuses, inEveryWay, isAccessible, NARROW, open, start, takePictures, WIDE } from "./support.mjs";

let service;
before(async () => (service = await start()));
after(() => service.stop());

const file = (name, text) => ({ name, mimeType: "", buffer: Buffer.from(text) });
const CLZ = `Title,Movie Release Year,Running Time,Format,My Rating,Index
Heat,1995,170 mins,DVD,10,1
"Boot, Das",1981,149 mins,VHS,0,2
Brazil,1985,142,Blu-ray,7,3
Brazil,1985,142,VHS,8,4
Heat,1995,170 mins,DVD,10,5
Alien,1979,117,Laserdisc,9,6
`;
/** A ZIP archive with an empty `xl/workbook.xml`. */
const WORKBOOK = "UEsDBBQAAAAAAAAAIQAAAAAAAAAAAAAAAAAPAAAAeGwvd29ya2Jvb2sueG1sUEsBAhQDFAAAAAAAAAAhAAAAAAAAAAAAAAAAAA8AAAAAAAAAAAAAAIABAAAAAHhsL3dvcmtib29rLnhtbFBLBQYAAAAAAQABAD0AAAAtAAAAAAA=";
const LARGE = ["title,movieFormat,length,releaseYear,rating,note"]
  .concat(Array.from({ length: 5300 }, (_, n) => `Film ${n},DVD,90,2000,3,${"x".repeat(1000)}`))
  .join("\n");

/** Waits until there are so many rows under a heading. */
const count = (page, heading, number) =>
  page.locator(".counts > div", { hasText: heading }).getByText(number, { exact: true }).waitFor();

inEveryWay("one imports a foreign file, answer by answer, and takes it back", () => service, async (page, { js }) => {
  await service.add("Brazil", "VHS", 142, 1985, 4);
  const preview = async () => js || (await page.getByRole("button", { name: "Update the preview" }).click());
  await page.goto("/import");
  await page.getByLabel("Drop a file here, or choose one").setInputFiles(file("clz.csv", CLZ));
  if (!js) await page.getByRole("button", { name: "Preview" }).click();
  await page.getByRole("heading", { name: "This is from CLZ Movies: 6 films." }).waitFor();
  await count(page, "New", "4");
  await count(page, "Already here", "2");
  await count(page, "Rejected", "0");
  await page.getByRole("button", { name: "Import 4 films", exact: true }).waitFor();
  await page.getByRole("row", { name: /Das Boot/ }).waitFor();
  const ratings = page.getByRole("group", { name: "1 film has no rating. How good is it?" });
  await becomes(() => ratings.getByRole("radio", { name: "3 stars" }).isChecked(), true);
  await ratings.getByRole("radio", { name: "reject" }).check();
  await preview();
  await count(page, "Rejected", "1");
  await page.getByRole("row", { name: /rejected Boot, Das \(1981\)/ }).waitFor();
  await becomes(() => page.getByLabel("Blu-ray").inputValue(), "DVD");
  await page.getByLabel("Laserdisc").selectOption("is rejected");
  await preview();
  await page.getByRole("button", { name: "Import 2 films", exact: true }).waitFor();
  await page.getByLabel("Laserdisc").selectOption("is VHS");
  await preview();
  await page.getByRole("button", { name: "Import 3 films", exact: true }).click();
  await page.getByRole("heading", { name: "Imported" }).waitFor();
  await count(page, "Added", "3");
  assert.equal((await service.movies()).length, 4);
  await page.locator("main").getByRole("button", { name: "Undo" }).click();
  await page.getByText("of 3 films").waitFor();
  assert.equal((await service.movies()).length, 1);
});

inEveryWay("columns are guessed, shown with their first values, and can be said", () => service, async (page, { js }) => {
  await page.goto("/import");
  await page.locator("#file").setInputFiles(file("filme.txt", "Film;Jahr;Dauer\nStalker;1979;2:41\n<b>Persona</b>;1966;\n"));
  const preview = async () => js || (await page.getByRole("button", { name: "Update the preview" }).click());
  if (!js) await page.getByRole("button", { name: "Preview" }).click();
  await count(page, "New", "2");
  await page.getByText("Options", { exact: true }).click();
  await page.getByRole("row", { name: "Film Stalker · <b>Persona</b>" }).waitFor();
  for (const [column, field] of [["Film", "title"], ["Jahr", "releaseYear"], ["Dauer", "length"]]) {
    await becomes(() => page.getByLabel(column, { exact: true }).inputValue(), field);
  }
  await page.getByRole("group", { name: "What are the films on?" }).getByRole("radio", { name: "VHS" }).check();
  const lengths = page.getByRole("group", { name: "1 film has no length. How long is it?" });
  if (!js) await lengths.getByRole("radio", { name: "all" }).check();
  await lengths.getByRole("textbox").pressSequentially("1 h 25");
  await preview();
  await page.getByRole("row", { name: /<b>Persona<\/b> 1966, VHS, 1 h 25/ }).waitFor();
  await becomes(() => lengths.getByRole("textbox").inputValue(), "1 h 25");
  await page.getByRole("button", { name: "Import 2 films" }).click();
  await page.getByRole("heading", { name: "Imported" }).waitFor();
  assert.deepEqual((await service.movies()).map(({ title }) => title), ["Stalker", "<b>Persona</b>"]);

  await page.goto("/import");
  await page.locator("#file").setInputFiles(file("numbers.csv", "a,b\n1,2000\n2,2001\n"));
  if (!js) await page.getByRole("button", { name: "Preview" }).click();
  await page.getByRole("heading", { name: "Which column is the title?" }).waitFor();
  if (js) await isAccessible(page);
  await page.getByLabel("a", { exact: true }).selectOption("title");
  if (!js) await page.getByRole("button", { name: "Continue" }).click();
  await count(page, "New", "2");
});

test("where one types, one goes on typing while the preview follows", async () => {
  await service.empty();
  const page = await open(service);
  await page.goto("/import");
  assert.equal(await page.getByRole("button", { name: /Preview|Import/ }).count(), 0, "nothing to press before there is a file");
  await page.locator("#file").setInputFiles(file("films.csv", "title,releaseYear\nHeat,1995\n"));
  await count(page, "New", "1");
  const length = page.locator("#each-length");
  await length.fill("x");
  await page.locator("#default-length-error").waitFor();
  await focuses(page, "each-length");
  await page.keyboard.press("Backspace");
  await page.keyboard.type("90");
  await page.locator("#default-length-error").waitFor({ state: "detached" });
  await becomes(() => length.inputValue(), "90");
  await page.done();
});

test("a file that is chosen before the script is there is previewed", async () => {
  await service.empty();
  const page = await open(service);
  let come;
  const time = new Promise((resolve) => (come = resolve));
  await page.route("**/import.js", async (route) => {
    await time;
    await route.continue();
  });
  await page.goto("/import", { waitUntil: "commit" });
  await page.locator("#file").setInputFiles(file("clz.csv", CLZ));
  come();
  await count(page, "New", "5");
  await page.done();
});

test("a file can be dropped anywhere", async () => {
  await service.empty();
  const page = await open(service);
  await page.goto("/import");
  const dropped = await page.evaluateHandle((text) => {
    const data = new DataTransfer();
    data.items.add(new File([text], "dropped.csv"));
    return data;
  }, CLZ);
  await page.dispatchEvent("h1", "dragover", { dataTransfer: dropped });
  await page.dispatchEvent("h1", "drop", { dataTransfer: dropped });
  await count(page, "New", "5");
  await page.getByText("dropped.csv").first().waitFor();
  await page.done();
});

for (const js of [true, false]) {
  test(`a large file is imported (${js ? "with" : "without"} JavaScript)`, async () => {
    await service.empty();
    const page = await open(service, { js });
    assert.ok(LARGE.length > 5 * 1024 * 1024);
    await page.goto("/import");
    await page.locator("#file").setInputFiles(file("large.csv", LARGE));
    if (js) {
      await page.getByText("A large file: press Preview to see what would be stored.").waitFor();
      // An upload can be cancelled.
      await page.route("/import", () => {});
      await page.getByRole("button", { name: "Import at once" }).click();
      await page.getByRole("progressbar", { name: "Sending" }).waitFor();
      await page.getByRole("button", { name: "Stop" }).click();
      await page.getByText("Stopped.").waitFor();
      await page.unroute("/import");
      await page.evaluate(() => {
        globalThis.told = [];
        const spoken = document.querySelector("body > .visually-hidden[role=status]");
        new MutationObserver(() => globalThis.told.push(spoken.textContent)).observe(spoken, { childList: true });
      });
      await page.getByRole("button", { name: "Import at once" }).click();
      await page.getByRole("heading", { name: "Imported" }).waitFor();
      await becomes(() => page.evaluate(() => globalThis.told), ["Storing", "Imported, Added 5,300, Updated 0, Skipped 0, Rejected 0"]);
    } else {
      await page.getByRole("button", { name: "Preview" }).click();
      await page.getByText("choose large.csv once more").waitFor();
      await page.locator("#file").setInputFiles(file("large.csv", LARGE));
      await page.getByRole("button", { name: "Import 5,300 films" }).click();
    }
    await page.getByRole("heading", { name: "Imported" }).waitFor();
    await count(page, "Added", "5,300");
    await page.locator("main").getByRole("button", { name: "Undo all 5,300" }).click();
    await page.getByRole("heading", { name: /^Undo “/ }).waitFor();
    await page.locator("main").getByRole("button", { name: "Undo all 5,300" }).click();
    await page.locator(".messages", { hasText: "of 5,300 films" }).waitFor();
    await page.done();
  });
}

test("what does not come through is told, and nothing is lost", async () => {
  await service.empty();
  const page = await open(service);
  await page.goto("/import");
  await page.locator("#file").setInputFiles({ ...file("films.xlsx", ""), buffer: Buffer.from(WORKBOOK, "base64") });
  await page.getByText("is an Excel workbook").waitFor();
  await page.locator("#file").setInputFiles(file("clz.csv", CLZ));
  await count(page, "New", "5");
  await page.context().clearCookies();
  await page.getByRole("radio", { name: "4 stars" }).check();
  await page.waitForURL("/login?next=%2Fimport");
  await page.done();
});

for (const viewport of [WIDE, NARROW]) {
  test(`it looks well and is accessible at ${viewport.width}`, async () => {
    await service.empty();
    await service.add("Brazil", "VHS", 142, 1985, 4);
    const page = await open(service, { viewport });
    await page.goto("/import");
    await isAccessible(page);
    await takePictures(page, "import");
    await fitsInWidth(page);
    await page.locator("#file").setInputFiles(file("clz-export-of-november.csv", CLZ));
    await count(page, "New", "4");
    await page.getByText("Options", { exact: true }).click();
    await isAccessible(page);
    await fitsInWidth(page);
    await takePictures(page, "import-preview");
    await page.getByRole("radio", { name: "reject" }).first().check();
    await count(page, "Rejected", "1");
    await page.getByRole("button", { name: "Import 3 films", exact: true }).click();
    await page.getByRole("heading", { name: "Imported" }).waitFor();
    await page.getByText("Rejected: 1").click();
    await isAccessible(page);
    await fitsInWidth(page);
    await takePictures(page, "imported");
    await page.locator("#file").waitFor({ state: "detached" });
    await page.goto("/import");
    await page.locator("#file").setInputFiles(file("filme.csv", `${"W".repeat(60)};Jahr\n${"1".repeat(50)};1979\n`));
    await page.getByRole("heading", { name: "Which column is the title?" }).waitFor();
    await isAccessible(page);
    await fitsInWidth(page);
    await takePictures(page, "import-unknown");
    await page.done();
  });
}

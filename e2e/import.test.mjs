// Importing a file: what would become of it, the choices, the way, and back.

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
const LARGE = ["title,movieFormat,length,releaseYear,rating,note"]
  .concat(Array.from({ length: 5300 }, (_, n) => `Film ${n},DVD,90,2000,3,${"x".repeat(1000)}`))
  .join("\n");

/** Waits until so many rows stand under a heading. */
const count = (page, heading, number) =>
  page.locator(".counts > div", { hasText: heading }).getByText(number, { exact: true }).waitFor();

inEveryWay("one imports a foreign file, choice by choice, and takes it back", () => service, async (page, { js }) => {
  await service.add("Brazil", "VHS", 142, 1985, 4);
  const preview = async () => js || (await page.getByRole("button", { name: "Preview again" }).click());
  await page.goto("/");
  await page.getByRole("link", { name: "Import", exact: true }).click();
  await page.getByLabel("A file of films").setInputFiles(file("clz.csv", CLZ));
  if (!js) await page.getByRole("button", { name: "Preview" }).click();
  await count(page, "Refused", "3");
  await count(page, "Skipped", "2");
  await page.getByText("Nothing is stored as long as rows are refused").waitFor();
  assert.equal(await page.getByRole("row", { name: /Boot, Das/ }).count(), 0); // it is refused, for its rating
  await page.getByLabel("Rating", { exact: true }).selectOption("3 stars");
  await preview();
  await page.getByRole("row", { name: /Das Boot/ }).waitFor();
  await page.getByLabel("Blu-ray").selectOption("is DVD");
  await preview();
  await count(page, "Refused", "1");
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.getByText("Nothing was stored, since rows are refused").waitFor();
  await page.getByLabel("Laserdisc").selectOption("is DVD");
  await preview();
  await count(page, "To be added", "4");
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.getByRole("heading", { name: "Imported" }).waitFor();
  await count(page, "Added", "4");
  assert.equal((await service.movies()).length, 5);
  await page.locator("main").getByRole("button", { name: "Undo" }).click();
  await page.getByText("Took back a change of 4 films").waitFor();
  assert.equal((await service.movies()).length, 1);
});

inEveryWay("a file without known columns is read once these are named", () => service, async (page, { js }) => {
  await page.goto("/import");
  await page.locator("#file").setInputFiles(file("filme.txt", "Film;Jahr\nStalker;1979\n<b>Persona</b>;1966\n"));
  const preview = async () => js || (await page.getByRole("button", { name: "Preview" }).click());
  await preview();
  await page.getByText("names none of the columns").waitFor();
  await page.getByLabel("title", { exact: true }).selectOption("Film");
  await page.getByLabel("year", { exact: true }).selectOption("Jahr");
  await page.getByLabel("Length", { exact: true }).pressSequentially("1 h 30");
  await page.getByLabel("Format", { exact: true }).selectOption("VHS");
  await page.getByLabel("Rating", { exact: true }).selectOption("4 stars");
  await preview();
  await count(page, "To be added", "2");
  await becomes(() => page.getByLabel("Length", { exact: true }).inputValue(), "1 h 30");
  await page.getByRole("row", { name: /<b>Persona<\/b> 1966, VHS, 1 h 30/ }).waitFor();
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.getByRole("heading", { name: "Imported" }).waitFor();
  assert.deepEqual((await service.movies()).map(({ title }) => title), ["Stalker", "<b>Persona</b>"]);
});

test("where one types, one goes on typing while the preview follows", async () => {
  await service.empty();
  const page = await open(service);
  await page.goto("/import");
  await page.locator("#file").setInputFiles(file("films.csv", "title,releaseYear\nHeat,1995\n"));
  await count(page, "Refused", "1");
  const length = page.getByLabel("Length", { exact: true });
  await length.fill("x");
  await page.locator("#default-length-error").waitFor();
  await focuses(page, "default-length");
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
  await count(page, "Refused", "3");
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
  await count(page, "Refused", "3");
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
      await page.getByText("A large file. Preview shows what would become of it.").waitFor();
      // What is on its way can be stopped.
      await page.route("/import", () => {});
      await page.getByRole("button", { name: "Import at once" }).click();
      await page.getByRole("progressbar", { name: "Sending" }).waitFor();
      await page.getByRole("button", { name: "Stop" }).click();
      await page.getByText("Stopped.").waitFor();
      await page.unroute("/import");
      await page.evaluate(() => {
        globalThis.told = [];
        const spoken = document.querySelector("body > .unseen[role=status]");
        new MutationObserver(() => globalThis.told.push(spoken.textContent)).observe(spoken, { childList: true });
      });
      await page.getByRole("button", { name: "Import at once" }).click();
      await page.getByRole("heading", { name: "Imported" }).waitFor();
      await becomes(() => page.evaluate(() => globalThis.told), ["Being stored", "Imported, Added 5,300, Changed 0, Skipped 0, Refused 0"]);
    } else {
      await page.getByRole("button", { name: "Preview" }).click();
      await page.getByText("choose large.csv once more").waitFor();
      await page.locator("#file").setInputFiles(file("large.csv", LARGE));
      await page.getByRole("button", { name: "Import", exact: true }).click();
    }
    await page.getByRole("heading", { name: "Imported" }).waitFor();
    await count(page, "Added", "5,300");
    await page.locator("main").getByRole("button", { name: "Undo" }).click();
    await page.getByText("Took back a change of 5,300 films").waitFor();
    await page.done();
  });
}

test("what does not come through is told, and nothing is lost", async () => {
  await service.empty();
  const page = await open(service);
  await page.goto("/import");
  await page.locator("#file").setInputFiles(file("films.xlsx", "PK\u0003\u0004 xl/workbook.xml"));
  await page.getByText("is an Excel workbook").waitFor();
  await page.locator("#file").setInputFiles(file("clz.csv", CLZ));
  await count(page, "Refused", "3");
  await page.context().clearCookies();
  await page.getByLabel("Rating", { exact: true }).selectOption("3 stars");
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
    await page.locator("#file").setInputFiles(file("clz-export-of-november.csv", CLZ));
    await count(page, "Refused", "3");
    await isAccessible(page);
    await fitsInWidth(page);
    await takePictures(page, "import-preview");
    await page.getByLabel("Where rows are refused").selectOption("the others are stored");
    await page.getByText("Nothing is stored as long as rows are refused").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Import", exact: true }).click();
    await page.getByRole("heading", { name: "Imported" }).waitFor();
    await page.getByText("Refused: 3").click();
    await isAccessible(page);
    await fitsInWidth(page);
    await takePictures(page, "imported");
    await page.locator("#file").waitFor({ state: "detached" });
    await page.goto("/import");
    await page.locator("#file").setInputFiles(file("filme.csv", `${"W".repeat(60)};Jahr\n${"W".repeat(50)};1979\n`));
    await page.getByText("names none of the columns").waitFor();
    await isAccessible(page);
    await fitsInWidth(page);
    await takePictures(page, "import-unknown");
    await page.done();
  });
}

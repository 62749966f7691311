// The statistics: bars that link to the films.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { becomes, films, fitsInWidth, inEveryWay, isAccessible, NARROW, open, start, takePictures, WIDE } from "./support.mjs";

let service;
before(async () => (service = await start()));
after(() => service.stop());

inEveryWay("a bar leads to its films, and filters go along", () => service, async (page) => {
  await service.fill(films(60));
  await page.goto("/?movieFormat=VHS");
  await page.getByRole("link", { name: "Statistics of these films" }).click();
  await page.waitForURL("/statistics?movieFormat=VHS");
  const row = page.getByRole("row", { name: "4 stars" });
  const count = await row.getByRole("cell").textContent();
  await row.getByRole("link").click();
  await page.waitForURL("/?movieFormat=VHS&rating=4");
  await becomes(() => page.getByRole("heading", { level: 1 }).textContent(), `${count} film${count === "1" ? "" : "s"} found`);
  await page.goBack();
  await page.getByRole("link", { name: "Without the filter VHS" }).click();
  await page.waitForURL("/statistics");
  await becomes(() => page.getByRole("heading", { level: 1 }).textContent(), "60 films");
}, { as: "vera" });

inEveryWay("the films are downloaded", () => service, async (page) => {
  await service.fill(films(30));
  await page.goto("/statistics?movieFormat=DVD");
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "CSV" }).click()]);
  assert.match(file.suggestedFilename(), /^reelshelf-\d{4}-\d\d-\d\d\.csv$/);
}, { as: "vera" });

for (const viewport of [WIDE, NARROW]) {
  test(`it looks well and is accessible at ${viewport.width}`, async () => {
    await service.empty();
    const page = await open(service, { viewport });
    await page.goto("/statistics");
    await isAccessible(page);
    await service.fill(films(400));
    for (const [name, path] of [["statistics", "/statistics"], ["statistics-filtered", "/statistics?rating=3..&releaseYear=1950..1999"]]) {
      await page.goto(path);
      await isAccessible(page);
      await fitsInWidth(page);
      await takePictures(page, name);
    }
    await page.done();
  });
}

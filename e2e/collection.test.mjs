// The collection, as a shelf and as a table.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { films, fitsInWidth, inEveryWay, isAccessible, NARROW, open, start, takePictures, WIDE } from "./support.mjs";

let service;
before(async () => (service = await start()));
after(() => service.stop());

inEveryWay("one narrows the films down and comes back", () => service, async (page, { narrow }) => {
  await service.fill(films(60));
  await page.goto("/");
  assert.equal(await page.getByRole("heading", { level: 1 }).textContent(), "60 films");
  if (narrow) await page.getByRole("button", { name: "Filters" }).click();
  await page.getByRole("checkbox", { name: /^VHS/ }).check();
  await page.getByRole("button", { name: "Apply" }).click();
  await page.waitForURL("/?movieFormat=VHS");
  const found = (await service.movies("?movieFormat=VHS")).length;
  assert.equal(await page.getByRole("heading", { level: 1 }).textContent(), `${found} films found`);
  await page.goBack();
  assert.equal(await page.getByRole("heading", { level: 1 }).textContent(), "60 films");
}, { as: "vera" });

for (const viewport of [WIDE, NARROW]) {
  test(`it looks well and is accessible at ${viewport.width}`, async () => {
    await service.empty();
    const page = await open(service, { viewport });
    await page.goto("/");
    await isAccessible(page);
    await takePictures(page, "empty");
    await service.fill(films(120));
    for (const [name, path] of [["shelf", "/"], ["table", "/?view=table"], ["nothing-found", "/?q=nothing+like+it"]]) {
      await page.goto(path);
      await isAccessible(page);
      await fitsInWidth(page);
      await takePictures(page, name);
    }
    await page.done();
  });
}

// One film for tonight.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { films, fitsInWidth, focuses, inEveryWay, isAccessible, NARROW, open, queries, reads, start, takePictures, WIDE } from "./support.mjs";

let service;
before(async () => (service = await start()));
after(() => service.stop());

const title = (page) => page.locator("article").getByRole("heading").textContent();

inEveryWay("one says what there is time for, and asks for another film", () => service, async (page, { js }) => {
  await service.add("Alien", "VHS", 117, 1979, 5);
  await service.add("Aliens", "VHS", 117, 1986, 4);
  await service.add("Heat", "DVD", 170, 1995, 5);
  await page.goto("/tonight");
  await page.getByLabel("Time you have").fill("2 h");
  await page.getByRole("checkbox", { name: "VHS" }).check();
  await page.getByLabel("Rating").selectOption("4..");
  await page.getByRole("button", { name: "Pick a film" }).click();
  await page.waitForURL("/tonight?movieFormat=VHS&rating=4..&length=..120");
  let last = await title(page);
  for (let n = 0; n < 4; n += 1) {
    const other = last === "Alien" ? "Aliens" : "Alien";
    await page.getByRole("link", { name: "Another one" }).click();
    await page.locator("article").getByRole("heading", { name: other, exact: true }).waitFor();
    last = other;
  }
  if (js) {
    await queries(page, "?movieFormat=VHS&rating=4..&length=..120");
    await focuses(page, "another");
  }
  await page.getByLabel("Time you have").fill("100");
  await page.getByRole("button", { name: "Pick a film" }).click();
  await page.getByRole("link", { name: "The shortest film that fits otherwise takes 1 h 57" }).click();
  await reads(page.locator("article").getByRole("heading"), /^Aliens?$/);
}, { as: "vera" });

test("who may edit gets from the film to its form", async () => {
  await service.empty();
  await service.add("Heat", "DVD", 170, 1995, 5);
  const page = await open(service);
  await page.goto("/tonight");
  await page.getByRole("link", { name: "Heat" }).click();
  await page.waitForURL("/film/*");
  await page.done();
});

for (const viewport of [WIDE, NARROW]) {
  test(`it looks well and is accessible at ${viewport.width}`, async () => {
    await service.empty();
    const page = await open(service, { viewport });
    for (const [name, title, format] of [
      ["dvd", "The Good, the Bad and the Ugly", "DVD"],
      ["vhs", "Metropolis", "VHS"],
      ["streaming", "千と千尋の神隠し", "Streaming"],
      ["wide", "W".repeat(50), "DVD"],
    ]) {
      await service.empty();
      await service.add(title, format, 161, 1966, 4);
      await service.add(title, format, 161, 1967, 4);
      await page.goto("/tonight?rating=2..");
      await isAccessible(page);
      await fitsInWidth(page);
      await takePictures(page, `tonight-${name}`);
    }
    await page.goto("/tonight?length=..90&rating=5");
    await service.fill(films(1));
    await page.goto("/tonight?length=..90&releaseYear=1966..1970");
    await isAccessible(page);
    await fitsInWidth(page);
    await takePictures(page, "tonight-nothing");
    await page.done();
  });
}

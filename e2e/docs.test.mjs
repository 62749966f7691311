// The pages under /docs/: on telephones too, in both schemes, and as accessible as Swagger UI allows.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { becomes, fitsInWidth, isAccessible, NARROW, open, start, takePictures, WIDE } from "./support.mjs";

let service;
before(async () => (service = await start()));
after(() => service.stop());

for (const viewport of [WIDE, NARROW]) {
  test(`the guide and the pages about errors are accessible at ${viewport.width}`, async () => {
    const page = await open(service, { viewport });
    for (const [name, path] of [["docs-guide", "/docs/guide"], ["docs-errors", "/docs/errors/"], ["docs-error", "/docs/errors/invalid-fields"]]) {
      await page.goto(path);
      await isAccessible(page);
      await fitsInWidth(page);
      await takePictures(page, name);
    }
    await page.done();
  });

  test(`the page of the API fits at ${viewport.width}, names this service, and leads back`, async () => {
    const page = await open(service, { viewport });
    await page.goto("/docs/");
    await page.locator(".opblock").first().waitFor();
    assert.equal(await page.locator(".topbar").count(), 0, "Swagger UI's own bar is hidden");
    assert.match(await page.locator("[data-example=curl-0]").textContent(), new RegExp(`RS=${new URL(service.base).origin} `));
    await fitsInWidth(page);
    // An operation with its parameters and examples stands for all of them.
    await page.locator(".opblock-post .opblock-summary-control").first().click();
    await page.locator(".opblock.is-open .microlight").first().waitFor();
    await isAccessible(page, { include: ["body > header", ".chapter", ".opblock.is-open"] });
    await takePictures(page, "docs");
    await page.locator(".brand").click();
    await becomes(() => new URL(page.url()).pathname, "/");
    await page.done();
  });
}

// The first owner, made in the browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fitsInWidth, isAccessible, NARROW, open, PASSWORD, startUnowned, takePictures, WIDE } from "./support.mjs";

for (const [viewport, js] of [[WIDE, true], [NARROW, false]]) {
  test(`one makes the first owner, signs out and in again (${viewport.width}, ${js ? "with" : "without"} JavaScript)`, async (t) => {
    const service = await startUnowned();
    t.after(() => service.stop());
    const page = await open(service, { as: null, viewport, js });
    await page.goto(service.setup);
    if (js) await isAccessible(page);
    await fitsInWidth(page);
    await takePictures(page, "setup");
    await page.getByLabel("User name").fill("no good");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Make the owner" }).click();
    await page.getByText("The name must").waitFor();
    if (js) await isAccessible(page);
    assert.equal(await page.getByLabel("User name").inputValue(), "no good");
    await page.getByLabel("User name").fill("olivia");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Make the owner" }).click();
    await page.getByRole("heading", { name: "The shelf is empty" }).waitFor();
    await page.locator("header .menu summary").click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL("/login*");
    await page.getByLabel("User name").fill("olivia");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL("/");
    // The address works once: there is a user now.
    await page.goto(service.setup);
    assert.equal(new URL(page.url()).pathname, "/login");
    await page.done();
  });
}

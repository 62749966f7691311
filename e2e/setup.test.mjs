// Creating the first owner in the browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import { becomes, fitsInWidth, focuses, isAccessible, NARROW, open, PASSWORD, startUnowned, takePictures, WIDE } from "./support.mjs";

for (const [viewport, js] of [[WIDE, true], [NARROW, false]]) {
  test(`one creates the first owner, signs out and in again (${viewport.width}, ${js ? "with" : "without"} JavaScript)`, async (t) => {
    const service = await startUnowned();
    t.after(() => service.stop());
    const page = await open(service, { as: null, viewport, js });
    await page.goto(service.setup);
    if (js) await isAccessible(page);
    await fitsInWidth(page);
    await takePictures(page, "setup");
    const code = new URL(service.setup).hash.replace("#code=", "");
    if (js) {
      await becomes(() => page.getByLabel("Set-up code").inputValue(), code);
      await becomes(() => new URL(page.url()).hash, "", "the code does not stay in the address");
    } else await page.getByLabel("Set-up code").fill(code);
    await page.getByLabel("User name").fill("no good");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Create the owner" }).click();
    await page.getByText("The name must").waitFor();
    if (js) await isAccessible(page);
    await becomes(() => page.getByLabel("User name").inputValue(), "no good");
    await becomes(() => page.getByLabel("Set-up code").inputValue(), code);
    await focuses(page, "name");
    // The focus is where the mistake is, which is said there and nowhere else.
    await page.getByLabel("User name").fill("olivia");
    await page.getByLabel("Password").fill("password password");
    await page.getByRole("button", { name: "Create the owner" }).click();
    await page.locator("#password-error").waitFor();
    await focuses(page, "password");
    assert.equal(await page.getByLabel("Password").getAttribute("aria-invalid"), "true");
    assert.equal(await page.getByText(/fields? (is|are) invalid/).count(), 0);
    await page.getByLabel("User name").fill("olivia");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Create the owner" }).click();
    await page.getByRole("heading", { name: "The shelf is empty" }).waitFor();
    const drafts = () => page.evaluate(() => Object.keys(sessionStorage).filter((name) => name.startsWith("draft ")));
    if (js) {
      await page.goto("/add");
      await page.getByLabel("Title").fill("Typed and not sent");
      await becomes(drafts, ["draft olivia at /add"]);
    }
    await page.locator(".account-menu summary").click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL("/login*");
    if (js) {
      await becomes(drafts, [], "nothing that was typed stays");
      // Nor does a draft of another user of this tab, whose session expired.
      await page.evaluate(() => sessionStorage.setItem("draft pete at /add", JSON.stringify([["title", "Of Pete"]])));
    }
    await page.getByLabel("User name").fill("olivia");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL("/");
    if (js) {
      await page.goto("/add");
      assert.equal(await page.getByLabel("Title").inputValue(), "");
      assert.deepEqual(await drafts(), []);
    }
    // The URL works once: now there is a user.
    await page.goto(service.setup);
    await becomes(() => new URL(page.url()).pathname, "/login");
    await page.done();
  });
}

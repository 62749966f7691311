// The account page, the users, signing in, and forms that were sent after the session had ended.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { becomes, fitsInWidth, inEveryWay, isAccessible, NARROW, open, PASSWORD, start, takePictures, WIDE } from "./support.mjs";

let service;
before(async () => (service = await start()));
after(() => service.stop());

const NEW = "another shelf of tapes";
let count = 0;

/** Each walk has its own user. */
async function someone(role) {
  const name = `person${(count += 1)}`;
  await service.api("POST", "/user", { name, password: PASSWORD, role });
  return name;
}

async function signIn(page, name, password = PASSWORD) {
  await page.getByLabel("User name").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

inEveryWay("one makes a token, uses it and revokes it", () => service, async (page, { js }) => {
  await page.goto("/login");
  await signIn(page, await someone("editor"));
  await page.waitForURL("/");
  await page.locator(".account-menu summary").click();
  await page.getByRole("link", { name: "Account" }).click();
  await page.getByLabel("Name").fill("laptop");
  await page.getByLabel("Role").selectOption("viewer");
  await page.getByRole("button", { name: "Create the token" }).click();
  const secret = await page.getByLabel("The token", { exact: true }).inputValue();
  const me = await fetch(`${service.base}/me`, { headers: { Authorization: `Bearer ${secret}` } });
  assert.equal((await me.json()).role, "viewer");
  if (js) {
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByText("Copied.").waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
  }
  await page.getByRole("button", { name: "Revoke the token laptop" }).click();
  await page.getByText("The token is revoked").waitFor();
  const gone = await fetch(`${service.base}/me`, { headers: { Authorization: `Bearer ${secret}` } });
  assert.equal(gone.status, 401);
}, { as: null });

inEveryWay("one changes the password and signs in with it", () => service, async (page) => {
  const name = await someone("viewer");
  await page.goto("/login?next=/account");
  await signIn(page, name);
  await page.getByLabel("Current password").fill("a wrong password");
  await page.getByLabel(/^New password/).fill(NEW);
  await page.getByLabel("Repeat the new password").fill(NEW);
  await page.getByRole("button", { name: "Set the new password" }).click();
  await page.getByText("The current password is wrong.").waitFor();
  await page.getByLabel("Current password").fill(PASSWORD);
  await page.getByLabel(/^New password/).fill(NEW);
  await page.getByLabel("Repeat the new password").fill(NEW);
  await page.getByRole("button", { name: "Set the new password" }).click();
  await page.getByText("The new password is set").waitFor();
  await signIn(page, name, NEW);
  await page.waitForURL("/");
}, { as: null });

inEveryWay("checkboxes stand before their labels, and one shows a new password", () => service, async (page, { js }) => {
  for (const [path, form] of [["/account", "#password-heading ~ form"], ["/users", ".rows form.fields"]]) {
    await page.goto(path);
    if (path === "/users") await page.getByText("Change edward").click();
    const fields = page.locator(form).first();
    const revoke = fields.locator("[name=revokeTokens]");
    const [square, label] = await Promise.all([revoke.boundingBox(), revoke.locator("..").boundingBox()]);
    assert.deepEqual([square.width, square.height], [18, 18]);
    assert.ok(label.height <= 48 && label.width < 500, JSON.stringify(label));
    const password = fields.locator("#password, #password-1");
    const show = fields.getByRole("checkbox", { name: "Show" });
    assert.equal(await show.count(), js ? 1 : 0);
    for (const type of js ? ["text", "password"] : []) {
      await show.click();
      await becomes(() => password.getAttribute("type"), type);
    }
  }
}, { as: "olivia" });

inEveryWay("an owner adds, changes and removes a user", () => service, async (page) => {
  const name = `person${(count += 1)}`;
  await page.goto("/");
  await page.locator(".account-menu summary").click();
  await page.getByRole("link", { name: "Users" }).click();
  const form = page.getByRole("region", { name: "Add a user" });
  await form.getByLabel("User name").fill(name);
  await form.getByLabel("Role").selectOption("editor");
  await form.getByLabel(/^Password/).fill(PASSWORD);
  await form.getByRole("button").click();
  await page.getByText("The user was added.").waitFor();
  const row = page.getByRole("listitem").filter({ hasText: name });
  await row.getByText(`Change ${name}`).click();
  await row.getByLabel("Role").selectOption("viewer");
  await row.getByRole("button", { name: "Save" }).click();
  await page.getByText("The user was changed").waitFor();
  assert.equal((await service.api("GET", "/me", undefined, { as: name })).role, "viewer");
  await row.getByText(`Change ${name}`).click();
  await row.getByRole("button", { name: `Remove ${name}` }).click();
  await page.getByText("The user was removed").waitFor();
  await becomes(() => row.count(), 0);
}, { as: "olivia" });

inEveryWay("what was typed when the session had ended is kept", () => service, async (page) => {
  const name = await someone("owner");
  await page.goto("/login?next=/users");
  await signIn(page, name);
  const form = page.getByRole("region", { name: "Add a user" });
  await form.getByLabel("User name").fill("somebody new");
  await form.getByLabel(/^Password/).fill(PASSWORD);
  await page.context().clearCookies();
  await form.getByRole("button").click();
  await page.getByText("Your session has ended.").waitFor();
  await signIn(page, name);
  await page.getByRole("button", { name: "Continue" }).click();
  await page.waitForURL("/users/add");
  await becomes(() => form.getByLabel("User name").inputValue(), "somebody new");
  await service.api("DELETE", `/user/${name}`);
}, { as: null });

inEveryWay("after signing out nothing is to be seen", () => service, async (page) => {
  await service.add("A secret film", "DVD", 100, 2000, 3);
  await page.goto("/");
  await page.getByText("A secret film").first().waitFor({ state: "attached" });
  await page.locator(".account-menu summary").click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL("/login");
  await page.goBack();
  await page.waitForURL("/login?next=%2F");
});

for (const viewport of [WIDE, NARROW]) {
  test(`it looks well and is accessible at ${viewport.width}`, async () => {
    const page = await open(service, { as: "olivia", viewport });
    const look = async (name) => {
      await isAccessible(page);
      await fitsInWidth(page);
      await takePictures(page, name);
    };
    await page.goto("/account");
    await look("account");
    await page.getByLabel("Name").fill("laptop");
    await page.getByLabel("Expires on").fill("2030-01-31");
    await page.getByRole("button", { name: "Create the token" }).click();
    await page.getByLabel("The token", { exact: true }).waitFor();
    await look("token");
    await page.goto("/users");
    await look("users");
    await page.getByText("Change olivia").click();
    await page.getByRole("button", { name: "Remove olivia" }).click();
    await page.getByText("the last owner").waitFor();
    await look("last-owner");
    for (const [name, path] of [["error", "/nowhere"], ["bad-address", "/?rating=9&sort=colour"]]) {
      await page.goto(path);
      await look(name);
    }
    await page.locator(".account-menu summary").click();
    await look("menu");
    await page.done();
    const nobody = await open(service, { as: null, viewport });
    await nobody.goto("/login");
    await isAccessible(nobody);
    await fitsInWidth(nobody);
    await takePictures(nobody, "login");
    await signIn(nobody, "vera", "a wrong password");
    await nobody.getByText("Not signed in").waitFor();
    await isAccessible(nobody);
    await takePictures(nobody, "login-refused");
    await nobody.done();
  });
}

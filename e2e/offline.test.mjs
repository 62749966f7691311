// The pages while the service is unreachable.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { becomes, fitsInWidth, isAccessible, NARROW, open, start, takePictures, WIDE } from "./support.mjs";

let service;
before(async () => (service = await start()));
after(() => service.stop());

/** Waits until the service worker controls all pages. */
const guarded = (page) => page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));

/** Ignores failed requests, which these tests cause. */
const forgive = (page) => page.troubles.splice(0, Infinity, ...page.troubles.filter((text) => !/net::ERR_|status of 503/.test(text)));

for (const viewport of [WIDE, NARROW]) {
  test(`a page instead of the one that cannot be had goes away by itself (${viewport.width})`, async () => {
    await service.empty();
    const page = await open(service, { viewport });
    await page.goto("/");
    await guarded(page);
    await service.pause();
    try {
      await page.goto("/changes");
      await page.getByRole("heading", { name: "The service cannot be reached" }).waitFor();
      await isAccessible(page);
      await fitsInWidth(page);
      await takePictures(page, "unreachable");
    } finally {
      await service.resume();
    }
    await page.getByRole("heading", { name: "Changes" }).waitFor();
    forgive(page);
    await page.done();
  });

  test(`a line says so on an open page, and what is typed stays (${viewport.width})`, async () => {
    await service.empty();
    const page = await open(service, { as: "olivia", viewport });
    await page.goto("/users");
    await guarded(page);
    const name = page.getByRole("region", { name: "Add a user" }).getByLabel("User name");
    await name.fill("somebody");
    await service.pause();
    const line = page.locator(".offline");
    try {
      await page.evaluate(() => dispatchEvent(new Event("offline")));
      await line.getByText("The service cannot be reached").waitFor();
      await isAccessible(page);
      await fitsInWidth(page);
      await takePictures(page, "away");
      await page.getByRole("region", { name: "Add a user" }).getByLabel(/^Password/).fill("a shelf full of tapes");
      await page.getByRole("button", { name: "Add the user" }).click();
      await line.getByText("Not sent").waitFor();
      await becomes(() => name.inputValue(), "somebody");
    } finally {
      await service.resume();
    }
    await page.locator(".offline:empty").waitFor({ state: "attached" });
    await page.getByRole("button", { name: "Add the user" }).click();
    await page.getByText("The user was added.").waitFor();
    await service.api("DELETE", "/user/somebody");
    forgive(page);
    await page.done();
  });
}

test("what a form has sent is not sent again unasked", async () => {
  await service.empty();
  const { id } = await service.add("Heat", "DVD", 170, 1995, 5);
  const page = await open(service);
  await page.goto(`/changes?film=${id}`);
  await guarded(page);
  await service.pause();
  try {
    await page.evaluate(() => document.querySelector(".change form").submit());
    await page.getByText("What you sent did not arrive.").waitFor();
  } finally {
    await service.resume();
  }
  await page.getByRole("link", { name: "Go back" }).click();
  await page.getByRole("heading", { name: /^History/ }).waitFor();
  assert.equal((await service.movies()).length, 1);
  forgive(page);
  await page.done();
});

test("nothing of the collection is kept in the browser", async () => {
  await service.empty();
  await service.add("Heat", "DVD", 170, 1995, 5);
  const page = await open(service);
  for (const path of ["/", "/changes", "/account"]) await page.goto(path);
  await guarded(page);
  const kept = await page.evaluate(async () => {
    const caches_ = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
    const requests = await Promise.all(caches_.map((cache) => cache.keys()));
    return requests.flat().map(({ url }) => new URL(url).pathname).sort();
  });
  assert.deepEqual(kept, ["icon.svg", "offline.html", "style.css", "unreachable.js"].map((name) => `/assets/offline/${name}`));
  await page.done();
});

test("the line that tells of others' changes comes again when the service does", async () => {
  await service.empty();
  const page = await open(service);
  await page.goto("/");
  await guarded(page);
  await service.pause();
  await page.locator(".offline", { hasText: "cannot be reached" }).waitFor();
  await service.resume();
  await page.locator(".offline:empty").waitFor({ state: "attached" });
  await service.add("Heat", "DVD", 170, 1995, 5);
  await page.locator(".news", { hasText: /olivia.* added 1 film/ }).waitFor();
  forgive(page);
  await page.done();
});

for (const viewport of [WIDE, NARROW]) {
  test(`what is typed into the search while the service is away is searched when it is back (${viewport.width})`, async () => {
    await service.empty();
    await service.add("Heat", "DVD", 170, 1995, 5);
    await service.add("Alien", "VHS", 117, 1979, 5);
    const page = await open(service, { viewport });
    await page.goto("/");
    await guarded(page);
    await service.pause();
    try {
      await page.locator("#q").fill("ali");
      await page.locator(".offline", { hasText: "cannot be reached" }).waitFor();
      await page.locator("#q").fill("alien");
      assert.equal(await page.locator("#messages > *").count(), 0, "the line says it, and it alone");
    } finally {
      await service.resume();
    }
    await page.locator(".offline:empty").waitFor({ state: "attached" });
    await becomes(() => page.locator(".spine b").allTextContents(), ["Alien"]);
    await becomes(() => new URL(page.url()).search, "?q=alien");
    forgive(page);
    await page.done();
  });
}

test("a page that was signed out in another tab says so, and asks for nothing more", async () => {
  await service.empty();
  const page = await open(service, { as: "olivia" });
  const answers = [];
  page.on("response", (answer) => answer.url().includes("/events") && answers.push(answer.status()));
  await page.goto("/");
  await becomes(() => answers, [200]);
  await page.context().request.post(`${service.base}/logout`, { headers: { origin: service.base }, form: {} });
  await page.evaluate(() => document.dispatchEvent(new Event("service:back")));
  await page.getByText("You are signed out.").waitFor();
  assert.deepEqual(answers, [200, 401]);
  await page.getByRole("link", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get("next"), "/");
  page.troubles.splice(0, Infinity, ...page.troubles.filter((text) => !/status of 401/.test(text)));
  await page.done();
});

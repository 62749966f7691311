// A separate service for each file of tests, and users in a real browser.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { chromium } from "playwright-core";

const ROOT = new URL("..", import.meta.url).pathname;
const PROGRAM = process.env.REELSHELF_PROGRAM ?? join(ROOT, "target/debug/reelshelf");
const PICTURES = join(ROOT, "target/pictures");
export const PASSWORD = "a shelf full of tapes";

/** The time limit for a page to reach a state, in milliseconds, and the interval between checks. */
const PATIENCE = 60_000;
const INTERVAL = 50;

/** The two widths in CSS pixels, by device. */
export const WIDE = { width: 1280, height: 800 };
export const NARROW = { width: 360, height: 740 };

/** Starts Debian's Chromium; `options` are those of Playwright. */
export const launch = (options = {}) =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage"],
      // The browser downloads nothing for itself.
      ...["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    ],
    ...options,
  });

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

/** Runs the program and waits until it listens. `log()` returns its log. */
const serve = (address, options, env) =>
  new Promise((resolve, reject) => {
    const child = spawn(PROGRAM, ["serve", "--listen", address, ...options], { stdio: ["ignore", "pipe", "pipe"], env });
    let log = "";
    child.stderr.on("data", (text) => (log += text));
    child.once("exit", () => reject(new Error(`the service ended: ${log}`)));
    createInterface(child.stdout).once("line", (line) => {
      child.removeAllListeners("exit");
      resolve({ child, base: line.replace("listening on ", ""), log: () => log });
    });
  });

async function end(child) {
  if (child.exitCode === null) child.kill("SIGTERM");
  await ended(child);
}
const ended = (child) => new Promise((resolve) => (child.exitCode === null ? child.once("exit", resolve) : resolve()));

const newFolder = () => mkdtemp(join(tmpdir(), "reelshelf-e2e-"));

/** Starts a service without users; `setup` is the URL that creates the first one. */
export async function startUnowned() {
  const folder = await newFolder();
  const { child, base, log } = await serve("127.0.0.1:0", [], { REELSHELF_DATABASE: `sqlite:${join(folder, "reelshelf.db")}` });
  const setup = () => log().match(/http\S+\/setup\S+\n/)?.[0].trim();
  while (!setup()) await once(child.stderr, "data");
  return {
    base,
    setup: setup(),
    async stop() {
      await end(child);
      await rm(folder, { recursive: true });
    },
  };
}

/** Starts a service with an owner `olivia`, an editor `edward` and a viewer `vera`. */
export async function start(options = []) {
  const folder = await newFolder();
  const database = process.env.E2E_DATABASE ?? `sqlite:${join(folder, "reelshelf.db")}`;
  const owner = { REELSHELF_OWNER: "olivia", REELSHELF_OWNER_PASSWORD: PASSWORD };
  const listen = (address) => serve(address, options, { REELSHELF_DATABASE: database, ...owner });
  let running = await listen("127.0.0.1:0");
  const { base } = running;
  const service = {
    base,
    /** Sends a request to the API as the owner, or as another user. */
    async api(method, path, body, { type = "application/json", as = "olivia" } = {}) {
      const content = type === "application/json" && body !== undefined ? JSON.stringify(body) : body;
      const answer = await fetch(base + path, {
        method,
        body: content,
        headers: { Authorization: `Basic ${btoa(`${as}:${PASSWORD}`)}`, ...(body === undefined ? {} : { "Content-Type": type }) },
      });
      const text = await answer.text();
      assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
      return text ? JSON.parse(text) : undefined;
    },
    add: (title, movieFormat, length, releaseYear, rating) =>
      service.api("POST", "/movie", { title, movieFormat, length, releaseYear, rating }),
    fill: (films) =>
      service.api("POST", "/movie?onDuplicate=add", films.map((film) => `${JSON.stringify(film)}\n`).join(""), {
        type: "application/x-ndjson",
      }),
    movies: (query = "") => service.api("GET", `/movie${query}`),
    /** Deletes all films. */
    async empty() {
      const operations = (await service.movies()).map(({ id }) => ({ op: "delete", id }));
      if (operations.length > 0) await service.api("POST", "/movie/batch", { operations });
    },
    /** Makes the service unreachable. */
    async pause() {
      running.child.kill("SIGKILL");
      await ended(running.child);
    },
    /** Starts it again at the same address. */
    async resume() {
      running = await listen(new URL(base).host);
    },
    async stop() {
      await end(running.child);
      await rm(folder, { recursive: true });
    },
  };
  await service.api("POST", "/user", { name: "edward", password: PASSWORD, role: "editor" });
  await service.api("POST", "/user", { name: "vera", password: PASSWORD, role: "viewer" });
  return service;
}

/** The style sheet, from its parts in the source. */
async function style() {
  const source = await readFile(join(ROOT, "src/http/web/assets.rs"), "utf8");
  const parts = [...source.matchAll(/"[./]+(assets\/style\/\w+\.css)"/g)].map(([, part]) => readFile(join(ROOT, part), "utf8"));
  return (await Promise.all(parts)).join("");
}

/** Opens a separate browser window, signed in as `as` (not signed in if that is null). What goes wrong in it
 *  (an error on the console, a request to another host) is in `troubles`, which `close` checks. `within` is another
 *  browser than the usual one. */
export async function open(service, { as = "edward", viewport = WIDE, js = true, scheme = "light", within = browser } = {}) {
  const context = await within.newContext({
    baseURL: service.base,
    viewport,
    javaScriptEnabled: js,
    colorScheme: scheme,
    reducedMotion: "reduce",
    hasTouch: viewport.width < 600,
    acceptDownloads: true,
  });
  const troubles = [];
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  context.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith("http") && url.origin !== service.base) troubles.push(`asks ${url}`);
  });
  page.on("console", (message) => {
    // An error that the page itself shows does not count.
    const refusal = message.text().startsWith("Failed to load resource: the server responded with a status of 4");
    if (message.type() === "error" && !refusal) troubles.push(message.text());
  });
  page.on("pageerror", (error) => troubles.push(error.stack));
  if (process.env.E2E_SCRIPTS) {
    // Scripts and styles come from the source, so that changes need no build.
    await context.route("**/assets/*/*.js", (route) =>
      route.fulfill({ path: join(ROOT, "assets/script", new URL(route.request().url()).pathname.split("/").at(-1)) }),
    );
    await context.route("**/assets/*/style.css", async (route) => route.fulfill({ contentType: "text/css", body: await style() }));
  }
  if (as) {
    const answer = await context.request.post("/login", { data: { name: as, password: PASSWORD } });
    assert.equal(answer.status(), 200);
  }
  return Object.assign(page, {
    troubles,
    async done() {
      await context.close();
      assert.deepEqual(troubles, []);
    },
  });
}

/** Waits until what is read from a page has this value. Browser and scripts set focus, values and URLs a moment after
 *  the text that a test waits for, so to look once would depend on how fast the machine is. */
export async function becomes(read, expected, message) {
  for (const end = Date.now() + PATIENCE; ; await pause(INTERVAL)) {
    const last = Date.now() > end;
    try {
      const value = await read();
      if (isDeepStrictEqual(value, expected)) return;
      if (last) assert.deepEqual(value, expected, message);
    } catch (error) {
      if (last || !/Execution context was destroyed/.test(error.message)) throw error; // the next page is loading
    }
  }
}

/** Holds what scripts request from this path, until the returned function is called. `times` is for how many requests. */
export async function hold(page, path, times) {
  let release;
  const released = new Promise((resolve) => (release = resolve));
  await page.route((url) => url.pathname === path, async (route) => {
    await released;
    await route.continue().catch(() => undefined); // the page has aborted it
  }, { times });
  return release;
}

/** Waits until the element with this id has the focus, or one of this class without an id. */
export const focuses = (page, name) =>
  becomes(() => page.evaluate(() => document.activeElement.id || document.activeElement.className), name);

/** Waits until the address of the page has this query. */
export const queries = (page, query) => becomes(() => new URL(page.url()).search, query);

/** Waits until the text of an element contains this. */
export const reads = (locator, text) => locator.filter({ hasText: text }).waitFor();

/** A test for each way to use the pages: wide and narrow, with and without JavaScript. `walk` gets the
 *  page and which way it is. The film collection is empty at first. */
export function inEveryWay(name, service, walk, options = {}) {
  for (const [width, viewport] of [["wide", WIDE], ["narrow", NARROW]]) {
    for (const js of [true, false]) {
      test(`${name} (${width}, ${js ? "with" : "without"} JavaScript)`, async () => {
        await service().empty();
        const page = await open(service(), { viewport, js, ...options });
        try {
          await walk(page, { js, narrow: width === "narrow" });
        } finally {
          await page.done();
        }
      });
    }
  }
}

const axe = readFile(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Checks that axe-core finds nothing on the page in its current state, in light and in dark. */
export async function isAccessible(page, parts) {
  await page.evaluate(await axe); // by the browser's driver: the policy of the page allows no other script
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(followed);
    const { violations } = await page.evaluate(
      ([parts, tags]) => globalThis.axe.run(parts ?? document, { runOnly: tags }),
      [parts ?? null, RULES],
    );
    const found = [];
    for (const { id, nodes } of violations) {
      for (const { html, target } of nodes) {
        if (id !== "target-size" || !(await isLargeInView(page, target))) found.push(`${id}: ${html}`);
      }
    }
    assert.deepEqual(found, [], `${page.url()} ${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: "light" });
}

/** Waits until the page has followed a change of the colour scheme: Swagger UI does so by a script, with transitions. */
async function followed() {
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  await frame();
  await frame();
  await Promise.allSettled(document.getAnimations().map(({ finished }) => finished));
}

/** Whether a target is large enough after scrolling it into view: a fixed bar may cover a part of it before. */
const isLargeInView = (page, target) =>
  page.evaluate(
    async ([selector]) => {
      const [element, top] = [document.querySelector(selector), globalThis.scrollY];
      element.scrollIntoView({ block: "center", behavior: "instant" });
      const { violations } = await globalThis.axe.run(element, { runOnly: { type: "rule", values: ["target-size"] } });
      globalThis.scrollTo({ top, behavior: "instant" });
      return violations.length === 0;
    },
    target,
  );

/** Takes screenshots of the page in light and in dark: `target/pictures/NAME-WIDTH-SCHEME.png`. */
export async function takePictures(page, name) {
  await mkdir(PICTURES, { recursive: true });
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: join(PICTURES, `${name}-${page.viewportSize().width}-${colorScheme}.png`) });
  }
  await page.emulateMedia({ colorScheme: "light" });
}

/** Checks that the page does not overflow sideways. */
export async function fitsInWidth(page) {
  const [content, window] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  assert.ok(content <= window, `${page.url()}: ${content} px of ${window}`);
}

/** `count` films with various titles, the same each time. */
export function films(count) {
  const words = ["Heat", "Alien", "Amélie", "Zodiac", "Brazil", "Vertigo", "Rashomon", "Stalker", "Metropolis", "Paris, Texas", "الرسالة", "千と千尋の神隠し", "M", "Network", "Jaws", "Ikiru"];
  const formats = ["DVD", "VHS", "Streaming", "DVD"];
  return Array.from({ length: count }, (_, n) => ({
    title: `${["", "The ", "", "A "][n % 4]}${words[n % words.length]}${n < words.length ? "" : ` ${Math.floor(n / words.length) + 1}`}`,
    movieFormat: formats[(n * 7) % 4],
    length: 60 + ((n * 37) % 140),
    releaseYear: 1921 + ((n * 53) % 105),
    rating: 1 + ((n * 11) % 5),
  }));
}

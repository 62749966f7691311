// Measures the pages in a real browser, with the release build: `bench/pages/run.mjs [CASE]...`. The cases are
// `bytes`, `open`, `search`, `scroll`, `slow` and `lighthouse`; all by default. Medians, over loopback.

import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";
import { chromium } from "playwright-core";
import { round } from "./slow.mjs";

const PROGRAM = process.env.PROGRAM ?? new URL("../../target/release/reelshelf", import.meta.url).pathname;
const FILMS = new URL("../films.py", import.meta.url).pathname;
const CHROMIUM = "/usr/bin/chromium";
const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const ROUNDS = Number(process.env.ROUNDS ?? 5);
const PASSWORD = randomBytes(12).toString("hex");
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const cases = process.argv.length > 2 ? process.argv.slice(2) : ["bytes", "open", "search", "scroll", "slow", "lighthouse"];

/** A service with `count` films. */
async function start(count) {
  const folder = await mkdtemp(join(tmpdir(), "reelshelf-bench-"));
  const child = spawn(PROGRAM, ["serve", "--listen", "127.0.0.1:0"], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { REELSHELF_DATABASE: `sqlite:${join(folder, "db")}`, REELSHELF_OWNER: "bench", REELSHELF_OWNER_PASSWORD: PASSWORD },
  });
  const [line] = await new Promise((resolve) => createInterface(child.stdout).once("line", (line) => resolve([line])));
  const base = line.replace("listening on ", "");
  const login = await fetch(`${base}/login`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ name: "bench", password: PASSWORD }),
  });
  const cookie = login.headers.get("set-cookie").split(";")[0];
  const body = execFileSync("python3", [FILMS, String(count)], { maxBuffer: 1 << 30 });
  const imported = await fetch(`${base}/movie`, { method: "POST", headers: { Cookie: cookie, "Content-Type": "text/csv" }, body });
  if (!imported.ok) throw new Error(await imported.text());
  await fetch(`${base}/stats`, { headers: { Cookie: cookie } }); // fills the caches of the service
  return {
    base,
    cookie,
    async stop() {
      child.kill();
      await new Promise((resolve) => child.once("exit", resolve));
      await rm(folder, { recursive: true });
    },
  };
}

/** Serves the same page without films for each path: the limit of the browser. */
async function startEmpty() {
  const links = [1, 2, 3].map((id) => `<a class="spine" href="/film/${id}">${id}</a> `).join("");
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Empty</title><link rel="icon" href="data:,">${links}<input type="search">`;
  const server = createServer((_, answer) => answer.setHeader("Content-Type", "text/html").end(html));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { base: `http://127.0.0.1:${server.address().port}`, cookie: "none=none", stop: () => server.close() };
}

const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 360, height: 740 };
/** Playwright emulates a colour scheme by default. With that, Chromium calculates all styles of a page again when it is
 *  left, and when it is restored. */
const AS_THE_SYSTEM = { colorScheme: null, reducedMotion: null, forcedColors: null, contrast: null };

async function inBrowser(service, work, { viewport = WIDE, ...options } = {}) {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS, ...options });
  const context = await browser.newContext({ baseURL: service.base, viewport, ...AS_THE_SYSTEM });
  const [name, value] = service.cookie.split("=");
  await context.addCookies([{ name, value, url: service.base }]);
  const page = await context.newPage();
  try {
    return await work(page, context);
  } finally {
    await browser.close();
  }
}

const measures = {
  /** The bytes that the first view of 10,000 films transfers, compressed and with headers. */
  async bytes() {
    const service = await start(10_000);
    const bytes = await inBrowser(service, async (page, context) => {
      const client = await context.newCDPSession(page);
      let bytes = 0;
      await client.send("Network.enable");
      client.on("Network.loadingFinished", ({ encodedDataLength }) => (bytes += encodedDataLength));
      await page.goto("/", { waitUntil: "networkidle" });
      return bytes;
    });
    console.log(`bytes       first view of 10,000 films ${bytes}`);
    await service.stop();
  },

  /** The time until the page is painted and loaded, in collections of several sizes. */
  async open() {
    for (const count of [10_000, 100_000, 1_000_000]) {
      const service = await start(count);
      const times = await inBrowser(service, async (page) => {
        const times = [];
        for (let round = 0; round <= ROUNDS * 2; round += 1) {
          await page.goto("/");
          times.push(
            await page.evaluate(() => {
              const [{ responseStart, loadEventEnd }] = performance.getEntriesByType("navigation");
              return [responseStart, performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? loadEventEnd];
            }),
          );
        }
        return times.slice(1); // the first one fills the cache of the browser
      });
      console.log(`open        ${count} films: first byte ${median(times.map(([byte]) => byte)).toFixed(0)} ms, painted ${median(times.map(([, paint]) => paint)).toFixed(0)} ms`);
      await service.stop();
    }
  },

  /** The time from the last key of a search to the frame with its result, 100,000 films. */
  async search() {
    const service = await start(100_000);
    const times = await inBrowser(service, async (page) => {
      const times = [];
      for (const query of ["love", "dark b", "st", "the", "a", "lost wrold", "nihgt", "riverr gold", "zzzzzz"]) {
        for (let round = 0; round < ROUNDS; round += 1) {
          await page.goto("/", { waitUntil: "networkidle" });
          await page.getByRole("searchbox").focus();
          await page.waitForTimeout(100); // the focus is visible before the typing starts
          const text = query.slice(0, -1);
          if (text) {
            await page.getByRole("searchbox").fill(text);
            await page.waitForURL((url) => url.searchParams.get("q") === text.trim() || url.searchParams.get("q") === text);
            await page.waitForLoadState("networkidle");
          }
          await page.evaluate((query) => {
            const field = document.getElementById("q");
            globalThis.shown = new Promise((resolve) => {
              field.addEventListener("input", () => (globalThis.pressed = performance.now()), { capture: true, once: true });
              document.addEventListener("films:changed", () => {
                const found = new URL(document.querySelector(".views a").href).searchParams.get("q");
                if (found === query) requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
              });
            });
          }, query);
          await page.getByRole("searchbox").press(`${query.at(-1)}`);
          times.push([query, await page.evaluate(async () => (await globalThis.shown) - globalThis.pressed)]);
        }
      }
      return times;
    });
    for (const query of new Set(times.map(([query]) => query))) {
      const values = times.filter(([other]) => other === query).map(([, time]) => time);
      console.log(`search      ${JSON.stringify(query).padEnd(14)} median ${median(values).toFixed(0)} ms, longest ${Math.max(...values).toFixed(0)} ms`);
    }
    await service.stop();
  },

  /** 100,000 films on a processor four times slower, beside an empty page: the longest delay while typing, the time
   until a film's page is painted, the time until the list is back from the browser's cache, and the layout shift. */
  async slow() {
    const [service, empty] = [await start(100_000), await startEmpty()];
    const kinds = [WIDE, NARROW].flatMap((viewport) => [
      { name: "empty", place: empty, viewport },
      { name: "shelf", place: service, viewport },
      { name: "table", place: service, viewport },
    ]);
    const rounds = kinds.map(() => []);
    for (let n = 0; n < ROUNDS; n += 1) {
      for (const [at, { name, place, viewport }] of kinds.entries()) {
        // Playwright disables the back/forward cache by default.
        const options = { viewport, ignoreDefaultArgs: ["--disable-back-forward-cache"] };
        rounds[at].push(await inBrowser(place, (_, context) => round(context, name), options));
      }
    }
    console.log(`| width | page | typing, slowest event | click until the film is painted | back | layout shift |\n|${" --- |".repeat(6)}`);
    for (const [at, { name, viewport }] of kinds.entries()) {
      const value = (name) => median(rounds[at].map((round) => round[name]));
      const uncached = rounds[at].filter(({ kept }) => !kept).length;
      const back = `${value("back")} ms${uncached ? `, ${uncached} times not from the cache` : ""}`;
      console.log(`| ${viewport.width} px | ${name} | ${value("event")} ms | ${value("click").toFixed(0)} ms | ${back} | ${value("shift").toFixed(4)} |`);
    }
    await service.stop();
    empty.stop();
  },

  /** Tasks of more than 50 ms while scrolling through the shelf of 10,000 films, by this many pixels in each frame: a
   quick wheel, and faster than reading. */
  async scroll() {
    const service = await start(10_000);
    for (const pixels of [300, 1500]) {
      const long = await inBrowser(service, async (page) => {
        await page.goto("/");
        await page.evaluate(() => {
          globalThis.long = [];
          new PerformanceObserver((entries) => {
            for (const { duration } of entries.getEntries()) globalThis.long.push(duration);
          }).observe({ type: "longtask" });
        });
        const atTheEnd = () =>
          document.getElementsByClassName("film").length === 10_000 && scrollY + innerHeight >= document.documentElement.scrollHeight - 2;
        while (!(await page.evaluate(atTheEnd))) {
          await page.mouse.move(640, 500);
          await page.mouse.wheel(0, pixels);
          await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
        }
        return page.evaluate(() => globalThis.long);
      });
      const over = long.filter((duration) => duration > 100).length;
      console.log(`scroll      ${pixels} px a frame: ${long.length} long tasks, ${over} over 100 ms, longest ${Math.max(0, ...long).toFixed(0)} ms`);
    }
    await service.stop();
  },

  /** The four categories of Lighthouse for the main pages. */
  async lighthouse() {
    const service = await start(1000);
    const chrome = await launch({ chromePath: CHROMIUM, chromeFlags: ["--headless=new", ...ARGS] });
    for (const path of ["/", "/?view=table", "/add", "/edit/1", "/import", "/statistics", "/tonight?minutes=120", "/changes", "/account", "/users", "/login"]) {
      const headers = path === "/login" ? {} : { Cookie: service.cookie };
      for (const form of ["mobile", "desktop"]) {
        const desktop = { formFactor: "desktop", screenEmulation: { mobile: false, width: 1350, height: 940, deviceScaleFactor: 1, disabled: false }, throttling: { rttMs: 40, throughputKbps: 10_240, cpuSlowdownMultiplier: 1 } };
        const { lhr } = await lighthouse(service.base + path, { port: chrome.port, extraHeaders: headers, logLevel: "error", ...(form === "desktop" ? desktop : {}) });
        if (lhr.runtimeError) throw new Error(`${path}: ${lhr.runtimeError.message}`);
        const scores = Object.values(lhr.categories).map(({ id, score }) => `${id} ${Math.round(score * 100)}`);
        console.log(`lighthouse  ${path.padEnd(14)} ${form.padEnd(7)} ${scores.join(", ")}`);
        if (process.env.WHY) for (const { id, score, title, details } of Object.values(lhr.audits)) if (score !== null && score < 0.9) console.log(`    ${id} ${score} ${title} ${JSON.stringify([details?.items ?? []].flat().slice(0, 2)).slice(0, 300)}`);
      }
    }
    await chrome.kill();
    await service.stop();
  },
};

for (const name of cases) await measures[name]();

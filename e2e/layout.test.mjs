// The layout of all pages: what stays visible, alignment, and overflow.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { withSystemFace } from "./fonts.mjs";
import { becomes, films, fitsInWidth, isAccessible, launch, NARROW, open, start, WIDE } from "./support.mjs";

const PAGES = ["/", "/?view=table", "/tonight", "/statistics", "/changes", "/import", "/add", "/account", "/users", "/print", "/no-such-page"];

let service;
before(async () => {
  service = await start();
  await service.fill(films(300));
});
after(() => service.stop());

/** The bounding box of an element in the window. */
const box = (page, selector) =>
  page.locator(selector).first().evaluate((element) => {
    const { left, top, bottom, width, height } = element.getBoundingClientRect();
    return { left, top, bottom, width, height };
  });

for (const viewport of [WIDE, NARROW]) {
  test(`all pages have one left edge and headings at one height, at ${viewport.width}`, async () => {
    const page = await open(service, { as: "olivia", viewport });
    await page.goto("/");
    const edge = (await box(page, ".brand")).left;
    const top = (await box(page, "h1")).top;
    for (const path of PAGES.slice(1)) {
      await page.goto(path);
      const { left, top: here } = await box(page, "h1");
      assert.deepEqual([left, here], [edge, top], path);
      assert.ok((await box(page, "main")).width <= 1100 || path === "/?view=table", path);
    }
    await page.done();
  });

  test(`a menu closes on Escape, on a click elsewhere and when another opens, at ${viewport.width}`, async () => {
    const page = await open(service, { viewport });
    await page.goto("/");
    const opened = () => page.locator("details.menu[open]").evaluateAll((menus) => menus.map(({ className }) => className));
    const [order, account] = [page.locator(".sorts > summary"), page.locator(".account-menu > summary")];
    await order.click();
    await becomes(opened, ["menu sorts"]);
    await account.click();
    await becomes(opened, ["menu account-menu"]);
    await page.keyboard.press("Escape");
    await becomes(opened, []);
    assert.equal(await account.evaluate((summary) => summary === document.activeElement), true);
    await order.click();
    await page.locator("h1").click();
    await becomes(opened, []);
    await order.click();
    await page.getByRole("link", { name: "Latest films first" }).focus();
    await page.locator(".spine").first().focus();
    await becomes(opened, []);
    await page.done();
  });

  test(`search, filters and letters stay in sight, at ${viewport.width}`, async () => {
    const page = await open(service, { viewport });
    for (const view of ["shelf", "table"]) {
      await page.goto(`/?view=${view}`);
      const parts = ["#q", ".jumps a", viewport === WIDE ? "#filters" : ".site-nav"];
      const seen = () => Promise.all(parts.map((part) => page.locator(part).first().evaluate((element) => {
        const { left, top } = element.getBoundingClientRect();
        const found = document.elementFromPoint(left + 6, top + 6);
        return element.contains(found) || found?.contains(element);
      })));
      await page.evaluate(() => scrollTo(0, 1500));
      await becomes(() => page.evaluate(() => scrollY > 1000), true);
      await becomes(seen, [true, true, true], view);
      // A letter jumps to its films, which the bars do not cover.
      await page.locator(".jumps a[href^='#']", { hasText: "M" }).first().click();
      const [, id] = page.url().split("#");
      await becomes(async () => {
        const { top } = await box(page, `#${id}`);
        const { bottom } = await box(page, viewport === WIDE ? ".jumps" : ".top");
        return top >= bottom - 1 && top < 400;
      }, true, view);
      if (view === "shelf") await isAccessible(page); // a row partly behind a bar would count as a small target
    }
    await page.done();
  });

  test(`placeholders can be read by day and by night, at ${viewport.width}`, async () => {
    for (const scheme of ["light", "dark"]) {
      const page = await open(service, { viewport, scheme });
      for (const path of ["/", "/tonight"]) {
        await page.goto(path);
        const contrasts = await page.locator("input[placeholder]").evaluateAll((inputs) => {
          const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
          const luminance = (colour) => {
            canvas.fillStyle = colour;
            canvas.fillRect(0, 0, 1, 1);
            const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((value) => {
              const part = value / 255;
              return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const background = (element) => {
            const { backgroundColor } = getComputedStyle(element);
            return backgroundColor === "rgba(0, 0, 0, 0)" ? background(element.parentElement) : backgroundColor;
          };
          return inputs.map((input) => {
            const { color, opacity } = getComputedStyle(input, "::placeholder");
            const [dark, light] = [luminance(color), luminance(background(input))].sort((a, b) => a - b);
            return opacity === "1" ? (light + 0.05) / (dark + 0.05) : 0;
          });
        });
        assert.ok(contrasts.length > 0 && contrasts.every((contrast) => contrast >= 4.5), `${path} ${scheme}: ${contrasts}`);
      }
      await page.done();
    }
  });

  test(`all films of the view are printed, one line each, at ${viewport.width}`, async () => {
    const page = await open(service, { viewport });
    for (const [path, count] of [["/", 300], ["/?view=table", 300], ["/?movieFormat=VHS", (await service.movies("?movieFormat=VHS")).length]]) {
      await page.goto(path);
      await page.emulateMedia({ media: "print" });
      await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
      const lines = page.locator(".catalogue li:visible");
      assert.equal(await lines.count(), count, path);
      assert.equal(await page.locator(".front:visible, .films:visible").count(), 0);
      const text = await page.locator("main").innerText();
      assert.ok(!/Edit|Select/.test(text), text);
      // Each line of the catalogue is as high as its text.
      const heights = await lines.evaluateAll((all) => all.map((line) => line.getBoundingClientRect().height));
      assert.ok(Math.max(...heights) < 24, `${Math.max(...heights)}`);
      await page.evaluate(() => dispatchEvent(new Event("afterprint")));
      await page.emulateMedia({ media: "screen" });
      assert.equal(await page.locator(".catalogue").count(), 0);
    }
    await page.done();
  });
}

test("the browser asks for all films when it prints", async () => {
  const page = await open(service);
  await page.goto("/");
  const asked = page.waitForRequest(/\/print/);
  await page.pdf();
  await asked;
  await page.done();
});

test("without JavaScript the printed page says that films are missing, and where they are", async () => {
  const page = await open(service, { js: false });
  await page.goto("/");
  await page.emulateMedia({ media: "print" });
  await page.getByText("This page does not have all films.").waitFor();
  assert.equal(await page.locator(".front :is(a, button):visible").count(), 0);
  await page.emulateMedia({ media: "screen" });
  await page.getByRole("link", { name: "Print", exact: true }).click();
  await page.getByRole("heading", { name: "300 films" }).waitFor();
  assert.equal(await page.locator(".catalogue li").count(), 300);
  await page.done();
});

test("the bar on top has one row at every width, and nothing in it moves from page to page", async () => {
  const page = await open(service, { as: "olivia" });
  for (const width of [865, 900, 960, 1024, 1100, 1165, 1200, 1280, 2560]) {
    await page.setViewportSize({ width, height: 800 });
    const places = new Set();
    for (const path of ["/", "/tonight", "/changes", "/add", "/account"]) {
      await page.goto(path);
      const { height } = await box(page, ".top");
      assert.ok(height <= 61, `${path} at ${width}: ${height}`);
      places.add(JSON.stringify([await box(page, ".site-nav > a"), await box(page, ".site-nav .add"), await box(page, "#q")]));
    }
    assert.equal(places.size, 1, `${width}: ${[...places]}`);
  }
  await page.done();
});

test("a link that looks like a button has its text in the middle", async () => {
  const page = await open(service);
  await page.goto("/tonight");
  const off = await page.locator("a.button").first().evaluate((link) => {
    const range = document.createRange();
    range.selectNodeContents(link);
    const [text, around] = [range.getBoundingClientRect(), link.getBoundingClientRect()];
    return Math.abs((text.top + text.bottom) / 2 - (around.top + around.bottom) / 2);
  });
  assert.ok(off < 1, `${off}`);
  await page.done();
});

for (const face of ["Inter", "Roboto", "DejaVu Sans"]) {
  test(`no page is scrolled sideways where the system's face is ${face}`, async () => {
    const { env, remove } = await withSystemFace(face);
    const browser = await launch({ env });
    const page = await open(service, { as: "olivia", viewport: { width: 320, height: 640 }, within: browser });
    for (const width of [320, 360]) {
      await page.setViewportSize({ width, height: 640 });
      for (const path of [...PAGES, "/?q=nothing+like+it", "/?q=zodaic", "/?movieFormat=VHS&rating=3.."]) {
        await page.goto(path);
        await fitsInWidth(page);
      }
    }
    await page.done();
    await browser.close();
    await remove();
  });
}

test("a telephone's first screen is the shelf", async () => {
  for (const width of [320, 360]) {
    const page = await open(service, { viewport: { width, height: 740 } });
    await page.goto("/");
    const { top } = await box(page, ".shelves");
    assert.ok(top <= 124, `${width}: ${top}`);
    const row = await Promise.all([".brand", "#q", ".account-menu"].map((part) => box(page, part)));
    assert.ok(row.every(({ bottom }) => bottom <= 48), JSON.stringify(row));
    const [heading, ...controls] = await Promise.all(["h1", ".views", ".selecting", ".bar .narrow-only", ".sorts"].map((part) => box(page, part)));
    assert.ok(controls.every(({ top, height }) => Math.abs(top - heading.top) < 4 && height >= 44), JSON.stringify([heading, controls]));
    const bar = page.getByRole("navigation", { name: "Pages" });
    assert.equal((await bar.boundingBox()).y + (await bar.boundingBox()).height, 740);
    for (const name of ["Films", "Tonight", "Add", "Changes"]) {
      const { y, height, width } = await bar.getByRole("link", { name }).boundingBox();
      assert.ok(y > 680 && height >= 44 && width >= 44, name);
    }
    await bar.getByText("More").click();
    await bar.getByRole("link", { name: "Statistics" }).click();
    await page.waitForURL(/statistics/);
    await bar.getByRole("link", { name: "Add" }).click();
    await page.waitForURL(/add/);
    await page.done();
  }
});

test("on a telephone the order's name moves no control", async () => {
  const page = await open(service, { viewport: NARROW });
  await page.goto("/");
  const before = await box(page, ".sorts");
  await page.goto("/?q=zodaic");
  await page.getByText("Order: Nearest first").waitFor({ state: "attached" });
  assert.deepEqual(await box(page, ".sorts"), before);
  await page.done();
});

test("a telephone's sheet of filters has a heading, closes, and says what it shows", async () => {
  const page = await open(service, { viewport: NARROW });
  await page.goto("/");
  const sheet = page.locator("#filter-sheet");
  const filters = page.getByRole("button", { name: "Filters", exact: true });
  await filters.click();
  await sheet.getByRole("heading", { name: "Filters" }).waitFor();
  // Each decade is one box in one column.
  const decades = await sheet.locator("ul a").evaluateAll((links) => links.map((link) => link.getClientRects().length));
  assert.ok(decades.every((boxes) => boxes === 1));
  await sheet.getByRole("checkbox", { name: /^VHS/ }).check();
  const found = (await service.movies("?movieFormat=VHS")).length;
  await isAccessible(page);
  await sheet.getByRole("button", { name: `Show ${found} films` }).click();
  await becomes(() => sheet.isVisible(), false);
  await filters.click();
  await sheet.getByRole("button", { name: "Close the filters" }).click();
  await becomes(() => sheet.isVisible(), false);
  await page.done();
});

test("the bar of selected films is low, and offers nothing for none", async () => {
  const page = await open(service, { viewport: NARROW });
  await page.goto("/?view=table");
  await page.locator(".selecting").click();
  const bar = page.locator(".selected");
  assert.ok((await bar.boundingBox()).height <= 112, `${(await bar.boundingBox()).height}`);
  const [change, remove] = ["Change", "Delete"].map((name) => bar.getByRole("button", { name }));
  await becomes(() => Promise.all([change.isDisabled(), remove.isDisabled()]), [true, true]);
  await page.locator(".pick").first().check();
  await becomes(() => Promise.all([change.isDisabled(), remove.isDisabled()]), [true, false]);
  await bar.getByRole("combobox", { name: "Rating" }).selectOption("4");
  await becomes(() => Promise.all([change.isDisabled(), remove.isDisabled()]), [false, false]);
  await page.done();
});

test("nobody without a keyboard is told of keys", async () => {
  for (const [viewport, shown] of [[WIDE, true], [NARROW, false]]) {
    const page = await open(service, { viewport });
    // The window supports hover by default.
    const client = await page.context().newCDPSession(page);
    await client.send("Emulation.setEmulatedMedia", { features: [{ name: "hover", value: shown ? "hover" : "none" }] });
    await page.goto("/changes");
    await becomes(() => page.locator(".foot button").isVisible(), shown);
    await page.done();
  }
});

test("a few keys lead to the first film, and the letters are one stop", async () => {
  const page = await open(service);
  await page.goto("/");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await becomes(() => page.evaluate(() => document.activeElement.textContent), "Skip to the films");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await becomes(() => page.evaluate(() => document.activeElement.className.split(" ")[0]), "spine");
  await page.locator(".jumps a").first().focus();
  await page.keyboard.press("ArrowRight");
  await becomes(() => page.evaluate(() => document.activeElement.textContent), "A");
  await page.keyboard.press("Tab");
  await becomes(() => page.evaluate(() => document.activeElement.closest(".jumps") === null), true);
  await page.done();
});

test("nothing covers an open menu", async () => {
  await service.fill(films(100));
  for (const [viewport, path, menu] of [[WIDE, "/", ".sorts"], [WIDE, "/?view=table", ".sorts"], [WIDE, "/", ".account-menu"], [NARROW, "/", ".sorts"]]) {
    const page = await open(service, { viewport });
    await page.goto(path);
    await page.locator(`${menu} summary`).click();
    const covered = await page.locator(`${menu} .sheet a`).evaluateAll((links) =>
      links.map((link) => {
        const { x, y, width, height } = link.getBoundingClientRect();
        return document.elementFromPoint(x + width / 2, y + height / 2) === link ? "" : link.textContent;
      }),
    );
    assert.deepEqual(covered.filter(Boolean), [], `${path} ${menu} ${viewport.width}`);
    await page.done();
  }
});

test("a film's front waits until one stays", async () => {
  const page = await open(service);
  await page.goto("/");
  const film = page.locator(".film").nth(3);
  await film.locator(".spine").hover();
  const { animationDelay, animationName } = await film.locator(".front").evaluate((front) => {
    const { animationDelay, animationName } = getComputedStyle(front);
    return { animationDelay, animationName };
  });
  assert.deepEqual([animationName, animationDelay], ["drawn", "0.12s"]);
  await becomes(() => film.locator(".front").evaluate((front) => getComputedStyle(front).visibility), "visible");
  // Hovering the wall above a tile pulls nothing out.
  const { x, y } = await page.locator(".film.tile .spine").first().boundingBox();
  await page.mouse.move(x + 20, y - 30);
  await becomes(() => page.locator(".film:hover").count(), 0);
  await page.done();
});

for (const viewport of [WIDE, NARROW]) {
  test(`a year that is searched is offered as a filter, at ${viewport.width}`, async () => {
    const page = await open(service, { viewport });
    await page.goto("/");
    const [{ releaseYear }] = await service.movies("?limit=1");
    const found = (await service.movies(`?releaseYear=${releaseYear}`)).length;
    await page.getByRole("searchbox").pressSequentially(String(releaseYear));
    await page.getByRole("link", { name: `${found} film${found === 1 ? "" : "s"} of ${releaseYear}` }).click();
    await page.getByRole("heading", { level: 1, name: `${found} film${found === 1 ? "" : "s"} found` }).waitFor();
    await becomes(() => page.getByRole("searchbox").inputValue(), "");
    await page.done();
  });

  test(`pages of an empty collection are accessible, at ${viewport.width}`, async () => {
    const empty = await start();
    const page = await open(empty, { viewport });
    for (const [path, text] of [["/", "The shelf is empty"], ["/tonight", "No films yet"], ["/statistics", "Nothing to count yet"], ["/changes", "No changes yet"]]) {
      await page.goto(path);
      await page.getByText(text).waitFor();
      await isAccessible(page);
      await fitsInWidth(page);
    }
    assert.equal(await page.locator(".evening").count(), 0);
    await page.done();
    await empty.stop();
  });
}

// The service worker: if a page cannot be loaded, it shows one that says so. It stores nothing of the
// collection.

const CACHE = `reelshelf ${VERSION}`;
const PAGE = "/assets/offline/offline.html";
const FILES = [PAGE, "/assets/offline/style.css", "/assets/offline/unreachable.js", "/assets/offline/icon.svg"];

self.addEventListener("install", (event) => {
  // Only the files of the worker and new pages go through it: scripts, their requests, styles and images do not.
  event.addRoutes?.([
    ...FILES.map((path) => ({ condition: { urlPattern: path }, source: "fetch-event" })),
    ...["cors", "no-cors"].map((requestMode) => ({ condition: { requestMode }, source: "network" })),
  ]);
  const requests = FILES.map((path) => new Request(path, { cache: "reload" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(requests)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name !== CACHE) await caches.delete(name);
    await self.registration.navigationPreload?.enable();
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode === "navigate") event.respondWith(pageOf(event));
  else if (FILES.includes(new URL(request.url).pathname)) event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)));
});

async function pageOf({ request, preloadResponse }) {
  try {
    return (await preloadResponse) ?? (await fetch(request));
  } catch (error) {
    const kept = await caches.match(PAGE);
    if (!kept) throw error;
    // A form must not be sent again without the user.
    const sent = request.method === "GET" ? "" : ' class="sent"';
    const html = (await kept.text()).replace('<html lang="en">', `<html lang="en"${sent}>`);
    return new Response(html, { status: 503, headers: kept.headers });
  }
}

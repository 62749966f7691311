// Runs the walk through a service on a fresh database, after a look whether the collection is still the one that
// the service's description makes; with --update it is written anew.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import newman from "newman";
import { collection } from "./generate.mjs";
import { walk } from "./walk.mjs";

const PROGRAM = new URL("../target/debug/reelshelf", import.meta.url).pathname;
const COLLECTION = new URL("reelshelf.postman_collection.json", import.meta.url);
const ENVIRONMENT = new URL("reelshelf.postman_environment.json", import.meta.url);
const USER = "olivia";
const PASSWORD = randomBytes(16).toString("hex");

/** Starts the service on a database, and ends it when `use` is done with its address. */
async function serve(database, use) {
  const service = spawn(PROGRAM, ["serve", "--listen", "127.0.0.1:0"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { REELSHELF_DATABASE: database, REELSHELF_OWNER: USER, REELSHELF_OWNER_PASSWORD: PASSWORD, RUST_LOG: "warn" },
  });
  const ended = once(service, "exit");
  try {
    const [line] = await Promise.race([once(createInterface(service.stdout), "line"), ended]);
    assert.match(String(line), /^listening on /, "the service did not start");
    await use(line.replace("listening on ", ""));
  } finally {
    service.kill();
    await ended;
  }
}

/** Holds the collection in its file against the description, or writes it. */
async function compare(base) {
  const description = await (await fetch(`${base}/openapi.json`)).json();
  const made = `${JSON.stringify(collection(description), null, 2)}\n`;
  if (process.argv.includes("--update")) await writeFile(COLLECTION, made);
  const there = await readFile(COLLECTION, "utf8");
  assert.ok(made === there, "the collection is not what the description makes: run scripts/postman --update");
}

/** Walks through the life of a film. */
async function run(base) {
  const environment = JSON.parse(await readFile(ENVIRONMENT, "utf8"));
  const values = { baseUrl: base, user: USER, password: PASSWORD };
  for (const variable of environment.values) variable.value = values[variable.key] ?? variable.value;
  const walked = newman.run({
    collection: JSON.parse(await readFile(COLLECTION, "utf8")),
    environment,
    folder: walk.name,
    reporters: "cli",
    timeoutRequest: 30_000,
  });
  const [error, summary] = await once(walked, "done");
  if (error) throw error;
  assert.equal(summary.run.stats.requests.total, walk.steps.length, "every step was taken");
  assert.equal(summary.run.failures.length, 0, "a step did not go as it should");
}

const folder = await mkdtemp(join(tmpdir(), "reelshelf-postman-"));
try {
  const databases = [`sqlite:${join(folder, "reelshelf.db")}`, process.env.REELSHELF_TEST_POSTGRES];
  assert.ok(databases[1], "REELSHELF_TEST_POSTGRES names no database; run this by scripts/postman");
  for (const database of databases) {
    await serve(database, async (base) => {
      await compare(base);
      await run(base);
    });
  }
} finally {
  await rm(folder, { recursive: true });
}

// Runs the collection, as Postman does, against a service on a fresh database: once on SQLite, once on PostgreSQL.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import newman from "newman";

const PROGRAM = new URL("../target/debug/reelshelf", import.meta.url).pathname;
const USER = "olivia";
const PASSWORD = randomBytes(16).toString("hex");

const readJson = async (name) => JSON.parse(await readFile(new URL(name, import.meta.url), "utf8"));
const collection = await readJson("reelshelf.postman_collection.json");
const environment = await readJson("reelshelf.postman_environment.json");

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

async function run(baseUrl) {
  const values = { baseUrl, user: USER, password: PASSWORD };
  for (const variable of environment.values) variable.value = values[variable.key];
  const [error, { run }] = await once(
    newman.run({ collection, environment, reporters: "cli", timeoutRequest: 30_000 }),
    "done",
  );
  if (error) throw error;
  const tested = new Set(run.executions.filter(({ assertions }) => assertions?.length).map(({ item }) => item.name));
  for (const { name } of collection.item) assert.ok(tested.has(name), `nothing was tested: ${name}`);
  assert.equal(run.failures.length, 0, "a test failed");
}

const folder = await mkdtemp(join(tmpdir(), "reelshelf-postman-"));
try {
  const postgres = process.env.REELSHELF_TEST_POSTGRES;
  assert.ok(postgres, "REELSHELF_TEST_POSTGRES names no database; run this by postman/run");
  for (const database of [`sqlite:${join(folder, "reelshelf.db")}`, postgres]) await serve(database, run);
} finally {
  await rm(folder, { recursive: true });
}

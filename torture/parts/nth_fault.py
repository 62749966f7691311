"""Each single fault of the disk: the n-th write, fsync, open, ftruncate, unlink or read of an operation fails.

What got a 2xx response must be on disk: after the faults the power is cut, and all unsynced writes are lost. The
service must work again after the fault, and the file must be intact."""

import asyncio
import errno
import random
import shutil
import sqlite3
import zlib
from collections import Counter
from contextlib import closing

from lib import shim
from lib.client import Client
from lib.databases import check_sqlite
from lib.ledger import Ledger, check_collection
from lib.load import Load, Writer, as_csv, film
from lib.processes import OWNER, PASSWORD, Failure, Scope, Service
from lib.report import count

MOST_FAULTS = 400  # of one case; more of them mean that it does not end
SAME_PATCHES = 12
FAULTS = [
    (kind, error, lasting)
    for kind in shim.KINDS
    for error, lasting in ((errno.EIO, False), (errno.EIO if kind == "read" else errno.ENOSPC, True))
    if not (kind in ("sync", "unlink") and error == errno.ENOSPC)
]


class Operations:
    """One operation of a client at a time; its prerequisites are created before the fault is armed."""

    def __init__(self, load, client):
        self.load, self.client = load, client
        self.writer = Writer(load, 1)
        self.cookies = []

    async def ready(self):
        """A film and a batch that can be changed."""
        while not self.writer.films:
            await self.writer.do_create(self.client)
        while not self.writer.batches:
            await self.writer.do_batch(self.client)

    async def create(self):
        await self.writer.do_create(self.client)

    async def patch(self):
        await self.writer.do_patch(self.client)

    async def same_patch(self):
        await self.writer.do_same_patch(self.client, SAME_PATCHES)

    async def delete(self):
        await self.writer.do_delete(self.client)

    async def batch(self):
        await self.writer.do_batch(self.client)

    async def undo(self):
        await self.writer.do_undo(self.client)

    async def import_csv(self):
        await self.writer.do_import_csv(self.client)

    async def sign_in(self):
        async with Client(self.client.port, seconds=20) as browser:
            answer = await browser.post("/login", {"name": OWNER, "password": PASSWORD})
            self.load.ledger.statuses[answer.status] += 1
            if answer.status == 200:
                cookie = answer.headers["set-cookie"].partition(";")[0]
                self.cookies.append(cookie)
                await browser.get("/me", headers={"Cookie": cookie})
            elif answer.status not in (429, 503):
                self.load.failed.append(answer)


async def each_fault(service, token, faults, name, kind, error, lasting, ledger):
    """Repeats the operation with the first, the second … fault until no fault happens."""
    load = Load(ledger, token, [service.port], seed=zlib.crc32(f"{name} {kind} {error}".encode()), seconds=20, pause=0)
    problems, failed = [], 0
    async with Client(service.port, token, seconds=20) as client:
        operations = Operations(load, client)
        for nth in range(1, MOST_FAULTS):
            await operations.ready()
            faults.arm(kind, nth, error, lasting)
            await getattr(operations, name)()
            _, hit = faults.disarm()
            if service.process.poll() is not None:
                return [f"fault {nth}: the service ended: {service.said()}"], failed, operations
            after = ledger.acknowledged()
            await operations.create()
            if ledger.acknowledged() == after:
                problems.append(f"fault {nth}: afterwards nothing is written")
            if hit == 0:
                break
            failed += hit
        else:
            problems.append(f"more than {MOST_FAULTS} faults")
        problems += await check_collection(client, ledger)
    problems += [f"an answer: {answer}" for answer in load.failed]
    problems += [f"unanswered: {text}" for text in load.unanswered]
    return problems, failed, operations


async def after_power_cut(service, token, ledger, operations):
    async with Client(service.port, token, seconds=20) as client:
        problems = await check_collection(client, ledger)
    for cookie in operations.cookies:
        async with Client(service.port, seconds=20) as browser:
            answer = await browser.get("/me", headers={"Cookie": cookie})
            if answer.status != 200:
                problems.append(f"a session that was answered 200 is gone: {answer}")
    return problems


def copy(template, scope, name):
    folder = scope.folder / name
    shutil.copytree(template, folder)
    return folder


def requests(given, report, template, scope, token, name, chosen):
    """All faults of an operation of a client."""
    problems, failed, cases, statuses, rng = [], Counter(), 0, Counter(), random.Random(13)
    for kind, error, lasting in chosen:
        case = f"{kind} {errno.errorcode[error]}{' lasting' if lasting else ''}"
        folder = copy(template, scope, "disk")
        service = Service(scope, given.binary, f"sqlite:{folder}/films.db")
        faults, journal = shim.Faults(scope.folder / "control"), shim.Journal(folder, scope.folder / "journal")
        service.extra = shim.environment(scope, folder, faults.path, journal.path) | {"TMPDIR": str(folder)}
        service.start()
        ledger = Ledger()
        found, hits, operations = asyncio.run(
            each_fault(service, token, faults, name, kind, error, lasting, ledger))
        service.kill()
        failed[kind] += hits
        cases += 1
        target = scope.make_folder("cut")
        journal.read()
        journal.cut(len(journal.records), target, rng, fate="none")
        after = Service(scope, given.binary, f"sqlite:{target}/films.db", "after").start()
        found += [f"after a power cut: {p}" for p in asyncio.run(after_power_cut(after, token, ledger, operations))]
        found += after.stop() + check_sqlite(target / "films.db")
        problems += [f"{case}: {problem}" for problem in found]
        statuses += ledger.statuses
        for used in folder, target:
            shutil.rmtree(used)
    report.row("sqlite", f"{name}, each fault", f"{cases} cases, faults {dict(failed)} ({count(statuses)})", problems)


def content(path):
    with closing(sqlite3.connect(path)) as connection:
        read = lambda table: sorted(connection.execute(f"SELECT * FROM {table}"))
        return [read(table) for table in ("movies", "changes", "users", "tokens")]


class Command:
    """An administrative command with a fault, and the conditions after it."""

    def __init__(self, service, folder, source, backup):
        self.service, self.folder, self.source, self.backup = service, folder, source, backup
        self.database = f"sqlite:{folder}/films.db"

    def run(self, *arguments, env=None):
        return self.service.cli(*arguments, "--database", self.database, env=env, check=False)

    def make(self, env):
        """Status 0: the backup is complete. Status 1: there is none, or a complete one with a name that may not last."""
        target = self.folder / "made.backup"
        target.unlink(missing_ok=True)
        done = self.run("backup", target, env=env)
        if done.returncode == 1 and not target.exists():
            return done, []
        again = self.service.cli("restore", target, "--database", f"sqlite:{self.folder}/restored.db", check=False)
        whole = again.returncode == 0 and content(self.folder / "restored.db") == self.source
        for left in self.folder.glob("restored.db*"):
            left.unlink()
        return done, [] if whole else [f"status {done.returncode}, but the backup is not whole: {again.stderr}"]

    def restore(self, env):
        for left in self.folder.glob("films.db*"):
            left.unlink()
        done = self.run("restore", self.backup, env=env)
        return done, self.whole_or_empty(done)

    def replace(self, env):
        for left in self.folder.glob("replaced-*"):
            left.unlink()
        done = self.run("restore", self.backup, "--replace", env=env)
        return done, [] if content(self.folder / "films.db") == self.source else ["the collection is another"]

    def migrate(self, env):
        for left in self.folder.glob("films.db*"):
            left.unlink()
        done = self.run("migrate", env=env)
        again = self.run("migrate")
        return done, [] if again.returncode == 0 else [f"migrate afterwards: {again.stderr}"]

    def whole_or_empty(self, done):
        again = self.run("restore", self.backup)
        if done.returncode == 0:
            right = again.returncode == 1 and content(self.folder / "films.db") == self.source
        else:  # nothing was stored, so it can be restored
            right = again.returncode == 0 and content(self.folder / "films.db") == self.source
        return [] if right else [f"status {done.returncode}, and restored again: {again.stderr}"]


def commands(given, report, template, scope, name, chosen):
    """All faults of an administrative command."""
    problems, failed, statuses = [], Counter(), Counter()
    for kind, error, lasting in chosen:
        folder = copy(template, scope, "disk")
        service = Service(scope, given.binary, "sqlite:unused")
        backup = scope.folder / "source.backup"
        service.cli("backup", backup, "--force", "--database", f"sqlite:{folder}/films.db")
        command = Command(service, folder, content(folder / "films.db"), backup)
        faults = shim.Faults(scope.folder / "control")
        env = shim.environment(scope, folder, faults.path)
        for nth in range(1, MOST_FAULTS):
            # Armed while only the command uses the shim.
            faults.arm(kind, nth, error, lasting)
            done, found = getattr(command, name)(env)
            _, hit = faults.disarm()
            failed[kind] += hit
            statuses[done.returncode] += 1
            if (folder / "films.db").exists():
                found += check_sqlite(folder / "films.db")
            if done.returncode not in (0, 1):
                found.append(f"status {done.returncode}: {done.stderr[-300:]}")
            problems += [f"{kind} {errno.errorcode[error]} {nth}: {problem}" for problem in found]
            if hit == 0:
                break
        shutil.rmtree(folder)
    report.row("sqlite", f"{name}, each fault", f"faults {dict(failed)}, statuses {count(statuses)}", problems)


def prepare(given, scope):
    """A collection with an owner, a token and some films, and a ledger without them."""
    folder = scope.make_folder("template")
    service = Service(scope, given.binary, f"sqlite:{folder}/films.db").start()
    token = service.make_token()
    if problems := service.stop():
        raise Failure(problems[0])
    return folder, token


async def fill(service, token):
    rng = random.Random(14)
    async with Client(service.port, token) as client:
        for number in range(3):
            await client.import_csv(as_csv([film(f"filled {number} {n}", rng) for n in range(20)]))


def main(given, report, databases):
    if "sqlite" in databases:
        names = ["create", "patch", "same_patch", "delete", "batch", "undo", "import_csv", "sign_in"]
        chosen = [f for f in FAULTS if f[0] in ("write", "sync", "read") and not f[2]] if given.short else FAULTS
        names = ["create", "same_patch", "import_csv"] if given.short else names
        with Scope() as scope:
            template, token = prepare(given, scope)
            for name in names:
                requests(given, report, template, scope, token, name, chosen)
            service = Service(scope, given.binary, f"sqlite:{template}/films.db").start()
            asyncio.run(fill(service, token))
            service.stop()
            for name in ["migrate"] if given.short else ["make", "restore", "replace", "migrate"]:
                commands(given, report, template, scope, name, chosen[:1] if given.short else FAULTS)

"""A full disk (a small tmpfs in a separate mount namespace), and one that became read-only, by itself or by its mount.
Reads work for all users, writes get 503, and afterwards writes work again."""

import asyncio
import errno
import sqlite3
import subprocess
from collections import Counter
from contextlib import closing

from lib import shim
from lib.client import Client, Unanswered, basic
from lib.databases import Databases, check_sqlite
from lib.ledger import Ledger, check_collection, repeat_requests
from lib.load import Load, as_csv
from lib.postgres import Cluster
from lib.processes import OWNER, PASSWORD, Failure, Scope, Service
from lib.report import count

MIB = 1 << 20
UNAVAILABLE = (503, 507)


def mount(scope, name, mebibytes):
    folder = scope.make_folder(name)
    command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=755", "none", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"a tmpfs cannot be mounted: {done.stderr}")
    scope.exits.callback(subprocess.run, ["umount", "--lazy", str(folder)])
    return folder


def fill(filler):
    """Fills the disk to the last byte."""
    with filler.open("wb", buffering=0) as file:
        for size in 64 << 10, 4 << 10, 1:
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue


class Readers:
    """The three ways to authenticate, each created before the fault."""

    def __init__(self, port, token):
        self.port, self.token = port, token

    async def sign_in(self):
        async with Client(self.port) as client:
            answer = await client.post("/login", {"name": OWNER, "password": PASSWORD})
            if answer.status != 200:
                raise Failure(f"sign-in: {answer}")
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
        self.ways = {"token": f"Bearer {self.token}", "Basic": basic(OWNER, PASSWORD), "session": None}
        await self.read("before")  # from here on the password is cached

    async def read(self, when):
        problems = []
        for way, authorization in self.ways.items():
            headers = {"Cookie": self.cookie} if authorization is None else {}
            async with Client(self.port, authorization=authorization, seconds=20) as client:
                for path in "/movie?limit=5", "/movie?q=filled", "/stats", "/history", "/movie":
                    try:
                        answer = await client.get(path, headers=headers)
                        if answer.status != 200:
                            problems.append(f"{when}: GET {path} by {way}: {answer}")
                    except Unanswered as error:
                        problems.append(f"{when}: GET {path} by {way}: {error}")
        return problems


async def writes(service, token, ledger, seed, seconds):
    """Runs some writers for some seconds; returns the statuses of their responses."""
    before = Counter(ledger.statuses)
    load = Load(ledger, token, [service.port], seed, 20)
    await load.run(8, seconds)
    problems = [f"an answer: {answer}" for answer in load.failed] + [f"a write: {e}" for e in load.unanswered]
    return ledger.statuses - before, problems


async def torture(service, token, ledger, age, begin, end, seconds):
    readers = Readers(service.port, token)
    states = [(f"filled {n}", "DVD", 100, 2000, 3) for n in range(500)]
    async with Client(service.port, token) as client:
        operation = ledger.begin({state[0]: state for state in states})
        ledger.settle(operation, await client.import_csv(as_csv(states)))
    await readers.sign_in()
    _, problems = await writes(service, token, ledger, 41, 1)
    age()
    begin()
    during, found = await writes(service, token, ledger, 42, seconds)
    problems += found
    refused = sum(during[status] for status in UNAVAILABLE)
    if refused == 0:
        problems.append(f"nothing was refused: {count(during)}")
    problems += await readers.read("during")
    end()
    after, found = await writes(service, token, ledger, 43, 2)
    problems += found
    if not any(after[status] for status in (200, 201)):
        problems.append(f"afterwards nothing is written: {count(after)}")
    problems += await readers.read("after")
    async with Client(service.port, token) as client:
        repeated, _ = await repeat_requests(client, ledger)
        problems += repeated + await check_collection(client, ledger)
    return problems, f"during {count(during)}, after {count(after)}, {ledger.acknowledged()} acknowledged"


def on_sqlite_full(given, report, seconds):
    with Scope() as scope:
        folder = mount(scope, "disk", 24)
        service = Service(scope, given.binary, f"sqlite:{folder}/films.db").start()
        filler = folder / "filler"
        run(report, "sqlite", "disk full", service, lambda: fill(filler), filler.unlink, seconds)


def on_sqlite_read_only(given, report, seconds):
    """By the shim: the kernel does not allow a read-only remount while a file is open for writing."""
    with Scope() as scope:
        folder = scope.make_folder("disk")
        service = Service(scope, given.binary, f"sqlite:{folder}/films.db")
        faults = shim.Faults(scope.folder / "control")
        service.extra = shim.environment(scope, folder, faults.path)
        service.start()
        begin = lambda: faults.arm("write truncate unlink", 1, errno.EROFS, lasting=True)
        run(report, "sqlite", "disk read-only", service, begin, faults.disarm, seconds)


def on_sqlite_read_only_mount(given, report):
    """A read-only mount of the kernel over the folder. A running service has its files open and continues; a new one
    does not start, and the file does not change."""
    with Scope() as scope:
        folder = scope.make_folder("disk")
        service = Service(scope, given.binary, f"sqlite:{folder}/films.db").start()
        token, ledger = service.make_token(), Ledger()
        _, problems = asyncio.run(writes(service, token, ledger, 51, 1))
        readers = Readers(service.port, token)
        asyncio.run(readers.sign_in())
        unmount = read_only(scope, folder)
        problems += asyncio.run(readers.read("during"))
        during, found = asyncio.run(writes(service, token, ledger, 52, 1))
        problems += found + asyncio.run(readers.read("after writes"))
        problems += service.stop()

        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        late = Service(scope, given.binary, service.database, "late")
        late.launch()
        status = late.process.wait(30)
        if status != 1 or "films.db" not in late.said():
            problems.append(f"serve on it: status {status}: {late.said()}")
        for command in ("user", "list"), ("token", "list", OWNER):
            done = service.cli(*command, check=False)
            if done.returncode != 1 or "films.db" not in done.stderr:
                problems.append(f"{' '.join(command)} on it: status {done.returncode}: {done.stderr}")
        if files != {path.name: path.read_bytes() for path in folder.iterdir()}:
            problems.append("what cannot write has changed the files")

        unmount()
        service.start()

        async def check():
            async with Client(service.port, token) as client:
                repeated, _ = await repeat_requests(client, ledger)
                return repeated + await check_collection(client, ledger)

        problems += asyncio.run(check()) + service.stop() + check_sqlite(folder / "films.db")
        report.row("sqlite", "read-only mount", f"during {count(during)}, {ledger.acknowledged()} acknowledged", problems)


def read_only(scope, folder):
    """Mounts a folder over itself, read-only; returns the function that ends this."""
    for options in ("--bind", str(folder)), ("-o", "remount,bind,ro"):
        done = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"a read-only mount: {done.stderr}")
    unmount = lambda: subprocess.run(["umount", "--lazy", str(folder)], capture_output=True)
    scope.exits.callback(unmount)
    return unmount


def run(report, kind, case, service, begin, end, seconds, cluster=None):
    token, ledger = service.make_token(), Ledger()
    age = lambda: age_sessions(service, cluster)
    problems, figures = asyncio.run(torture(service, token, ledger, age, begin, end, seconds))
    problems += service.stop()
    if cluster is None:
        problems += check_sqlite(service.database.removeprefix("sqlite:"))
    report.row(kind, case, figures, problems)


def age_sessions(service, cluster):
    """Ten minutes pass for all sessions, so that the next request has to update the session in the database."""
    statement = "UPDATE sessions SET seen_at = seen_at - 600000"
    if cluster:
        return cluster.psql(statement, "films")
    with closing(sqlite3.connect(service.database.removeprefix("sqlite:"), timeout=10)) as connection, connection:
        connection.execute(statement)


def on_postgres_full(given, report, seconds):
    """The write-ahead log is elsewhere: PostgreSQL itself stops if it cannot write that."""
    with Scope() as scope:
        folder = mount(scope, "disk", 128)
        log = scope.make_folder("wal")
        log.chmod(0o777)
        cluster = Cluster(scope, folder=folder).create(f"--waldir={log}/wal").start()
        service = Service(scope, given.binary, cluster.create_database("films")).start()
        filler = folder / "filler"
        run(report, "postgres", "disk full", service, lambda: fill(filler), filler.unlink, seconds, cluster)
        cluster.stop()


def spool_full(given, report, kind):
    """An import has no room for its file; everything else works."""
    with Scope() as scope:
        spool = mount(scope, "spool", 1)
        place = Databases(scope)
        service = Service(scope, given.binary, place.make(kind), env={"TMPDIR": str(spool)}).start()
        token, problems, statuses = service.make_token(), [], Counter()

        async def imports():
            rows = as_csv([(f"spooled {n:08}", "DVD", 100, 2000, 3) for n in range(60_000)])
            async with Client(service.port, token) as client:
                for _ in range(3):
                    answer = await client.import_csv(rows)
                    statuses[answer.status] += 1
                    if answer.status not in UNAVAILABLE:
                        problems.append(f"an import: {answer}")
                small = await client.import_csv(as_csv([("small", "DVD", 100, 2000, 3)]))
                if small.status != 200:
                    problems.append(f"a small import afterwards: {small}")
                if len((await client.get("/movie")).json()) != 1:
                    problems.append("a part of an import is there")

        asyncio.run(imports())
        problems += service.stop()
        report.row(kind, "spool folder full", count(statuses), problems)


def main(given, report, databases):
    seconds = 2 if given.short else 10
    for kind in databases:
        if kind == "sqlite":
            on_sqlite_full(given, report, seconds)
            on_sqlite_read_only(given, report, seconds)
            on_sqlite_read_only_mount(given, report)
        else:
            on_postgres_full(given, report, seconds)
        spool_full(given, report, kind)

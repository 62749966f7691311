"""Sudden ends: kill -9 of the service, kill -9 of PostgreSQL, and power loss, after which a disk has the synced data
and any part of the rest."""

import asyncio
import random

from lib import shim
from lib.client import Client, await_back
from lib.databases import Databases, check_sqlite
from lib.ledger import Ledger, check_collection, repeat_requests
from lib.load import Load
from lib.processes import Scope, Service
from lib.report import count

WRITERS = 64
BACK_SECONDS = 10


async def write_until_killed(load, kill, rng):
    """64 writers; `kill` happens at a random moment after about one response for each."""
    enough = load.ledger.acknowledged() + WRITERS

    async def strike():
        for _ in range(200):
            if load.ledger.acknowledged() >= enough:
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(rng.uniform(0.1, 1.5))
        kill()
        load.until.set()

    await asyncio.gather(load.run(WRITERS), strike())


async def check(service, token, ledger):
    if await await_back(service.port, token, BACK_SECONDS) is None:
        return [f"not back within {BACK_SECONDS} s"], 0
    async with Client(service.port, token, seconds=30) as client:
        problems = await check_collection(client, ledger)
        repeated, times = await repeat_requests(client, ledger)
        return problems + repeated + await check_collection(client, ledger), times


def kill_rounds(given, report, kind, rounds, what):
    """kill -9 of the service or of PostgreSQL, many times on one database."""
    rng, ledger, problems, unanswered, times = random.Random(11), Ledger(), [], 0, 0
    with Scope() as scope:
        place = Databases(scope)
        service = Service(scope, given.binary, place.make(kind)).start()
        token = service.make_token()
        for number in range(rounds):
            load = Load(ledger, token, [service.port], seed=100 + number, seconds=20)
            asyncio.run(write_until_killed(load, service.kill if what == "service" else place.cluster.kill, rng))
            unanswered += len(load.unanswered)
            problems += [f"round {number}: {answer}" for answer in load.failed]
            if what == "service":
                service.start()
            else:
                place.cluster.start(port=place.cluster.port)
            found, repeated = asyncio.run(check(service, token, ledger))
            problems += [f"round {number}: {problem}" for problem in found]
            times += repeated
            if problems:
                break
        problems += service.stop() + place.check_file(service.database)
        figures = (f"{number + 1} kills, {WRITERS} writers, {ledger.acknowledged()} acknowledged, {unanswered} "
                   f"unanswered, {times} repeated ({count(ledger.statuses)})")
        report.row(kind, f"kill -9 of {what}", figures, problems)


def power_cuts(given, report, runs, cuts):
    """Each run is recorded as a journal; the power is cut at many moments of it."""
    rng, problems, acknowledged, unsynced, done, records = random.Random(12), [], 0, 0, 0, 0
    for run in range(runs):
        with Scope() as scope:
            folder = scope.make_folder("disk")
            service = Service(scope, given.binary, f"sqlite:{folder}/films.db").start()
            token = service.make_token()
            problems += service.stop()
            journal = shim.Journal(folder, scope.folder / "journal")
            service.extra = shim.environment(scope, folder, journal=journal.path)
            service.start()
            ledger = Ledger()
            load = Load(ledger, token, [service.port], seed=200 + run, seconds=20)
            asyncio.run(write_until_killed(load, service.kill, rng))
            journal.read()
            records += len(journal.records)
            if not any(record[0] == b"S" for record in journal.records):
                problems.append("the shim saw no fsync")
            for number in range(cuts):
                target = scope.make_folder(f"cut{number}")
                moment, lost = journal.cut(rng.randrange(1, len(journal.records) + 1), target, rng)
                at_cut = ledger.cut(moment)
                after = Service(scope, given.binary, f"sqlite:{target}/films.db", f"cut{number}").start()
                found, _ = asyncio.run(check(after, token, at_cut))
                found += after.stop() + check_sqlite(target / "films.db")
                problems += [f"run {run}, cut {number}: {problem}" for problem in found]
                acknowledged, unsynced, done = acknowledged + at_cut.acknowledged(), unsynced + lost, done + 1
    figures = (f"{done} cuts of {runs} runs, {WRITERS} writers, {acknowledged} acknowledged before the cuts, "
               f"{unsynced} changes at risk of {records} records")
    report.row("sqlite", "power cut", figures, problems)


def main(given, report, databases):
    rounds, runs, cuts = (2, 1, 4) if given.short else (15, 10, 8)
    for kind in databases:
        kill_rounds(given, report, kind, rounds, "service")
    if "postgres" in databases:
        kill_rounds(given, report, "postgres", rounds, "PostgreSQL")
    if "sqlite" in databases:
        power_cuts(given, report, runs, cuts)

"""Steady load for minutes, during which memory, descriptors, threads and SQLite's log must not grow without limit."""

import asyncio
import statistics
import time
from pathlib import Path

from lib.client import Client, Unanswered
from lib.databases import Databases
from lib.ledger import Ledger, check_collection, repeat_requests
from lib.load import Load
from lib.processes import Scope, Service
from lib.report import count

MOST_WAL_BYTES = 64 << 20
# The allowed increase of the last third of the run over the second one.
GROWTH = {"KiB": (1.15, 16 << 10), "descriptors": (1.0, 40), "threads": (1.0, 8)}
PATHS = ("/movie?limit=100", "/movie?q=zzqqx&limit=20", "/stats", "/history?limit=20", "/movie?limit=10&total=true&rating=4..")


async def read(service, token, until, problems):
    number = 0
    async with Client(service.port, token, seconds=30) as client:
        while not until.is_set():
            number += 1
            try:
                answer = await client.get(PATHS[number % len(PATHS)])
                if answer.status != 200:
                    problems.append(f"GET {PATHS[number % len(PATHS)]}: {answer}")
            except Unanswered as error:
                problems.append(f"GET {PATHS[number % len(PATHS)]}: {error}")
            await asyncio.sleep(0.05)


async def torture(service, token, seconds, log):
    # Equal numbers of films are created and deleted, so the collection does not grow.
    operations = {"create": 5, "patch": 4, "same_patch": 1, "delete": 5, "batch": 1, "undo": 1}
    ledger = Ledger()
    load, samples, problems = Load(ledger, token, [service.port], 71, 30, operations), [], []

    async def sample():
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await asyncio.sleep(max(0.5, seconds / 60))
            samples.append((*service.resources(), log.stat().st_size if log and log.exists() else 0))
        load.until.set()

    readers = [asyncio.create_task(read(service, token, load.until, problems)) for _ in range(4)]
    await asyncio.gather(load.run(12), sample(), *readers)
    problems += [f"an answer: {answer}" for answer in load.failed] + [f"unanswered: {t}" for t in load.unanswered]
    async with Client(service.port, token, seconds=60) as client:
        repeated, _ = await repeat_requests(client, ledger)
        problems += repeated + await check_collection(client, ledger)
    return problems + growth(samples), samples, ledger


def growth(samples):
    third, problems = len(samples) // 3, []
    for column, (what, (factor, more)) in enumerate(GROWTH.items()):
        second = statistics.median(s[column] for s in samples[third : 2 * third])
        last = statistics.median(s[column] for s in samples[2 * third :])
        if last > second * factor + more:
            problems.append(f"{what}: {second:.0f} in the second third, {last:.0f} in the last")
    if max(s[3] for s in samples) > MOST_WAL_BYTES:
        problems.append(f"the log of SQLite had {max(s[3] for s in samples) >> 20} MiB")
    return problems


def main(given, report, databases):
    seconds = 6 if given.short else given.minutes * 60 / len(databases)
    for kind in databases:
        with Scope() as scope:
            place = Databases(scope)
            service = Service(scope, given.binary, place.make(kind)).start()
            token = service.make_token()
            log = Path(service.database.removeprefix("sqlite:") + "-wal") if kind == "sqlite" else None
            problems, samples, ledger = asyncio.run(torture(service, token, seconds, log))
            problems += service.stop() + place.check_file(service.database)
            first, last = samples[len(samples) // 3], samples[-1]
            figures = (f"{seconds:.0f} s, {ledger.acknowledged()} acknowledged ({count(ledger.statuses)}); "
                       f"{first[0] >> 10} → {last[0] >> 10} MiB, {first[1]} → {last[1]} descriptors, "
                       f"{first[2]} → {last[2]} threads, log at most {max(s[3] for s in samples) >> 10} KiB")
            report.row(kind, "steady load", figures, problems)

"""Checks the checks: they must find losses that are made up. A check that cannot fail proves nothing."""

import asyncio
import random

from lib import shim
from lib.client import Client
from lib.ledger import Ledger, check_collection, check_history, check_states
from lib.load import Load
from lib.processes import Failure, Scope, Service
from parts.power_loss import write_until_killed

DATABASES = ["sqlite"]
A, B = ("a", "DVD", 1, 2000, 1), ("b", "VHS", 2, 2001, 2)


def row(number, state, version=1):
    names = ("title", "movieFormat", "length", "releaseYear", "rating")
    return {"id": number, "version": version, **dict(zip(names, state))}


def made_up():
    """Each case: what is wrong, and the problems that a check finds in it."""
    acknowledged, pending, deleted = Ledger(), Ledger(), Ledger()
    acknowledged.done(acknowledged.begin({"a": A, "b": B}))
    pending.begin({"a": A, "b": B})
    deleted.done(deleted.begin({"a": A}))
    deleted.done(deleted.begin({"a": None}))
    a, b = row(1, A), row(2, B)
    created = {"id": 1, "movies": 1, "effects": [{"movieId": 1, "before": None, "after": a}]}
    changed = {"id": 2, "movies": 1, "effects": [{"movieId": 1, "before": b, "after": row(1, A, 2)}]}
    yield "an acknowledged film is lost", check_states(acknowledged, [a])
    yield "a film is another", check_states(acknowledged, [a, b | {"rating": 5}])
    yield "a film is there twice", check_states(acknowledged, [a, b, a | {"id": 3}])
    yield "a deleted film is there", check_states(deleted, [a])
    yield "a film that nobody wrote", check_states(acknowledged, [a, b, row(3, ("c", "DVD", 1, 2000, 1))])
    yield "half of an operation without an answer", check_states(pending, [a])
    yield "a row without history", check_history([created], [a, b])
    yield "a history without its row", check_history([created], [])
    yield "a change of what was not there", check_history([created, changed], [row(1, A, 2)])
    yield "an effect is missing", check_history([created | {"movies": 2}], [a])


def right():
    pending, both = Ledger(), Ledger()
    pending.begin({"a": A, "b": B})
    both.done(both.begin({"a": A, "b": B}))
    created = [{"id": 1, "movies": 1, "effects": [{"movieId": 1, "before": None, "after": row(1, A)}]}]
    rows = [row(1, A), row(2, B)]
    return (check_states(both, rows) + check_states(pending, rows) + check_states(pending, [])
            + check_history(created, [row(1, A)]))


def lying_disk(given):
    """A disk that ignores each fsync: a power loss must lose acknowledged writes, and the check must find them."""
    with Scope() as scope:
        folder = scope.make_folder("disk")
        service = Service(scope, given.binary, f"sqlite:{folder}/films.db").start()
        token = service.make_token()
        service.stop()
        journal = shim.Journal(folder, scope.folder / "journal")
        service.extra = shim.environment(scope, folder, journal=journal.path)
        service.start()
        ledger, target = Ledger(), scope.make_folder("cut")
        load = Load(ledger, token, [service.port], seed=81, seconds=20, operations={"create": 1})
        asyncio.run(write_until_killed(load, service.kill, random.Random(15)))
        journal.read()
        synced = sum(record[0] == b"S" for record in journal.records)
        journal.records = [record for record in journal.records if record[0] != b"S"]
        journal.cut(len(journal.records), target, random.Random(15), fate="none")
        after = Service(scope, given.binary, f"sqlite:{target}/films.db", "after").start()

        async def check():
            async with Client(after.port, token) as client:
                return await check_collection(client, ledger)

        problems = asyncio.run(check())
        after.stop()
        if synced == 0:
            raise Failure("the shim saw no fsync")
        return problems, ledger.acknowledged(), synced


def main(given, report, databases):
    cases = list(made_up())
    missed = [f"not found: {what}" for what, problems in cases if not problems]
    missed += [f"found where nothing is wrong: {problem}" for problem in right()]
    report.row("", "made-up losses are found", f"{len(cases)} cases", missed)
    problems, acknowledged, synced = lying_disk(given)
    missed = [] if problems else ["a disk that ignores fsync was not found out"]
    figures = f"{acknowledged} acknowledged, {synced} fsyncs ignored, {len(problems)} losses found"
    report.row("sqlite", "a disk that lies is found out", figures, missed)

"""Everything at once: batches, creates, undos, imports, fuzzy searches, and sign-ins. All must get responses, until
the end."""

import asyncio
import random
from collections import Counter

from lib.client import Client, Unanswered
from lib.databases import Databases
from lib.ledger import Ledger, check_collection, repeat_requests
from lib.load import Load
from lib.processes import OWNER, PASSWORD, Scope, Service
from lib.report import count

ANSWER_SECONDS = 20  # no request may take longer: the service limits each to 10


class Readers:
    """Searches and sign-ins beside the writers."""

    def __init__(self, service, token, until):
        self.service, self.token, self.until = service, token, until
        self.statuses, self.problems = Counter(), []
        self.rng = random.Random(7)

    async def repeat(self, what, ask, allowed, signed=True):
        async with Client(self.service.port, self.token if signed else None, seconds=ANSWER_SECONDS) as client:
            while not self.until.is_set():
                try:
                    answer = await ask(client)
                except Unanswered as error:
                    self.problems.append(f"{what}: {error}")
                    continue
                self.statuses[f"{what} {answer.status}"] += 1
                if answer.status not in allowed:
                    self.problems.append(f"{what}: {answer}")
                await asyncio.sleep(0.02)

    async def search(self, client):
        word = "".join(self.rng.choice("acdehilnorstx-1234") for _ in range(6))
        return await client.get(f"/movie?q={word}&limit=20")

    async def sign_in(self, client):
        return await client.post("/login", {"name": OWNER, "password": PASSWORD})


async def torture(service, token, sizes, seconds):
    ledger, until = Ledger(), asyncio.Event()
    load = lambda seed, operations: Load(ledger, token, [service.port], seed, ANSWER_SECONDS, operations)
    loads = [
        (load(1, {"batch": 1}), sizes["batches"]),
        (load(2, {"create": 1}), sizes["creates"]),
        (load(3, {"batch": 1, "undo": 1}), sizes["undos"]),
        (load(4, {"import": 1}), sizes["imports"]),
    ]
    readers = Readers(service, token, until)
    reading = [
        asyncio.create_task(readers.repeat(*case))
        for how_many, case in (
            (sizes["searches"], ("search", readers.search, (200, 503))),
            (sizes["sign_ins"], ("sign-in", readers.sign_in, (200, 429, 503), False)),
        )
        for _ in range(how_many)
    ]
    await asyncio.gather(*(each.run(writers, seconds) for each, writers in loads))
    until.set()
    await asyncio.gather(*reading)
    problems = readers.problems + [f"a write: {error}" for each, _ in loads for error in each.unanswered]
    problems += [f"a write: {answer}" for each, _ in loads for answer in each.failed]
    if not ledger.acknowledged():
        problems.append("no write was acknowledged")
    async with Client(service.port, token, seconds=ANSWER_SECONDS) as client:
        try:
            repeated, times = await repeat_requests(client, ledger)
            problems += repeated + await check_collection(client, ledger)
        except Unanswered as error:
            return [*problems, f"afterwards: {error}"], ledger, readers, 0
    return problems, ledger, readers, times


def main(given, report, databases):
    scale = 4 if given.short else 1
    sizes = {"batches": 64, "creates": 64, "undos": 40, "imports": 10 // scale + 1, "searches": 64 // scale,
             "sign_ins": 20 // scale}
    seconds = 3 if given.short else 20
    for kind in databases:
        with Scope() as scope:
            place = Databases(scope)
            database = place.make(kind)
            service = Service(scope, given.binary, database).start()
            token = service.make_token()
            problems, ledger, readers, times = asyncio.run(torture(service, token, sizes, seconds))
            problems += service.stop() + place.check_file(database)
            figures = (f"{sum(sizes.values())} clients, {ledger.acknowledged()} writes ({count(ledger.statuses)}), "
                       f"{count(readers.statuses)}, {times} repeated")
            report.row(kind, "all at once", figures, problems)

"""The connection to PostgreSQL breaks at the n-th message in either direction, for every n of each operation. If the
response to a COMMIT is lost, nobody knows whether it was done: then the response is not 2xx, and repeating the request
with its `Idempotency-Key` does it once."""

import asyncio
import zlib
from collections import Counter

from lib.client import Client
from lib.databases import Databases
from lib.ledger import Ledger, check_collection, repeat_requests
from lib.load import Load
from lib.processes import Scope, Service
from lib.proxy import Proxy
from lib.report import count
from parts.nth_fault import Operations

DATABASES = ["postgres"]
MOST_MESSAGES = 300
NAMES = ["create", "patch", "same_patch", "delete", "batch", "undo", "import_csv", "sign_in"]


async def settle(operations, ledger):
    """Writes until one succeeds: connections of the pool may be broken without notice."""
    before = ledger.acknowledged()
    for _ in range(40):
        await operations.create()
        if ledger.acknowledged() > before:
            return []
        await asyncio.sleep(0.05)
    return ["afterwards nothing is written"]


async def each_cut(service, proxy, token, name, direction, ledger):
    load = Load(ledger, token, [service.port], zlib.crc32(f"{name} {direction}".encode()), 20, pause=0)
    problems, cuts = [], 0
    async with Client(service.port, token, seconds=20) as client:
        operations = Operations(load, client)
        for nth in range(1, MOST_MESSAGES):
            await operations.ready()
            proxy.arm(nth, direction)
            await getattr(operations, name)()
            hit = proxy.disarm()
            problems += await settle(operations, ledger)
            if not hit or problems:
                break
            cuts += 1
        else:
            problems.append(f"more than {MOST_MESSAGES} messages")
        repeated, _ = await repeat_requests(client, ledger)
        problems += repeated + await check_collection(client, ledger)
        for cookie in operations.cookies:
            async with Client(service.port) as browser:
                answer = await browser.get("/me", headers={"Cookie": cookie})
                if answer.status != 200:
                    problems.append(f"a session that was answered 200 is gone: {answer}")
    problems += [f"an answer: {answer}" for answer in load.failed]
    return problems + [f"unanswered: {text}" for text in load.unanswered], cuts


async def torture(scope, given, cluster, address, report, names):
    async with Proxy("127.0.0.1", cluster.port) as proxy:
        through = address.replace(f":{cluster.port}/", f":{proxy.port}/") + "?sslmode=disable"
        service = Service(scope, given.binary, through)
        service.launch()
        await asyncio.to_thread(service.await_ready)
        token = await asyncio.to_thread(service.make_token)
        ledger = Ledger()
        for name in names:
            problems, cuts, before = [], Counter(), Counter(ledger.statuses)
            for direction in "request", "response":
                found, cuts[direction] = await each_cut(service, proxy, token, name, direction, ledger)
                problems += [f"{direction}: {problem}" for problem in found]
            figures = f"cuts {dict(cuts)} ({count(ledger.statuses - before)})"
            report.row("postgres", f"{name}, each message", figures, problems)
        problems = await asyncio.to_thread(service.stop)
        report.row("postgres", "the end", f"{ledger.acknowledged()} acknowledged", problems)


def main(given, report, databases):
    with Scope() as scope:
        place = Databases(scope)
        address = place.make("postgres")
        names = ["create", "undo"] if given.short else NAMES
        asyncio.run(torture(scope, given, place.cluster, address, report, names))

"""More than the service can handle: requests at four times its capacity without waiting for responses (an open loop),
10,000 idle connections, and clients that do not read their responses."""

import asyncio
import json
import resource
import subprocess
import time
from pathlib import Path

from lib.client import Client, Response, Unanswered
from lib.databases import Databases
from lib.ledger import Ledger, check_collection, repeat_requests
from lib.load import Load, as_csv
from lib.processes import Scope, Service
from lib.report import count

SOURCE = Path(__file__).parents[1] / "lib" / "flood.c"
ALLOWED = {"200", "201", "429", "503"}
CLIENTS = 32
MOST_OUTSTANDING = 6000
OUT_OF_REACH = 1e9
PROBE_SECONDS = 10


class Flood:
    """Sends requests (lib/flood.c): of four, one writes a film, one is a search without results, one reads a page and
    one the history. A program in Python could not send as many as the service can handle."""

    def __init__(self, scope, port, token, ledger):
        self.scope, self.port, self.token, self.ledger, self.number = scope, port, token, ledger, 0
        self.program = scope.folder / "flood"
        if not self.program.exists():
            subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", self.program, SOURCE], check=True)

    def send(self, seconds, rate, most_outstanding):
        """The results; their writes are in the ledger then."""
        writes = self.scope.folder / "writes"
        command = [self.program, self.port, self.token, seconds, rate, most_outstanding, self.number, writes]
        process = self.scope.spawn(command, stdout=subprocess.PIPE)
        outcome = json.loads(process.communicate()[0])
        for line in writes.read_text().splitlines():
            number, status = map(int, line.split())
            title = f"overload {number}"
            operation = self.ledger.begin({title: (title, "DVD", 100, 2000, 3)})
            if status:
                self.ledger.settle(operation, Response(status, {}, b"", 0))
        self.number += outcome["sent"]
        return outcome


async def probe(port, token, seconds=PROBE_SECONDS):
    async with Client(port, token, seconds=seconds) as client:
        try:
            answer = await client.get("/movie?limit=1")
            return [] if answer.status == 200 else [f"a probe: {answer}"], answer.seconds
        except Unanswered as error:
            return [f"a probe: {error}"], seconds


async def fill(service, token, ledger):
    states = [(f"filled {n}", "DVD", 100, 2000, 3) for n in range(5000)]
    async with Client(service.port, token, seconds=60) as client:
        operation = ledger.begin({state[0]: state for state in states})
        ledger.settle(operation, await client.import_csv(as_csv(states)))


async def check(service, token, ledger):
    problems, _ = await probe(service.port, token)
    async with Client(service.port, token, seconds=60) as client:
        return problems + await check_collection(client, ledger)


def overloaded(scope, service, token, seconds):
    ledger = Ledger()
    asyncio.run(fill(service, token, ledger))
    flood = Flood(scope, service.port, token, ledger)
    normal = flood.send(3, OUT_OF_REACH, CLIENTS)
    rate = normal["answered"] / normal["seconds"]
    problems = [f"under normal load: {normal}"] if set(normal["statuses"]) - {"200", "201"} else []
    outcome = flood.send(seconds, 4 * rate, MOST_OUTSTANDING)
    if outcome["unanswered"] or set(outcome["statuses"]) - ALLOWED:
        problems.append(f"overloaded: {outcome}")
    problems += asyncio.run(check(service, token, ledger))
    wanted = 4 * rate * outcome["seconds"]
    answered = outcome["answered"] / outcome["seconds"]
    figures = (f"capacity {rate:.0f}/s; wanted {4 * rate:.0f}/s, sent {outcome['sent'] / outcome['seconds']:.0f}/s "
               f"({outcome['sent'] / wanted:.0%}), answered {answered:.0f}/s, {outcome['outstanding']} waited at the end "
               f"({count(outcome['statuses'])}), p50 {outcome['p50']:.1f} s, longest {outcome['longest']:.1f} s, "
               f"{service.resources()[0] >> 10} MiB")
    return problems, figures


async def idle_connections(service, token, wanted):
    before, writers, refused = service.resources()[0], [], 0
    for _ in range(wanted // 200):
        opened = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", service.port) for _ in range(200)),
                                      return_exceptions=True)
        writers += [pair[1] for pair in opened if not isinstance(pair, BaseException)]
        refused += sum(isinstance(pair, BaseException) for pair in opened)
    problems, longest = [], 0
    for _ in range(20):
        found, seconds = await probe(service.port, token)
        problems, longest = problems + found, max(longest, seconds)
    memory, files, threads = service.resources()
    for writer in writers:
        writer.transport.abort()
    figures = (f"{len(writers)} opened, {refused} refused, {(memory - before) / max(1, len(writers)):.0f} KiB each, "
               f"{files} descriptors, {threads} threads, slowest probe {longest:.2f} s")
    return problems, figures


async def slow_readers(service, token, clients, wait):
    """Clients that request the whole collection and read nothing of it."""
    async with Client(service.port, token, seconds=60) as client:
        states = [(f"a rather long title for slow readers {n}", "DVD", 100, 2000, 3) for n in range(20_000)]
        await client.import_csv(as_csv(states))
    before, writers = service.resources(), []
    head = f"GET /movie HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    for _ in range(clients):
        _, writer = await asyncio.open_connection("127.0.0.1", service.port, limit=1)
        writer.transport.pause_reading()
        writer.write(head)
        writers.append(writer)
    problems, longest, most = [], 0, before[0]
    end = time.monotonic() + wait
    while time.monotonic() < end:
        found, seconds = await probe(service.port, token)
        problems, longest, most = problems + found, max(longest, seconds), max(most, service.resources()[0])
        await asyncio.sleep(0.5)
    after = service.resources()
    if wait > 40 and after[1] > before[1] + clients // 2:
        problems.append(f"they are not dropped after {wait} s: {after[1]} descriptors, {before[1]} before")
    for writer in writers:
        writer.transport.abort()
    figures = (f"{clients} for {wait} s, {(most - before[0]) >> 10} MiB more at most, descriptors {before[1]} before, "
               f"{after[1]} after, slowest probe {longest:.2f} s")
    return problems, figures


def main(given, report, databases):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    wanted = 1000 if given.short else 10_000
    for kind in databases:
        with Scope() as scope:
            place = Databases(scope)
            service = Service(scope, given.binary, place.make(kind)).start()
            token = service.make_token()
            problems, figures = overloaded(scope, service, token, 3 if given.short else 15)
            report.row(kind, "four times its capacity", figures, problems)
            if hard < wanted + 1000:
                report.skipped(kind, f"{wanted} idle connections", f"only {hard} descriptors are allowed")
                report.failures += 1
            else:
                problems, figures = asyncio.run(idle_connections(service, token, wanted))
                report.row(kind, f"{wanted} idle connections", figures, problems)
            problems, figures = asyncio.run(slow_readers(service, token, 50, 3 if given.short else 45))
            report.row(kind, "slow readers", figures, problems)
            report.row(kind, "the end", "", service.stop() + place.check_file(service.database))

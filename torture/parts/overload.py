"""More than the service can do: requests at four times its capacity, whether or not those before were answered (an open
loop), 10,000 idle connections, and clients that do not read what they asked for."""

import asyncio
import resource
import time
from collections import Counter

from lib.client import Client, Unanswered
from lib.databases import Databases
from lib.ledger import Ledger, check_collection, repeat_requests
from lib.load import Load, as_csv
from lib.processes import Scope, Service
from lib.report import count

ANSWER_SECONDS = 30
ALLOWED = (200, 201, 429, 503)
MOST_OUTSTANDING = 6000
PROBE_SECONDS = 10


class Requests:
    """Of four requests one writes a film, one searches in vain, one reads a page and one the statistics."""

    def __init__(self, port, token, ledger):
        self.port, self.token, self.ledger, self.number = port, token, ledger, 0
        self.statuses, self.problems, self.times, self.idle = Counter(), [], [], []

    async def one(self):
        self.number += 1
        n = self.number
        client = self.idle.pop() if self.idle else Client(self.port, self.token, seconds=ANSWER_SECONDS)
        try:
            if n % 4 == 0:
                title = f"overload {n}"
                state = (title, "DVD", 100, 2000, 3)
                operation = self.ledger.begin({title: state})
                answer = await client.post("/movie", dict(title=title, movieFormat="DVD", length=100,
                                                          releaseYear=2000, rating=3))
                self.ledger.settle(operation, answer)
            else:
                path = ("/movie?q=fillet%20zz&limit=20", "/movie?limit=100&sort=-rating", "/history?limit=50")[n % 4 - 1]
                answer = await client.get(path)
        except Unanswered as error:
            self.statuses["none"] += 1
            self.problems.append(str(error))
            return
        self.idle.append(client)
        self.statuses[answer.status] += 1
        self.times.append(answer.seconds)
        if answer.status not in ALLOWED:
            self.problems.append(repr(answer))


async def capacity(requests, seconds):
    """Answers a second to 32 clients that wait for each."""
    end = time.monotonic() + seconds

    async def client():
        while time.monotonic() < end:
            await requests.one()

    before = sum(requests.statuses.values())
    await asyncio.gather(*(client() for _ in range(32)))
    return (sum(requests.statuses.values()) - before) / seconds


async def open_loop(requests, rate, seconds):
    tasks, begun, sent = set(), time.monotonic(), 0
    while (now := time.monotonic() - begun) < seconds:
        while sent < now * rate and len(tasks) < MOST_OUTSTANDING:
            task = asyncio.create_task(requests.one())
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            sent += 1
        await asyncio.sleep(0.01)
    outstanding = len(tasks)
    if tasks:
        await asyncio.wait(tasks)
    return sent, outstanding


async def probe(port, token, seconds=PROBE_SECONDS):
    async with Client(port, token, seconds=seconds) as client:
        try:
            answer = await client.get("/movie?limit=1")
            return [] if answer.status == 200 else [f"a probe: {answer}"], answer.seconds
        except Unanswered as error:
            return [f"a probe: {error}"], seconds


async def overloaded(service, token, seconds):
    ledger = Ledger()
    states = [(f"filled {n}", "DVD", 100, 2000, 3) for n in range(5000)]
    async with Client(service.port, token, seconds=60) as client:
        operation = ledger.begin({state[0]: state for state in states})
        ledger.settle(operation, await client.import_csv(as_csv(states)))
    requests = Requests(service.port, token, ledger)
    rate = await capacity(requests, 3)
    normal, requests.statuses, requests.times = requests.statuses, Counter(), []
    problems = [f"under normal load: {count(normal)}"] if set(normal) - {200, 201} else []
    sent, outstanding = await open_loop(requests, 4 * rate, seconds)
    problems += requests.problems
    for client in requests.idle:
        client.close()
    found, _ = await probe(service.port, token)
    problems += found
    async with Client(service.port, token, seconds=60) as client:
        problems += await check_collection(client, ledger)
    times = sorted(requests.times) or [0]
    figures = (f"capacity {rate:.0f}/s, {sent} at {sent / seconds:.0f}/s, {outstanding} waited at the end "
               f"({count({str(k): n for k, n in requests.statuses.items()})}), p50 {times[len(times) // 2]:.1f} s, "
               f"longest {times[-1]:.1f} s, {service.resources()[0] >> 10} MiB")
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
    """They ask for the whole collection and read nothing of it."""
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
            problems, figures = asyncio.run(overloaded(service, token, 3 if given.short else 15))
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

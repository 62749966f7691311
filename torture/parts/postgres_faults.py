"""Faults of PostgreSQL: frozen, cut off, statements cancelled, connections terminated, a row locked by an
idle transaction."""

import asyncio
import subprocess
import time
from collections import Counter

from lib.client import Client, Unanswered, await_back
from lib.databases import Databases
from lib.ledger import Ledger, check_collection, repeat_requests
from lib.load import Load
from lib.processes import Scope, Service
from lib.proxy import Proxy
from lib.report import count

DATABASES = ["postgres"]
ANSWER_SECONDS = 15  # the service limits the database time of a request to 10
READY_SECONDS = 3  # the limit of /health/ready is 2
BACK_SECONDS = 10


class Stage:
    """A service on a separate cluster, with writers from before until after a fault."""

    def __init__(self, scope, given, cluster=None):
        self.scope, self.given = scope, given
        self.place = Databases(scope)
        self.place.cluster = cluster
        self.address = self.place.make("postgres")
        self.cluster = self.place.cluster
        self.ledger, self.problems, self.slowest = Ledger(), [], 0.0

    def start(self, address=None):
        self.service = Service(self.scope, self.given.binary, address or self.address).start()
        self.token = Service(self.scope, self.given.binary, self.address).make_token()

    async def ready(self, expected):
        """Whether /health/ready responds in time, and as expected."""
        begun = time.monotonic()
        async with Client(self.service.port, seconds=READY_SECONDS) as client:
            try:
                answer = await client.get("/health/ready")
                if answer.status != expected:
                    self.problems.append(f"/health/ready: {answer.status} instead of {expected}")
            except Unanswered as error:
                self.problems.append(f"/health/ready: {error}")
        self.slowest = max(self.slowest, time.monotonic() - begun)

    async def ask(self, client, method, path, allowed, body=None, headers=None):
        try:
            answer = await client.request(method, path, body, headers, seconds=ANSWER_SECONDS)
        except Unanswered as error:
            self.problems.append(f"{method} {path}: {error}")
            return "none"
        self.slowest = max(self.slowest, answer.seconds)
        if answer.status not in allowed:
            self.problems.append(f"{method} {path}: {answer}")
        return answer.status

    async def at_rest(self, load=None):
        """After the fault: available in time, nothing lost, nothing duplicated."""
        back = await await_back(self.service.port, self.token, BACK_SECONDS)
        if back is None:
            self.problems.append(f"not back within {BACK_SECONDS} s")
            return back
        async with Client(self.service.port, self.token, seconds=30) as client:
            repeated, _ = await repeat_requests(client, self.ledger)
            self.problems += repeated + await check_collection(client, self.ledger)
        if load:
            self.problems += [f"an answer: {answer}" for answer in load.failed]
            self.problems += [f"unanswered: {text}" for text in load.unanswered]
        return back

    def end(self, report, case, figures):
        self.problems += self.service.stop()
        figures += f", slowest {self.slowest:.1f} s, {self.ledger.acknowledged()} acknowledged"
        report.row("postgres", case, f"{figures} ({count(self.ledger.statuses)})", self.problems)


async def stands_still(stage, begin, end, seconds):
    """40 clients send a request each while the database does not respond; each must get an error in time."""
    # Many of them are long: a server that loses its client keeps the locks of such transactions.
    operations = {"create": 4, "patch": 3, "same_patch": 1, "delete": 1, "batch": 4, "undo": 3, "import": 3}
    load = Load(stage.ledger, stage.token, [stage.service.port], 61, ANSWER_SECONDS + 5, operations)
    load.long_seconds = seconds + BACK_SECONDS + ANSWER_SECONDS  # they continue when it is back
    writing = asyncio.create_task(load.run(16))
    await asyncio.sleep(1)
    begin()
    begun, statuses = time.monotonic(), Counter()

    async def one(number):
        await asyncio.sleep(number * 0.02)
        async with Client(stage.service.port, stage.token) as client:
            path = ("/movie?limit=5", "/history", "/stats", "/movie/1")[number % 4]
            statuses[await stage.ask(client, "GET", path, (200, 404, 503))] += 1

    clients = asyncio.gather(*(one(number) for number in range(40)))
    await asyncio.sleep(0.5)
    await stage.ready(503)
    await clients
    await stage.ready(503)
    await asyncio.sleep(max(0, seconds - (time.monotonic() - begun)))
    end()
    back = await await_back(stage.service.port, stage.token, BACK_SECONDS)
    await asyncio.sleep(2)
    load.until.set()
    await writing
    await stage.at_rest(load)
    return f"{seconds} s, 40 reads ({count(statuses)}), back after {back and round(back, 1)} s"


def frozen(given, report, seconds):
    with Scope() as scope:
        stage = Stage(scope, given)
        stage.start()
        figures = asyncio.run(stands_still(stage, stage.cluster.freeze, stage.cluster.thaw, seconds))
        stage.end(report, "frozen (SIGSTOP)", figures)


def swallowed(given, report, seconds):
    """A proxy that accepts everything and forwards nothing, so that no timeout of the network ends it."""
    with Scope() as scope:
        stage = Stage(scope, given)

        async def run():
            async with Proxy("127.0.0.1", stage.cluster.port) as proxy:
                port = f":{stage.cluster.port}/"
                address = stage.address.replace(port, f":{proxy.port}/")
                stage.service = Service(scope, given.binary, address)
                stage.service.launch()
                await asyncio.to_thread(stage.service.await_ready)
                stage.token = await asyncio.to_thread(Service(scope, given.binary, stage.address).make_token)
                def restore():
                    proxy.swallowing.clear()
                    proxy.break_off()
                figures = await stands_still(stage, proxy.swallowing.set, restore, seconds)
                stage.problems += await asyncio.to_thread(stage.service.stop)
                return figures

        figures = asyncio.run(run())
        stage.service.stop = list
        stage.end(report, "swallowed by a proxy", figures)


def in_a_loop(given, report, function, seconds):
    """pg_cancel_backend or pg_terminate_backend for all active sessions, ten times a second."""
    with Scope() as scope:
        stage = Stage(scope, given)
        stage.start()
        strikes = 0

        async def run():
            nonlocal strikes
            load = Load(stage.ledger, stage.token, [stage.service.port], 62, ANSWER_SECONDS)
            writing = asyncio.create_task(load.run(32, seconds))
            sql = (f"SELECT count({function}(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                   "AND backend_type = 'client backend'")
            while not writing.done():
                strikes += int(await asyncio.to_thread(stage.cluster.psql, sql))
                await asyncio.sleep(0.1)
            await writing
            return await stage.at_rest(load)

        back = asyncio.run(run())
        stage.end(report, function, f"{strikes} strikes in {seconds} s, back after {back and round(back, 1)} s")


def held_row(given, report):
    """An idle transaction locks a film. Its writers wait and get an error. Reads work; other writes may wait for one
    of the few connections for writing, but not forever."""
    with Scope() as scope:
        stage = Stage(scope, given)
        stage.start()
        statuses = Counter()

        async def run():
            async with Client(stage.service.port, stage.token) as client:
                states = {"held": ("held", "DVD", 100, 2000, 3), "free": ("free", "DVD", 100, 2000, 3)}
                ids = {}
                for title in states:
                    operation = stage.ledger.begin({title: states[title]})
                    answer = await client.post("/movie", dict(title=title, movieFormat="DVD", length=100,
                                                              releaseYear=2000, rating=3))
                    stage.ledger.settle(operation, answer)
                    ids[title] = answer.json()["id"]
            command = ["psql", "-h", stage.cluster.folder, "-p", stage.cluster.port, "-U", "postgres", "-XAtq",
                       "-d", stage.address.rpartition("/")[2]]
            holder = subprocess.Popen([*map(str, command)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                      env={"PGPASSWORD": stage.cluster.password, "PATH": "/usr/bin:/bin"})
            stage.scope.exits.callback(holder.kill)
            holder.stdin.write(f"BEGIN;\nSELECT id FROM movie_rows WHERE id = {ids['held']} FOR UPDATE;\n")
            holder.stdin.flush()
            await asyncio.to_thread(holder.stdout.readline)

            async def patch():
                async with Client(stage.service.port, stage.token) as client:
                    statuses["held", await stage.ask(client, "PATCH", f"/movie/{ids['held']}", (503,),
                                                     {"rating": 3})] += 1

            async def others():
                await asyncio.sleep(1)
                for number in range(20):
                    async with Client(stage.service.port, stage.token, seconds=3) as client:
                        for path in "/movie?limit=5", "/stats", "/history":
                            statuses["read", await stage.ask(client, "GET", path, (200,))] += 1
                        operation = stage.ledger.begin({f"beside {number}": (f"beside {number}", "VHS", 9, 1999, 1)})
                        body = dict(title=f"beside {number}", movieFormat="VHS", length=9, releaseYear=1999, rating=1)
                        status = await stage.ask(client, "POST", "/movie", (201, 503), body)
                        if status == 201:
                            stage.ledger.done(operation)
                        statuses["write", status] += 1
                    await stage.ready(200)
                    await asyncio.sleep(0.2)

            await asyncio.gather(*(patch() for _ in range(20)), others())
            holder.stdin.write("ROLLBACK;\n\\q\n")
            holder.stdin.close()
            await asyncio.to_thread(holder.wait, 10)
            await stage.at_rest()

        asyncio.run(run())
        shown = ", ".join(f"{what} {status}×{n}" for (what, status), n in sorted(statuses.items(), key=str))
        stage.end(report, "row held by an idle transaction", shown)


def main(given, report, databases):
    seconds = 13 if given.short else 30
    frozen(given, report, seconds)
    swallowed(given, report, seconds)
    for function in "pg_cancel_backend", "pg_terminate_backend":
        in_a_loop(given, report, function, 3 if given.short else 15)
    held_row(given, report)

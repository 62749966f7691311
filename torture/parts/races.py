"""Several clients want the same at the same moment, on two instances over one PostgreSQL or on one service over SQLite:
one succeeds, and the others get a correct error."""

import asyncio
import re
import uuid
from collections import Counter

from lib.client import Client
from lib.databases import Databases
from lib.ledger import check_history, read_history
from lib.processes import OWNER, PASSWORD, Scope, Service, wait_until
from lib.report import count

CLIENTS = 8
FILM = {"title": "Heat", "movieFormat": "DVD", "length": 170, "releaseYear": 1995, "rating": 5}


class Race:
    """Connections to all instances in turn, opened before the start, so that the requests are concurrent."""

    def __init__(self, ports, token):
        self.clients = [Client(ports[n % len(ports)], token, seconds=30) for n in range(CLIENTS)]
        self.problems, self.statuses, self.rounds = [], Counter(), 0

    async def open(self):
        await asyncio.gather(*(client.get("/me") for client in self.clients))

    def close(self):
        for client in self.clients:
            client.close()

    async def all(self, ask):
        answers = await asyncio.gather(*(ask(client, n) for n, client in enumerate(self.clients)))
        self.statuses += Counter(answer.status for answer in answers)
        self.rounds += 1
        return answers

    def expect(self, what, answers, winner, losers):
        statuses = Counter(answer.status for answer in answers)
        lost = sum(statuses[status] for status in losers)
        if statuses[winner] != 1 or lost != len(answers) - 1:
            self.problems.append(f"{what}: {count(statuses)}, should be {winner}×1 and otherwise {losers}")

    async def film(self):
        return (await self.clients[0].post("/movie", FILM)).json()["id"]

    async def same_version(self):
        number = await self.film()
        answers = await self.all(lambda client, n: client.request(
            "PATCH", f"/movie/{number}", {"length": 100 + n}, {"If-Match": '"1"'}))
        self.expect("PATCH with If-Match", answers, 200, (412,))
        won = next((answer.json() for answer in answers if answer.status == 200), None)
        if (await self.clients[1].get(f"/movie/{number}")).json() != won:
            self.problems.append("the film is not as the one that got 200 was answered")

    async def same_undo(self):
        answer = await self.clients[0].post("/movie/batch", {"operations": [{"op": "create", "movie": FILM}]})
        change = answer.json()["change"]
        answers = await self.all(lambda client, n: client.post(f"/history/{change}/undo"))
        self.expect("undo", answers, 200, (409,))

    async def same_key(self):
        key, before = str(uuid.uuid4()), await self.total()
        answers = await self.all(lambda client, n: client.post("/movie", FILM, key))
        bodies = {(answer.status, answer.body) for answer in answers}
        if len(bodies) != 1 or answers[0].status != 201:
            self.problems.append(f"one key: {bodies}")
        if await self.total() != before + 1:
            self.problems.append("one key, and several films")

    async def key_of_two(self):
        """Two requests with the same key: one is done, the other is rejected."""
        key = str(uuid.uuid4())
        answers = await self.all(lambda client, n: client.post("/movie", FILM | {"length": 1 + n % 2}, key))
        done = [answer for answer in answers if answer.status == 201]
        if len({answer.body for answer in done}) != 1 or any(a.status not in (201, 422) for a in answers):
            self.problems.append(f"one key for two requests: {count(Counter(a.status for a in answers))}")

    async def same_delete(self):
        number = await self.film()
        answers = await self.all(lambda client, n: client.request("DELETE", f"/movie/{number}"))
        self.expect("DELETE", answers, 204, (404,))

    async def undo_against_patch(self):
        """Either the undo is first and the patch gets 404, or the patch is first and the undo conflicts."""
        answer = await self.clients[0].post("/movie/batch", {"operations": [{"op": "create", "movie": FILM}]})
        change, number = answer.json()["change"], answer.json()["results"][0]["movie"]["id"]
        undo, patch = await asyncio.gather(
            self.clients[0].post(f"/history/{change}/undo"),
            self.clients[1].request("PATCH", f"/movie/{number}", {"rating": 1}))
        self.statuses += Counter((undo.status, patch.status))
        self.rounds += 1
        if (undo.status, patch.status) not in ((200, 404), (409, 200)):
            self.problems.append(f"undo {undo}, patch {patch}")

    async def total(self):
        return int((await self.clients[0].get("/movie?limit=1&total=true")).headers["x-total-count"])


async def races(ports, token, rounds, report, kind):
    for name in "same_version", "same_undo", "same_key", "key_of_two", "same_delete", "undo_against_patch":
        race = Race(ports, token)
        await race.open()
        for _ in range(rounds):
            await getattr(race, name)()
        rows = (await race.clients[0].get("/movie")).json()
        race.problems += check_history(await read_history(race.clients[0]), rows)
        race.close()
        figures = f"{race.rounds} rounds of {CLIENTS} clients ({count(race.statuses)})"
        report.row(kind, name.replace("_", " "), figures, race.problems)


async def last_owners(ports, token, rounds):
    """Two owners delete or demote each other at the same moment."""
    problems, statuses = [], Counter()
    for number in range(rounds):
        names = [f"owner{number}a", f"owner{number}b"]
        clients = []
        async with Client(ports[0], token, seconds=30) as first:
            for n, name in enumerate(names):
                made = await first.post("/user", {"name": name, "password": PASSWORD, "role": "owner"})
                if made.status != 201:
                    return [f"POST /user: {made}"], statuses
                async with Client(ports[n % len(ports)], seconds=30) as client:
                    answer = await client.post("/login", {"name": name, "password": PASSWORD})
                    cookie = answer.headers["set-cookie"].partition(";")[0]
                clients.append((Client(ports[n % len(ports)], seconds=30), {"Cookie": cookie}))
        # The two are the last ones: the first owner is demoted for a moment.
        client, cookie = clients[0]
        lowered = await client.request("PATCH", f"/user/{OWNER}", {"role": "viewer"}, cookie)
        ask = [("DELETE", None), ("PATCH", {"role": "editor"})][number % 2]
        answers = await asyncio.gather(*(
            client.request(ask[0], f"/user/{names[1 - n]}", ask[1], cookie)
            for n, (client, cookie) in enumerate(clients)))
        statuses += Counter(answer.status for answer in answers)
        async with Client(ports[0], token, seconds=30) as reader:
            if (await reader.get("/me")).status != 200 or lowered.status != 200:
                problems.append(f"the first owner: {lowered}")
        done = sum(answer.status < 300 for answer in answers)
        if done != 1:
            problems.append(f"two owners {ask[0]} one another: {answers}")
            for client, _ in clients:
                client.close()
            return problems, statuses
        winner = next(n for n, answer in enumerate(answers) if answer.status < 300)
        client, cookie = clients[winner]
        back = await client.request("PATCH", f"/user/{OWNER}", {"role": "owner"}, cookie)
        if back.status != 200:
            problems.append(f"the one that is left is no owner any more: {back}")
        for client, _ in clients:
            client.close()
        async with Client(ports[0], token, seconds=30) as first:
            for name in names:
                await first.request("DELETE", f"/user/{name}")
    return problems, statuses


async def first_owners(services):
    """Each instance has its own code; if two codes are used at once, one creates the first owner."""
    codes = [code_of(service) for service in services]
    pairs = [(services[n % len(services)], codes[n % len(codes)]) for n in range(2)]

    async def one(n, service, code):
        async with Client(service.port, seconds=30) as client:
            return await client.post("/setup", {"code": code, "name": f"first{n}", "password": PASSWORD})

    answers = await asyncio.gather(*(one(n, *pair) for n, pair in enumerate(pairs)))
    statuses = Counter(answer.status for answer in answers)
    right = statuses[201] == 1 and statuses[403] + statuses[409] == 1
    users = services[0].cli("user", "list").stdout.splitlines()
    problems = [] if right else [f"two first owners: {answers}"]
    return problems + ([] if len(users) == 1 else [f"users: {users}"]), statuses


def code_of(service):
    def found():
        return re.search(r"/setup\S*?([A-Za-z0-9_-]{20,})", service.stdout.read_text() + service.log.read_text())

    return wait_until(5, found, "the address of the set-up is shown")[1]


def main(given, report, databases):
    rounds = 5 if given.short else 100
    for kind in databases:
        instances = 1 if kind == "sqlite" else 2
        with Scope() as scope:
            place = Databases(scope)
            for number in range(1 if given.short else 5):
                database = place.make(kind)
                services = [Service(scope, given.binary, database, f"new{number}-{n}") for n in range(instances)]
                for service in services:
                    service.owner = {}
                    service.start()
                problems, statuses = asyncio.run(first_owners(services))
                problems += [problem for service in services for problem in service.stop()]
                report.row(kind, "first owner made by two", count(statuses), problems)
            database = place.make(kind)
            services = [Service(scope, given.binary, database, f"instance{n}").start() for n in range(instances)]
            token, ports = services[0].make_token(), [service.port for service in services]
            asyncio.run(races(ports, token, rounds, report, kind))
            problems, statuses = asyncio.run(last_owners(ports, token, 2 if given.short else 10))
            report.row(kind, "last owner removed by two", count(statuses), problems)
            problems = [problem for service in services for problem in service.stop()]
            report.row(kind, "the end", "", problems + place.check_file(database))

"""Writers that work like clients, one operation after another, and record each in the ledger."""

import asyncio
import json
import random
import uuid

from .client import Client, Unanswered

FORMATS = ("VHS", "DVD", "Streaming")
OPERATIONS = {"create": 6, "patch": 4, "same_patch": 1, "delete": 1, "batch": 2, "undo": 1, "import": 0.2}


def film(title, rng):
    return (title, rng.choice(FORMATS), rng.randrange(501), rng.randrange(1900, 2025), rng.randrange(1, 6))


def as_json(state):
    return dict(zip(("title", "movieFormat", "length", "releaseYear", "rating"), state))


def as_csv(states):
    rows = ["title,movieFormat,length,releaseYear,rating"]
    return "\n".join(rows + [",".join(map(str, state)) for state in states]) + "\n"


class Load:
    """Any number of writers with one ledger. `until` is an `asyncio.Event` that ends them."""

    def __init__(self, ledger, token, ports, seed=1, seconds=30, operations=None, pause=0.05):
        self.ledger, self.token, self.ports = ledger, token, ports
        self.seconds, self.pause = seconds, pause
        self.long_seconds = seconds  # for undos and imports, in which each statement of PostgreSQL may take long
        self.rng = random.Random(seed)
        self.prefix = f"{seed:x}x"  # of the titles
        self.weights = operations or OPERATIONS
        self.last_answer = 0.0  # the time of the last 2xx response
        self.unanswered = []
        self.failed = []  # responses with status 500
        self.writers = 0
        self.until = asyncio.Event()

    async def run(self, writers, seconds=None):
        """Runs `writers` writers for `seconds`, or until `until` is set."""
        tasks = [asyncio.create_task(self.write()) for _ in range(writers)]
        try:
            if seconds is not None:
                async with asyncio.timeout(seconds):
                    await self.until.wait()
            else:
                await self.until.wait()
        except TimeoutError:
            self.until.set()
        finally:
            self.until.set()
            await asyncio.gather(*tasks)

    async def write(self):
        self.writers += 1
        writer = Writer(self, self.writers)
        async with Client(self.ports[self.writers % len(self.ports)], self.token, seconds=self.seconds) as client:
            while not self.until.is_set():
                await writer.step(client)


class Writer:
    """The films of one writer. No other writer changes them, so it knows their states."""

    def __init__(self, load, number):
        self.load, self.number, self.count = load, number, 0
        self.rng = random.Random(load.rng.random())
        self.films = {}  # by title: (id, state)
        self.batches = []  # (change, titles) that can be undone

    def new_film(self):
        self.count += 1
        return film(f"{self.load.prefix}-{self.number}-{self.count}", self.rng)

    async def step(self, client):
        weights = self.load.weights
        [what] = self.rng.choices(list(weights), weights.values())
        if what in ("patch", "same_patch", "delete") and not self.films or what == "undo" and not self.batches:
            what = "create"
        await getattr(self, f"do_{what}".replace("do_import", "do_import_csv"))(client)

    async def send(self, client, operation, method, path, body=None, content_type="application/json", is_long=False):
        """The response if it is 2xx."""
        headers = {"Content-Type": content_type} if body is not None else {}
        operation.request = (method, path, body, headers)
        if method == "POST":
            operation.key = str(uuid.uuid4())
            headers = headers | {"Idempotency-Key": operation.key}
        load = self.load
        try:
            seconds = load.long_seconds if is_long else load.seconds
            answer = await client.request(method, path, body, headers, seconds=seconds)
        except Unanswered as error:
            load.unanswered.append(f"{method} {path}: {error}")
            await asyncio.sleep(load.pause)
            return None
        load.ledger.settle(operation, answer)
        if answer.status >= 500:
            if answer.status not in (503, 507):
                load.failed.append(answer)
            await asyncio.sleep(load.pause)
        if answer.status < 300:
            load.last_answer = operation.ended
            return answer
        return None

    async def do_create(self, client):
        state = self.new_film()
        operation = self.load.ledger.begin({state[0]: state})
        if answer := await self.send(client, operation, "POST", "/movie", json.dumps(as_json(state))):
            self.films[state[0]] = answer.json()["id"], state

    def pick(self):
        """A film and its next state; the writer can change it again after the write is acknowledged."""
        title = self.rng.choice(list(self.films))
        number, state = self.films.pop(title)
        return title, number, (*state[:4], state[4] % 5 + 1)

    async def do_patch(self, client):
        title, number, state = self.pick()
        operation = self.load.ledger.begin({title: state})
        body = json.dumps({"rating": state[4]})
        if await self.send(client, operation, "PATCH", f"/movie/{number}", body):
            self.films[title] = number, state

    async def do_same_patch(self, client, clients=4):
        """The same change by several clients at once: one writes it, the others find nothing to change. All
        responses are promises."""
        title, number, state = self.pick()
        operation = self.load.ledger.begin({title: state})
        body = json.dumps({"rating": state[4]})

        async def one():
            async with Client(client.port, self.load.token, seconds=self.load.seconds) as other:
                return await self.send(other, operation, "PATCH", f"/movie/{number}", body)

        if any(await asyncio.gather(*(one() for _ in range(clients)))):
            self.films[title] = number, state

    async def do_delete(self, client):
        title, number, _ = self.pick()
        operation = self.load.ledger.begin({title: None})
        await self.send(client, operation, "DELETE", f"/movie/{number}")

    async def do_batch(self, client):
        states = [self.new_film() for _ in range(self.rng.randrange(2, 8))]
        operation = self.load.ledger.begin({state[0]: state for state in states})
        body = json.dumps({"operations": [{"op": "create", "movie": as_json(state)} for state in states]})
        if answer := await self.send(client, operation, "POST", "/movie/batch", body):
            self.batches.append((answer.json()["change"], [state[0] for state in states]))

    async def do_undo(self, client):
        change, titles = self.batches.pop()
        operation = self.load.ledger.begin(dict.fromkeys(titles))
        await self.send(client, operation, "POST", f"/history/{change}/undo", is_long=True)

    async def do_import_csv(self, client):
        states = [self.new_film() for _ in range(self.rng.randrange(50, 200))]
        operation = self.load.ledger.begin({state[0]: state for state in states})
        path, body = "/movie?onDuplicate=add", as_csv(states)
        await self.send(client, operation, "POST", path, body, "text/csv", is_long=True)

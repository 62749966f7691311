"""Records acknowledged writes, and compares a collection with them.

Each film has a unique title. A write is an `Operation`: for each of its films it has the resulting state: the
attributes of the film, or `None` for a deleted one. An operation with a 2xx response is done; a rejected one is
not done; one without a response may be done or not, as a whole. Each event has its time, so `cut` returns the
ledger of any earlier moment.
"""

import copy
import itertools
import time
from collections import Counter, defaultdict

ATTRIBUTES = ("title", "movieFormat", "length", "releaseYear", "rating")
PENDING, DONE, REFUSED = "pending", "done", "refused"


def attributes(movie):
    return movie and tuple(movie[name] for name in ATTRIBUTES)


class Operation:
    def __init__(self, number, states, request, key):
        self.number, self.states, self.request, self.key = number, states, request, key
        self.begun = time.monotonic()
        self.ended = None
        self.outcome = PENDING
        self.answer = None


class Ledger:
    def __init__(self):
        self.operations = []
        self.statuses = Counter()
        self.ids = {}  # by title
        self.numbers = itertools.count(1)

    def begin(self, states, request=None, key=None):
        """Records an operation before it is sent. Only one at a time may change a film."""
        operation = Operation(next(self.numbers), states, request, key)
        self.operations.append(operation)
        return operation

    def done(self, operation, answer=None):
        if operation.outcome != DONE:  # the first acknowledgement counts
            operation.ended = time.monotonic()
        operation.outcome, operation.answer = DONE, answer

    def refused(self, operation):
        if operation.outcome == PENDING:
            operation.outcome, operation.ended = REFUSED, time.monotonic()

    def settle(self, operation, answer):
        """Records a response: 2xx is done, 4xx is not; after any other response both are possible."""
        self.statuses[answer.status] += 1
        if answer.status < 300:
            self.done(operation, answer)
        elif answer.status < 500:
            self.refused(operation)

    def acknowledged(self):
        return sum(operation.outcome == DONE for operation in self.operations)

    def pending(self):
        return [o for o in self.operations if o.outcome == PENDING]

    def cut(self, moment):
        """The ledger at an earlier moment."""
        earlier = Ledger()
        for operation in self.operations:
            if operation.begun <= moment:
                kept = copy.copy(operation)
                if kept.ended is None or kept.ended > moment:
                    kept.outcome, kept.ended, kept.answer = PENDING, None, None
                earlier.operations.append(kept)
        return earlier


def check_states(ledger, rows):
    """Differences between the rows of `GET /movie` and the acknowledged writes."""
    problems = []
    counted = Counter(row["title"] for row in rows)
    problems += [f"{n} films of the title {title}" for title, n in counted.items() if n > 1]
    if len({row["id"] for row in rows}) != len(rows):
        problems.append("two films have one id")
    found = {row["title"]: attributes(row) for row in rows}
    expected = defaultdict(lambda: {None})  # the valid states by title
    doubtful = []
    for operation in ledger.operations:
        if operation.outcome == DONE:
            for title, state in operation.states.items():
                expected[title] = {state}
        elif operation.outcome == PENDING:
            before = {title: set(expected[title]) for title in operation.states}
            doubtful.append((operation, before))
            for title, state in operation.states.items():
                expected[title] = expected[title] | {state}
    for title, states in expected.items():
        if found.get(title) not in states:
            problems.append(f"film {title} is {found.get(title)}, which is none of {states}")
    problems += [f"film {title} was never written" for title in found if title not in expected]
    for operation, before in doubtful:
        changed = {t: s for t, s in operation.states.items() if before[t] != {s}}
        applied = sum(found.get(title) == state for title, state in changed.items())
        if 0 < applied < len(changed):
            problems.append(f"operation {operation.number} is stored in part: {applied} of {len(changed)}")
    return problems


async def read_history(client):
    """All changes from the oldest on, each with all its effects."""
    changes = await client.pages("/history?limit=1000")
    for change in changes:
        if change["movies"] > len(change["effects"]):
            pages, path = [], f"/history/{change['id']}?limit=1000"
            while path:
                answer = await client.get(path)
                pages += answer.json()["effects"]
                link = answer.headers.get("link", "")
                path = link[link.index("<") + 1 : link.index(">")] if 'rel="next"' in link else None
            change["effects"] = pages
    return changes[::-1]


def check_history(changes, rows):
    """Errors within the history, and differences to the rows: replayed from its start it must result in them."""
    problems, films = [], {}
    if len({change["id"] for change in changes}) != len(changes):
        problems.append("a change is listed twice")
    for change in changes:
        if len(change["effects"]) != change["movies"]:
            problems.append(f"change {change['id']} of {change['movies']} films has {len(change['effects'])} effects")
        for effect in change["effects"]:
            number = effect["movieId"]
            if films.get(number) != effect["before"]:
                problems.append(f"change {change['id']}: film {number} was not as the change before left it")
            films[number] = effect["after"]
    left = {number: film for number, film in films.items() if film}
    present = {row["id"]: row for row in rows}
    for number in left.keys() | present.keys():
        if left.get(number) != present.get(number):
            problems.append(f"film {number} is {present.get(number)}, by its history {left.get(number)}")
    return problems


async def check_collection(client, ledger):
    """All invariants of a collection at rest, except for repeated requests."""
    answer = await client.get("/movie", seconds=60)
    if answer.status != 200:
        return [f"GET /movie: {answer}"]
    rows = answer.json()
    problems = check_states(ledger, rows)
    problems += check_history(await read_history(client), rows)
    total = (await client.get("/movie?limit=1&total=true")).headers.get("x-total-count")
    if total != str(len(rows)):
        problems.append(f"the total is {total}, the films are {len(rows)}")
    return problems


async def repeat_requests(client, ledger, most=200):
    """Repeats requests with an `Idempotency-Key`. Acknowledged ones must get the first response; those without a
    response are done now, once."""
    problems, repeated = [], 0
    keyed = [o for o in ledger.operations if o.key]
    done = [o for o in keyed if o.outcome == DONE]
    for operation in done[-most:]:
        method, path, body, headers = operation.request
        again = await client.request(method, path, body, headers | {"Idempotency-Key": operation.key})
        repeated += 1
        if (again.status, again.body) != (operation.answer.status, operation.answer.body):
            problems.append(f"operation {operation.number} repeated: {again}, the first time {operation.answer}")
    for operation in keyed:
        if operation.outcome == PENDING:
            method, path, body, headers = operation.request
            answer = await client.request(method, path, body, headers | {"Idempotency-Key": operation.key})
            repeated += 1
            if answer.status < 300:
                ledger.done(operation, answer)
            elif path.endswith("/undo") and answer.status in (404, 409):
                ledger.refused(operation)
            else:
                problems.append(f"operation {operation.number} repeated: {answer}")
    return problems, repeated

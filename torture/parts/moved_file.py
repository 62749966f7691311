"""The file of the database is removed, renamed or replaced under the running service; a second service starts on it."""

import asyncio
import os

from lib.client import Client, Unanswered
from lib.databases import check_sqlite
from lib.ledger import Ledger, check_collection
from lib.load import Load
from lib.processes import Failure, Scope, Service
from lib.report import count

DATABASES = ["sqlite"]


async def is_ready(service):
    async with Client(service.port, seconds=5) as client:
        try:
            return (await client.get("/health/ready")).status == 200
        except Unanswered:
            return False


async def written(service, token, ledger, seed, seconds):
    load = Load(ledger, token, [service.port], seed, 20, {"create": 3, "patch": 1, "batch": 1})
    before = ledger.acknowledged()
    await load.run(8, seconds)
    return ledger.acknowledged() - before


def moved(given, report, how):
    """Writes acknowledged after the fault must be in the file with the name; earlier ones in the served file."""
    with Scope() as scope:
        folder = scope.make_folder("data")
        path = folder / "films.db"
        service = Service(scope, given.binary, f"sqlite:{path}").start()
        token, ledger, problems = service.make_token(), Ledger(), []
        before = asyncio.run(written(service, token, ledger, 51, 1))
        other = scope.folder / "other.db"
        Service(scope, given.binary, f"sqlite:{other}").cli("migrate")
        if how == "removed":
            path.unlink()
        elif how == "renamed":
            path.rename(folder / "films-old.db")
        elif how == "replaced by rename":
            os.replace(other, path)
        after = asyncio.run(written(service, token, ledger, 52, 3))
        if after:
            problems.append(f"{after} writes were acknowledged that are not in the file")
        if asyncio.run(is_ready(service)):
            problems.append("/health/ready says 200")
        service.process.terminate()
        service.process.wait(60)
        if how != "removed" and path.exists():
            problems += check_sqlite(path)
        figures = f"{before} acknowledged before, {after} after ({count(ledger.statuses)})"
        report.row("sqlite", f"file {how}", figures, problems)


def second_service(given, report, rows):
    """It must be rejected with the name of the first one; and an import of the first one must be complete."""
    with Scope() as scope:
        folder = scope.make_folder("data")
        service = Service(scope, given.binary, f"sqlite:{folder}/films.db").start()
        token, ledger, problems = service.make_token(), Ledger(), []
        second = Service(scope, given.binary, service.database, "second")

        async def both():
            load = Load(ledger, token, [service.port], 53, 60)
            async with Client(service.port, token, seconds=120) as client:
                lines = ["title,movieFormat,length,releaseYear,rating"]
                lines += [f"imported {n},DVD,100,2000,3" for n in range(rows)]
                states = {f"imported {n}": (f"imported {n}", "DVD", 100, 2000, 3) for n in range(rows)}
                operation = ledger.begin(states)
                task = asyncio.create_task(client.import_csv("\n".join(lines) + "\n"))
                writers = asyncio.create_task(load.run(8, 5))
                await asyncio.sleep(1)
                second.launch()
                await writers
                ledger.settle(operation, await task)
                await asyncio.sleep(1)
                return await check_collection(client, ledger)

        problems += asyncio.run(both())
        if second.process.poll() is None:
            problems.append("a second service serves the same file")
            second.kill()
        elif second.process.returncode == 0:
            problems.append("the second service ended with status 0")
        for command in ("user", "list"), ("backup", scope.folder / "beside.backup"):
            if service.cli(*command, check=False).returncode != 0:
                problems.append(f"{command[0]} does not run beside the service")
        service.kill()  # a lock that survives its process would block the next one
        try:
            service.start()
        except Failure as failure:
            problems.append(f"after kill -9: {failure}")
        else:
            problems += service.stop()
        problems += check_sqlite(folder / "films.db")
        said = second.said().strip().splitlines()[-1:]
        figures = f"{rows} rows imported meanwhile, {ledger.acknowledged()} acknowledged; the second said {said}"
        report.row("sqlite", "second service", figures, problems)


def main(given, report, databases):
    for how in "removed", "renamed", "replaced by rename":
        moved(given, report, how)
    second_service(given, report, 5_000 if given.short else 60_000)

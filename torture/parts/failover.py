"""The primary is killed or cut off from the network, and its synchronous standby is promoted at once. The service
has both in its address and must work again within 10 seconds; a new instance must be able to start."""

import asyncio
import time

from lib.client import Client, Unanswered, await_back
from lib.ledger import DONE, Ledger, check_collection, repeat_requests
from lib.load import Load
from lib.network import THERE, OtherMachine
from lib.postgres import Cluster, programs
from lib.processes import Failure, Scope, Service, wait_until
from lib.report import count
from parts.postgres_faults import Stage, stands_still

BACK_SECONDS = 10
WRITERS = 32


def start_pair(scope):
    """A primary on another machine, and a standby on this one that each commit waits for."""
    machine = OtherMachine(scope)
    primary = Cluster(scope, "primary", THERE, THERE, machine.command).create()
    primary.start({"synchronous_standby_names": "standby", "synchronous_commit": "on"})
    standby = Cluster(scope, "standby").copy_of(primary)
    # No standby of its own, so that it accepts writes after the promotion.
    standby.start({"wal_receiver_timeout": "3s"})
    state = lambda: primary.psql("SELECT sync_state FROM pg_stat_replication") == "sync"
    wait_until(30, state, "the standby is synchronous")
    return machine, primary, standby


async def lose(service, token, ledger, strike, seconds):
    """Writes, loses the primary in between, and writes for some more seconds after the service is back."""
    load = Load(ledger, token, [service.port], seed=31, seconds=seconds)

    async def middle():
        await asyncio.sleep(3)
        struck = time.monotonic()
        await asyncio.to_thread(strike)
        promotion = time.monotonic() - struck
        back = await await_back(service.port, token, seconds)
        await asyncio.sleep(3)
        load.until.set()
        return promotion, back, first_write(ledger, struck + promotion)

    _, result = await asyncio.gather(load.run(WRITERS), middle())
    return load, result


def first_write(ledger, promoted):
    """Seconds from the promotion to the first acknowledgement of a write that was sent after it."""
    times = [o.ended for o in ledger.operations if o.begun > promoted and o.outcome == DONE]
    return min(times) - promoted if times else None


async def check(service, token, ledger):
    async with Client(service.port, token, seconds=30) as client:
        problems = await check_collection(client, ledger)
        repeated, times = await repeat_requests(client, ledger)
        return problems + repeated + await check_collection(client, ledger), times


def case(given, report, how, seconds):
    with Scope() as scope:
        machine, primary, standby = start_pair(scope)
        hosts = f"{primary.host}:{primary.port},127.0.0.1:{standby.port}"
        address = primary.address(host=hosts) + "?target_session_attrs=read-write"
        service = Service(scope, given.binary, address).start()
        token = service.make_token()
        ledger, problems = Ledger(), []

        def strike():
            primary.kill() if how == "kill -9" else machine.cut_off()
            standby.run(programs() / "pg_ctl", "promote", "-D", standby.data, "-w", "-t", "30")

        load, (promotion, back, written) = asyncio.run(lose(service, token, ledger, strike, seconds))
        for what, when in ("reads", back), ("writes", written):
            if when is None or when > BACK_SECONDS:
                problems.append(f"{what}: back after {when and round(when, 1)} s, promised are {BACK_SECONDS}")
        problems += [f"an answer: {answer}" for answer in load.failed]
        times = 0
        if back is not None:
            try:
                found, times = asyncio.run(check(service, token, ledger))
                problems += found
            except Unanswered as error:
                problems.append(f"afterwards: {error}")
        begun = time.monotonic()
        try:
            fresh = Service(scope, given.binary, address, "fresh").start(BACK_SECONDS + 10)
            fresh_seconds = time.monotonic() - begun
            problems += fresh.stop()
        except Failure as failure:
            fresh_seconds = None
            problems.append(f"a fresh instance: {failure}")
        problems += service.stop()
        shown = lambda value: "never" if value is None else f"{value:.1f} s"
        figures = (f"promoted in {promotion:.1f} s, reads back {shown(back)}, writes {shown(written)}, fresh start "
                   f"{shown(fresh_seconds)}; {ledger.acknowledged()} acknowledged, {len(load.unanswered)} unanswered, "
                   f"{times} repeated ({count(ledger.statuses)})")
        report.row("postgres", f"primary {how}", figures, problems)


def unreachable(given, report, seconds):
    """All packets are lost silently for a while, without a promotion."""
    with Scope() as scope:
        machine = OtherMachine(scope)
        stage = Stage(scope, given, Cluster(scope, "primary", THERE, THERE, machine.command).create().start())
        stage.start()

        def reconnect():
            # A session in a transaction would keep its locks. One that had just connected is idle and has none.
            sql = "SELECT state, query FROM pg_stat_activity WHERE application_name = 'reelshelf' AND state <> 'idle'"
            if left := stage.cluster.psql(sql).splitlines():
                stage.problems.append(f"the server keeps {len(left)} transactions of a client that is gone: {left}")
            machine.reconnect()

        figures = asyncio.run(stands_still(stage, machine.cut_off, reconnect, seconds))
        stage.end(report, "packets lost, and back", figures)


DATABASES = ["postgres"]


def main(given, report, databases):
    unreachable(given, report, 13 if given.short else 30)
    rounds = 1 if given.short else 3
    for _ in range(rounds):
        for how in "kill -9", "cut off":
            case(given, report, how, 25)

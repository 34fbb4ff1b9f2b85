"""One run: cause the planned faults, wait for recovery, and check the record of every execution."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import Any, Final

from cache.decimal_json import loads
from journal.dsn import open_journal
from journal.errors import JournalError
from journal.verify import problems
from tests.faults import check
from tests.faults.executions import Execution, of_ledger, of_log
from tests.faults.fault_actions import FaultActions
from tests.faults.fleet import POLL, Fleet
from tests.faults.plan import Fault, Plan
from tests.faults.reader import Reader
from tests.faults.result import Healed, Result

STARTED_WITHIN = 20.0  # seconds
OUTSIDE = 4.0  # seconds between two trades that the account makes beside the bot
POLLS: Final = "this worker polls"  # the reason of the lease's part in /health, at the worker that holds it
NO_ANSWER: Final = {"cursor": None, "trades": ()}
OFFLINE_AFTER = 4 * POLL + 3.0  # seconds after which readers must have received that a dead bot is offline


class Run:
    """Run one plan on a fleet and its readers."""

    def __init__(
        self, plan: Plan, fleet: Fleet, readers: Sequence[Reader], actions: FaultActions | None = None
    ) -> None:
        self.plan, self.fleet, self.readers = plan, fleet, readers
        self.result = Result(plan)
        self._actions = actions or FaultActions(fleet, readers)
        self._lasting: set[asyncio.Task[None]] = set()
        self._watching: set[asyncio.Task[None]] = set()
        self._outside = 0

    async def carry_out(self) -> Result:
        """Cause the faults, finish the trades, wait for recovery and quiet, check, and return the result."""
        begun = time.monotonic()
        trading = [asyncio.create_task(self._trade_outside()), asyncio.create_task(self._keep_trading())]
        for fault in self.plan.schedule:
            await self._start_fault(fault)
        await asyncio.gather(*self._lasting)
        await self.fleet.heal()
        await self._finish_trades()
        for task in trading:
            task.cancel()
        await self.fleet.configure_bot(rate=0.0)
        await self._quiet()
        await asyncio.gather(*self._watching)
        await self._check()
        self.result.seconds = time.monotonic() - begun
        return self.result

    async def _keep_trading(self) -> None:
        rate = self.plan.rate or self._rate()
        while True:
            if self.plan.hosts == 1:
                self.fleet.restart_exited()
            await self.fleet.configure_bot(rate=rate)  # again and again: a bot that was killed has forgotten it
            await asyncio.sleep(0.5)

    def _rate(self) -> float:
        bursts = sum(self.plan.burst for fault in self.plan.schedule if fault.kind == "burst")
        length = sum(fault.seconds + fault.pause for fault in self.plan.schedule) + 1
        return min(80.0, max(5.0, (self.plan.trades - bursts) / length))

    async def _start_fault(self, fault: Fault) -> None:
        task = asyncio.create_task(self._run_fault(fault))
        self._lasting.add(task)
        task.add_done_callback(self._lasting.discard)
        if not fault.overlaps:
            await task
            if not self._lasting:
                await self._wait_for_starts()
        await asyncio.sleep(fault.pause)

    async def _wait_for_starts(self) -> None:
        """Wait for workers that are starting, so that on a busy machine too the next fault strikes what serves."""

        async def both_serve() -> bool:
            return all([await self.fleet.health(place) for place in (0, 1)])

        with contextlib.suppress(AssertionError):  # as after a fault of the journal
            await self.fleet.until(both_serve, STARTED_WITHIN, "both workers serve")

    async def _run_fault(self, fault: Fault) -> None:
        alone = len(self._lasting) == 1 and not self._watching  # else the leader may be down as well
        async with self._actions.in_force(fault):
            await asyncio.sleep(fault.seconds)
            if alone and fault.kind in ("bot killed", "bot frozen", "bot cut") and fault.seconds > OFFLINE_AFTER:
                self._expect_offline(fault)
        over = time.monotonic()
        done = await asyncio.to_thread(self._executed)
        watch = asyncio.create_task(self._await_recovery(fault, over, done))
        self._watching.add(watch)
        watch.add_done_callback(self._watching.discard)

    def _expect_offline(self, fault: Fault) -> None:
        if not any(reader.status in ("offline", "stalled") for reader in self.readers):
            self.result.find("wrong status", "fleet", f"online after {fault.seconds} s of {fault.kind}")

    def _executed(self) -> int:
        """Return the number of executions with a received answer."""
        return len(of_log(self.fleet.bot_log)) + self._outside

    async def _await_recovery(self, fault: Fault, over: float, done: int) -> None:
        """Wait until every reader that is not paused has all trades executed before the end of the fault."""
        while time.monotonic() - over < self.plan.patience:
            if all(reader.trades >= done for reader in self.readers if not reader.slow):
                self.result.healed.append(Healed(fault, time.monotonic() - over))
                return
            if self.plan.paper and self.result.quiet:
                return  # a paper bot that lost trades cannot report them: a gap is announced instead
            await asyncio.sleep(0.05)
        if not self.plan.paper:
            self.result.find(
                "not healed", "fleet", f"{fault.kind}: some reader lacks trades after {self.plan.patience:g} s"
            )

    async def _trade_outside(self) -> None:
        """Trade on the account beside the bot now and then."""
        while not self.plan.paper:
            await asyncio.sleep(OUTSIDE)
            self._outside += await self.fleet.trade_outside()

    async def _finish_trades(self) -> None:
        """Make the trades that the schedule left no time for."""

        async def traded() -> bool:
            output = await self.fleet.configure_bot()  # nothing while it is still starting
            if output and not output["bursting"] and output["number"] < self.plan.trades:
                await self.fleet.configure_bot(burst=self.plan.trades - output["number"])
                return False
            return bool(output) and not output["bursting"]

        await self.fleet.until(traded, 300, f"{self.plan.trades} trades")

    async def _quiet(self) -> None:
        """Wait until one worker polls, every reader is at the journal's head, no gap is open, and no head moves.

        The lease of a killed worker can be taken only after it has expired, so this may take that long.
        """
        before, since, needed = -1, time.monotonic(), 0.0
        deadline = since + self.plan.patience
        while time.monotonic() < deadline:
            found = [await self.fleet.health(place) for place in (0, 1)]
            heads = {health["journal"]["seq"] for health in found if health}
            places = {reader.position for reader in self.readers}
            gaps = sum(health["parts"]["healer"].get("open", 0) for health in found if health)
            polls = [health["parts"]["lease"]["reason"] for health in found if health].count(POLLS) == 1
            level = all(found) and polls and len(heads) == 1 and places == heads and not gaps
            if not level or heads != {before}:
                before, since = (heads.pop() if level else -1), time.monotonic()
                needed = await self._quiet_seconds() if level else 0.0
            elif time.monotonic() - since > needed:
                break
            await asyncio.sleep(0.25)
        else:
            self.result.find("not healed", "fleet", f"heads {heads}, readers at {places}, {gaps} gaps open")
        self.result.quiet = True

    async def _quiet_seconds(self) -> float:
        # the next read of the fills may still find a trade, so wait for one full interval of it
        executed = 0 if self.plan.paper else len(await self._executions())
        complete = min(reader.trades for reader in self.readers) >= executed
        return 3.0 if complete else min(33.0, self.plan.patience / 2)

    async def _check(self) -> None:
        holders = [health["parts"]["lease"]["reason"] for place in (0, 1) if (health := await self.fleet.health(place))]
        if holders.count(POLLS) != 1:
            self.result.find("wrong status", "fleet", f"expected one worker that polls, got {holders}")
        entries, head = await self._read_journal()
        self.result.entries = len(entries)
        executions = await self._executions()
        self.result.executed = len(executions)
        histories = [
            check.History(each.name, each.first, each.history, each.findings, each.status, each.state)
            for each in self.readers
        ]
        self.result.take(check.check(executions, entries, histories, healable=not self.plan.paper))
        for place, worker in enumerate(self.fleet.workers):
            answer = await self.fleet.read(place, f"/portfolio/trades/live?limit={check.LIVE}")
            self.result.verdict.findings += check.check_live(worker.name, answer or NO_ANSWER, entries, head)
        self.result.received = sum(len(each.history) for each in self.readers)
        self.result.connections = sum(len(each.opened) for each in self.readers)

    async def _executions(self) -> list[Execution]:
        if self.plan.paper:
            return of_log(self.fleet.bot_log)
        return of_ledger((await self.fleet.control("GET", "/ledger"))["fills"])

    async def _read_journal(self) -> tuple[list[dict[str, Any]], str]:
        """Return the bodies of the journal's entries, verified, and its head's cursor.

        An unreadable journal is a finding of kind lost.
        """
        journal = open_journal(self.fleet.journal_url, create=False)
        entries: list[dict[str, Any]] = []
        head = ""
        try:
            await journal.open()
            while page := await journal.read(len(entries), 1000):
                entries += [{**loads(entry.body), "kind": entry.kind} for entry in page]
            head = str(await journal.read_head())
            async for problem in problems(journal):
                self.result.find("lost", "journal", problem)
        except JournalError as error:
            self.result.find("lost", "journal", str(error))
        finally:
            await journal.close()
        return entries, head

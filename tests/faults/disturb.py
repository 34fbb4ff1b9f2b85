"""One run: disturbs the fleet as planned, lets it heal, and asks what became of every execution."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final

from cache.decimal_json import loads
from journal.dsn import open_journal
from journal.errors import JournalError
from journal.verify import problems
from tests.faults import check
from tests.faults.deeds import Deeds
from tests.faults.fleet import POLL, Fleet
from tests.faults.plan import Fault, Plan
from tests.faults.reader import Reader
from tests.faults.result import Healed, Result
from tests.faults.truth import Execution, of_ledger, of_log

OUTSIDE = 4.0  # seconds between two trades that the account makes beside the bot
POLLS: Final = "this worker polls"  # the reason of the lease's part in /health, at the worker that holds it
OFFLINE_AFTER = 4 * POLL + 3.0  # seconds after which a dead bot must be told of


class Run:
    """One plan carried out."""

    def __init__(self, plan: Plan, fleet: Fleet, readers: Sequence[Reader], deeds: Deeds | None = None) -> None:
        self.plan, self.fleet, self.readers = plan, fleet, readers
        self.result = Result(plan)
        self._deeds = deeds or Deeds(fleet, readers)
        self._lasting: set[asyncio.Task[None]] = set()
        self._watching: set[asyncio.Task[None]] = set()
        self._outside = 0

    async def carry_out(self) -> Result:
        """Faults, the rest of the trades, healing, quiet, judgement."""
        begun = time.monotonic()
        trading = [asyncio.create_task(self._trade_outside()), asyncio.create_task(self._keep_trading())]
        for fault in self.plan.schedule:
            await self._suffer(fault)
        await asyncio.gather(*self._lasting)
        await self.fleet.heal()
        await self._rest()
        for task in trading:
            task.cancel()
        await self.fleet.tell_bot(rate=0.0)
        await self._quiet()
        await asyncio.gather(*self._watching)
        await self._judge()
        self.result.seconds = time.monotonic() - begun
        return self.result

    async def _keep_trading(self) -> None:
        rate = self.plan.rate or self._rate()
        while True:
            await self.fleet.tell_bot(rate=rate)  # again and again: a bot that was killed has forgotten it
            await asyncio.sleep(0.5)

    def _rate(self) -> float:
        bursts = sum(self.plan.burst for fault in self.plan.schedule if fault.kind == "burst")
        length = sum(fault.seconds + fault.pause for fault in self.plan.schedule) + 1
        return min(80.0, max(5.0, (self.plan.trades - bursts) / length))

    async def _suffer(self, fault: Fault) -> None:
        task = asyncio.create_task(self._last(fault))
        self._lasting.add(task)
        task.add_done_callback(self._lasting.discard)
        if not fault.overlaps:
            await task
        await asyncio.sleep(fault.pause)

    async def _last(self, fault: Fault) -> None:
        alone = len(self._lasting) == 1 and not self._watching  # else the one that polls may be away as well
        async with self._deeds.done(fault):
            await asyncio.sleep(fault.seconds)
            if alone and fault.kind in ("bot killed", "bot frozen", "bot cut") and fault.seconds > OFFLINE_AFTER:
                self._must_say_offline(fault)
        over = time.monotonic()
        done = await asyncio.to_thread(self._known)
        watch = asyncio.create_task(self._healing(fault, over, done))
        self._watching.add(watch)
        watch.add_done_callback(self._watching.discard)

    def _must_say_offline(self, fault: Fault) -> None:
        if not any(reader.status in ("offline", "stalled") for reader in self.readers):
            self.result.find("wrong status", "fleet", f"online after {fault.seconds} s of {fault.kind}")

    def _known(self) -> int:
        """Return the number of executions with a received answer."""
        return len(of_log(self.fleet.bot_log)) + self._outside

    async def _healing(self, fault: Fault, over: float, done: int) -> None:
        """Until every reader that takes what it is sent has all that had been executed when the fault was over."""
        while time.monotonic() - over < self.plan.patience:
            if all(reader.trades >= done for reader in self.readers if not reader.slow):
                self.result.healed.append(Healed(fault, time.monotonic() - over))
                return
            if self.plan.paper and self.result.quiet:
                return  # what a paper bot forgot is announced and never comes
            await asyncio.sleep(0.05)
        if not self.plan.paper:
            self.result.find(
                "not healed", "fleet", f"{fault.kind}: some reader lacks trades after {self.plan.patience:g} s"
            )

    async def _trade_outside(self) -> None:
        """The account also trades by hand."""
        while not self.plan.paper:
            await asyncio.sleep(OUTSIDE)
            count = f"{20_000 + self._outside}.00"
            order = {"ticker": self.fleet.tickers[0], "side": "bid", "count": count, "price": "0.40"}
            await self.fleet.control("POST", "/fill", order)
            self._outside += 1

    async def _rest(self) -> None:
        """The trades that the schedule had no time for."""

        async def traded() -> bool:
            output = await self.fleet.tell_bot()  # nothing while it is still starting
            if output and not output["bursting"] and output["number"] < self.plan.trades:
                await self.fleet.tell_bot(burst=self.plan.trades - output["number"])
                return False
            return bool(output) and not output["bursting"]

        await self.fleet.until(traded, 300, f"{self.plan.trades} trades")

    async def _quiet(self) -> None:
        """Until one polls, every reader has the journal's head, nothing is open, and all stand still for a while.

        A lease that a killed worker left takes its term to be taken over: nothing is quiet before that.
        """
        before, since = -1, time.monotonic()
        deadline = since + self.plan.patience
        while time.monotonic() < deadline:
            found = [await self.fleet.health(place) for place in (0, 1)]
            heads = {health["journal"]["seq"] for health in found if health}
            places = {reader.position for reader in self.readers}
            holes = sum(health["parts"]["healer"].get("open", 0) for health in found if health)
            polls = [health["parts"]["lease"]["reason"] for health in found if health].count(POLLS) == 1
            level = all(found) and polls and len(heads) == 1 and places == heads and not holes
            if not level or heads != {before}:
                before, since = (heads.pop() if level else -1), time.monotonic()
            elif time.monotonic() - since > self._patience():
                break
            await asyncio.sleep(0.25)
        else:
            self.result.find("not healed", "fleet", f"heads {heads}, readers at {places}, {holes} holes open")
        self.result.quiet = True

    def _patience(self) -> float:
        # a sweep may still find something: what is lost for certain shows after one whole quiet pace
        whole = self.plan.paper or min(reader.trades for reader in self.readers) >= self._known()
        return 3.0 if whole else min(33.0, self.plan.patience / 2)

    async def _judge(self) -> None:
        holders = [health["parts"]["lease"]["reason"] for place in (0, 1) if (health := await self.fleet.health(place))]
        if holders.count(POLLS) != 1:
            self.result.find("wrong status", "fleet", f"who polls? {holders}")
        entries = await self._read_journal()
        self.result.entries = len(entries)
        truth = await self._truth()
        self.result.executed = len(truth)
        histories = [
            check.History(each.name, each.first, each.history, each.findings, each.status, each.state)
            for each in self.readers
        ]
        self.result.take(check.check(truth, entries, histories, healable=not self.plan.paper))
        self.result.told = sum(len(each.history) for each in self.readers)
        self.result.connections = sum(len(each.opened) for each in self.readers)

    async def _truth(self) -> list[Execution]:
        if self.plan.paper:
            return of_log(self.fleet.bot_log)
        return of_ledger((await self.fleet.control("GET", "/ledger"))["fills"])

    async def _read_journal(self) -> list[dict[str, Any]]:
        """Return the journal's bodies, verified. One that cannot be read has lost everything."""
        journal = open_journal(self.fleet.journal_url, create=False)
        entries: list[dict[str, Any]] = []
        try:
            await journal.open()
            while page := await journal.read(len(entries), 1000):
                entries += [{**loads(entry.body), "kind": entry.kind} for entry in page]
            async for problem in problems(journal):
                self.result.find("lost", "journal", problem)
        except JournalError as error:
            self.result.find("lost", "journal", str(error))
        finally:
            await journal.close()
        return entries

"""The ledgers of the journal, one for each mode, kept up entry by entry in every worker."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Sequence
from copy import copy
from decimal import Decimal
from typing import Any, Final

from cache.decimal_json import loads
from cluster.component_health import ComponentHealth
from journal import entry_store
from journal.base import Journal
from journal.entries import Entry, Mode
from journal.entry_store import Query
from journal.errors import JournalError
from ledger import checkpoint
from ledger.account_ledger import AccountLedger, CashFlows
from ledger.amounts import ZERO
from ledger.reconcile import RecentFlow
from ledger.records import RecordError

log = logging.getLogger(__name__)

PAGE: Final = 500
SLICE: Final = 40  # entries added between two turns of the event loop: about 1.5 ms
REMEMBERED: Final = 300.0  # seconds of flows that comparisons with the exchange can look back on
MOST_FLOWS: Final = 20_000
CHECKPOINT_EVERY: Final = 20_000  # entries, which a start adds within a second
RETRY: Final = 1.0  # seconds after a journal that cannot be read


class JournalLedgers:
    """Follow the journal from its first entry. A listener of the JournalTailer; run() does the work.

    Profit follows time and not arrival, so the market of a late entry or a correction is read again from the journal.
    A checkpoint in the journal holds the ledgers as of one entry; a start continues from it if that entry is still
    there.
    """

    def __init__(self, journal: Journal, health: ComponentHealth, checkpoint_every: int = CHECKPOINT_EVERY) -> None:
        self.journal, self.health, self._checkpoint_every = journal, health, checkpoint_every
        self._news = asyncio.Event()
        self._restart()

    def _restart(self) -> None:
        """Begin again: all mutable state."""
        self._epoch = self.journal.epoch
        self.ledgers: dict[Mode, AccountLedger] = {}
        self.position = 0  # seq of the last entry that is added
        self.head = 0  # seq of the last entry that exists, as far as known
        self.ready = False  # True once every entry up to the head has been added
        self._checksum = ""  # of the last entry that is added
        self._stored = 0  # seq of the last entry in the checkpoint
        self.latest_mode: Mode | None = None  # of the last entry that is not paper
        self._recent: deque[tuple[Mode, RecentFlow]] = deque(maxlen=MOST_FLOWS)
        self._corrected: list[tuple[Mode, int]] = []  # seqs of trades whose market must be read again
        self._late: dict[tuple[Mode, str], Decimal] = {}  # time of the newest entry that waits for a replay
        self._refusal = ""

    def offer(self, entries: Sequence[Entry]) -> None:
        """Note that entries exist; they are read from the journal."""
        self.head = max(self.head, entries[-1].seq)
        self._news.set()

    def wake(self) -> None:
        self._news.set()

    def account(self) -> AccountLedger | None:
        """Return the ledger of the account on the exchange: that of the last mode that is not paper."""
        return self.ledgers.get(self.latest_mode) if self.latest_mode else None

    def is_traded(self, ticker: str) -> bool:
        """Return True for a market in which the account has traded, and while entries wait that may be such a trade."""
        ledger = self.account()
        waiting = not self.ready or self.position < self.head
        return waiting or (ledger is not None and ticker in ledger.books)

    def recent(self) -> list[RecentFlow]:
        """Return what the account's entries of the last minutes moved."""
        return [flow for mode, flow in self._recent if mode == self.latest_mode]

    async def run(self) -> None:
        """Add the entries that exist and then every new one."""
        while True:
            self._news.clear()
            try:
                await self.catch_up()
                await self._news.wait()
            except JournalError as error:
                self.health.fail(str(error))
                await asyncio.sleep(RETRY)

    async def catch_up(self) -> None:
        """Add every entry that exists. Raises JournalError."""
        if self._epoch != self.journal.epoch:
            self._restart()
        if not self.position:
            await self._restore()
        while entries := await self.journal.read(self.position, PAGE):
            oldest = Decimal(self.health.clock() - REMEMBERED)
            for place, entry in enumerate(entries, 1):
                self._add(entry, entry.timestamp > oldest)
                if place % SLICE == 0:
                    await asyncio.sleep(0)
            await self._put_in_order()
            self.head = max(self.head, self.position)
            if len(entries) < PAGE:
                break
        self.ready = True
        if refused := self.health.counters["refused"]:
            self.health.fail(f"{refused} entries cannot be counted; the last one: {self._refusal}")
        else:
            self.health.succeed()
        if self.position - self._stored >= self._checkpoint_every:
            await self._store()

    async def _restore(self) -> None:
        """Continue from the checkpoint of this journal; without one that can be used nothing happens."""
        epoch, _, text = (await self.journal.checkpoint()).partition(" ")
        if epoch != self._epoch:
            return
        try:
            seq, checksum, ledgers, recent, latest_mode, refused = await asyncio.to_thread(checkpoint.load, text)
        except ValueError as error:
            log.info("the stored ledgers cannot be used (%s); every entry is added up again", error)
            return
        if await self.journal.view(entry_store.checksum(seq)) == checksum:
            self.position = self._stored = seq
            self._checksum, self.ledgers, self.latest_mode = checksum, ledgers, latest_mode
            self._recent.extend(recent)
            self.health.counters["refused"], self._refusal = refused

    async def _store(self) -> None:
        """Store the ledgers as a checkpoint. After a failure the next one is stored as many entries later."""
        self._stored = self.position
        refused = self.health.counters["refused"], self._refusal
        state = (self.position, self._checksum, self.ledgers, list(self._recent), self.latest_mode, refused)
        chunks = []
        for chunk in checkpoint.chunks(state):  # no entry is added meanwhile
            chunks.append(chunk)
            await asyncio.sleep(0)
        text = checkpoint.joined(chunks)
        try:
            await self.journal.store_checkpoint(f"{self._epoch} {text}")
        except JournalError as error:
            log.info("the ledgers are not stored (%s); the next start adds up more entries", error)

    def _add(self, entry: Entry, is_recent: bool) -> None:
        self.position, self._checksum = entry.seq, entry.checksum
        if entry.kind == "gap":
            return
        body = loads(entry.body)
        mode: Mode = body["mode"]
        ledger = self.ledgers.get(mode)
        if ledger is None:
            ledger = self.ledgers[mode] = AccountLedger()
        if mode != "paper":
            self.latest_mode = mode
        before = _figures(ledger, entry.ticker) if is_recent else None
        try:
            ledger.apply(entry.kind, body)
        except RecordError as error:
            self.health.counters["refused"] += 1
            self._refusal = str(error)
            return
        if entry.ticker in ledger.unordered:
            late = self._late.get((mode, entry.ticker), entry.timestamp)
            self._late[mode, entry.ticker] = max(late, entry.timestamp)
        if entry.kind == "correction":
            self._corrected.append((mode, ledger.corrected_by.get(entry.seq, 0)))
        if before is not None:
            self._remember(mode, entry.timestamp, entry.ticker, before)

    async def _put_in_order(self) -> None:
        """Read the markets of late entries and corrections again."""
        for mode, seq in self._corrected:
            originals = await self.journal.read(seq - 1, 1) if seq else []
            if originals and originals[0].seq == seq:
                self.ledgers[mode].unordered.add(originals[0].ticker)
        self._corrected.clear()
        for mode, ledger in self.ledgers.items():
            for ticker in sorted(ledger.unordered):
                entries = await self._of_ticker(mode, ticker)
                before = _figures(ledger, ticker)
                ledger.replay(ticker, entries)
                self._remember(mode, self._late.pop((mode, ticker), ZERO), ticker, before)

    async def _of_ticker(self, mode: Mode, ticker: str) -> list[tuple[str, dict[str, Any]]]:
        """Return kind and body of every entry of a market up to our position, without those that were refused."""
        found: list[tuple[str, dict[str, Any]]] = []
        async for entry in market_entries(self.journal, ticker):
            body = loads(entry.body)
            if entry.seq <= self.position and body.get("mode") == mode and _readable(entry.kind, body):
                found.append((entry.kind, body))
        return found

    def _remember(self, mode: Mode, at: Decimal, ticker: str, before: tuple[CashFlows, Decimal]) -> None:
        flows, quantity = _figures(self.ledgers[mode], ticker)
        if (flows, quantity) != before and mode != "paper":  # nothing compares paper with the exchange
            self._recent.append((mode, RecentFlow(at, ticker, flows - before[0], quantity - before[1])))
        while self._recent and float(self._recent[0][1].timestamp) < self.health.clock() - REMEMBERED:
            self._recent.popleft()


def _figures(ledger: AccountLedger, ticker: str) -> tuple[CashFlows, Decimal]:
    book = ledger.books.get(ticker)
    return copy(ledger.flows), book.quantity if book is not None else ZERO


def _readable(kind: str, body: dict[str, Any]) -> bool:
    try:
        AccountLedger().apply(kind, body)
    except RecordError:
        return False
    return True


async def market_entries(journal: Journal, ticker: str) -> AsyncIterator[Entry]:
    """Yield every entry of a market, in pages between which other tasks run."""
    after = 0
    while page := await journal.history(Query(limit=PAGE, after=after, ticker=ticker)):
        for entry in page:
            yield entry
        after = page[-1].seq
        await asyncio.sleep(0)

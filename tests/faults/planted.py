"""Bugs that the checker must catch. Each is put into the product's code from outside, in the processes of one run."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

BUGS: dict[str, Callable[[], None]] = {}


def bug(plant: Callable[[], None]) -> Callable[[], None]:
    """A bug by its function's name; the docstring describes the mistake."""
    BUGS[plant.__name__.replace("_", " ")] = plant
    return plant


def put(owner: Any, **replacements: object) -> None:
    """Replace attributes of a module or a class."""
    for name, value in replacements.items():
        setattr(owner, name, value)


def plant(name: str) -> None:
    """Put the bug into this process."""
    BUGS[name]()


@bug
def no_dedupe() -> None:
    """The journal stores every report, also a second one of the same execution."""
    from journal import entry_store

    def nothing_known(*_: Any) -> Any:
        return {}, {}
        yield

    ids = itertools.count()
    put(entry_store, _known=nothing_known)
    original = entry_store.write_ids

    def write_ids(known: Any) -> Any:
        return original([replace(each, name=f"{each.name[:16]}{next(ids):016x}") for each in known])

    put(entry_store, write_ids=write_ids)


@bug
def publish_before_journal() -> None:
    """Entries are sent to readers before they are written, and the write then fails or comes second."""
    from cluster.leader import JournalWriter
    from journal import codec
    from journal.entries import Entry

    original = JournalWriter._record

    async def record(self: Any, drafts: Any, marks: Any) -> Any:
        if drafts and self.lease is not None:
            head = await self.journal.head()
            early = [
                Entry(seq, each.kind, each.timestamp, each.ticker, each.source, codec.body(each, seq))
                for seq, each in enumerate(drafts, head + 1)
            ]
            self.announce(early)
        return await original(self, drafts, marks)

    put(JournalWriter, _record=record)


@bug
def id_reuse() -> None:
    """A bot's trade is identified by its id alone, and a bot that restarts counts from 1 again."""
    from ingest import gaps
    from journal import fingerprint

    original = fingerprint.report_name

    def name(draft: Any) -> str:
        reported = draft.kind == "trade" and draft.source != "kalshi_api"
        return fingerprint._digest("bot", draft.trade_id) if reported else original(draft)

    put(fingerprint, report_name=name)
    put(fingerprint, content_digest=lambda draft: "")
    put(fingerprint, old_names=lambda draft: [])
    put(gaps, trade_digest=lambda trade: trade.trade_id)


@bug
def snapshot_race() -> None:
    """The position of a new stream is read first, and the stream joins the hub a little later."""
    from streams.hub import Hub

    original = Hub.join

    def join(self: Any, reader: Any) -> None:
        def late() -> None:
            if not reader.left and reader in self._open:
                reader.position = self.position
                original(self, reader)

        asyncio.get_running_loop().call_later(0.1, late)

    put(Hub, join=join)


@bug
def silent_drop() -> None:
    """A full queue drops events, and the stream goes on."""
    from streams.subscriber import SendQueue

    original = SendQueue.put_nowait

    def put_nowait(self: Any, item: Any) -> None:
        try:
            original(self, item)
        except asyncio.QueueFull:
            return

    put(SendQueue, put_nowait=put_nowait)


@bug
def heal_twice() -> None:
    """Each read of the fills takes every fill for a new execution."""
    from ingest import exchange_fills

    original = exchange_fills.trade_of
    ids = itertools.count()

    def trade_of(fill: Any, origin: Any, mode: Any) -> Any:
        found = original(fill, origin, mode)
        again = f"{found.fill_id}-{next(ids)}"
        return replace(found, trade_id=again, fill_id=again)

    put(exchange_fills, trade_of=trade_of)
    exchange_fills.FillReader.saved = lambda self, ids: None  # type: ignore[method-assign]


@bug
def cursor_off_by_one() -> None:
    """A replay begins one entry too late."""
    from streams.stream_body import StreamBody

    original = StreamBody._resume

    def resume(self: Any, cursor: Any) -> None:
        original(self, replace(cursor, seq=cursor.seq + 1) if cursor.seq < self.hub.position else cursor)

    put(StreamBody, _resume=resume)


@bug
def log_forgotten() -> None:
    """Replaced or deleted files of the journal go unnoticed."""
    from journal.sqlite import SqliteJournal

    put(SqliteJournal, _check_files=lambda self: None)


@bug
def lease_without_fencing() -> None:
    """A worker that lost the lease goes on polling and writing."""
    from journal import entry_store, lease

    def anybody(dialect: Any, *_: Any) -> Any:
        _, now = yield from lease._row(dialect)
        return now

    put(entry_store, check=anybody)
    put(lease, check=anybody)


@bug
def gap_forgotten() -> None:
    """A gap that cannot be filled is closed without an entry."""
    from ingest.backfill import Backfiller

    async def announce(self: Any, why: str) -> None:
        self._gaps.remove(list(self._gaps))

    put(Backfiller, _announce_gaps=announce)


@bug
def status_stuck() -> None:
    """The bot stays online for ever, also when polls fail."""
    from ingest.bot_status import BotStatus

    def failed(self: Any, trouble: str) -> None:
        self.failures += 1

    put(BotStatus, _fail=failed)


@bug
def window_only() -> None:
    """Trades that fell out between two polls go unnoticed: the overlap is not checked."""
    from ingest.gaps import PollOverlap

    put(PollOverlap, _broken=lambda self, keys, boot, numbers: "")


@bug
def first_report_shown() -> None:
    """The answer of trades/live has a trade as it was first reported, whatever corrected it."""
    from ingest.latest_trades import LatestTrades

    put(LatestTrades, _correct=lambda self, body: None)


@bug
def outage_unread() -> None:
    """Count as read all that was executed before the fill socket connected again."""
    from ingest.backfill import Backfiller

    original = Backfiller.wake

    def wake(self: Any) -> None:
        if self._known is not None:
            self._known = replace(self._known, fills=self.health.clock())
        original(self)

    put(Backfiller, wake=wake)


@bug
def older_backup_unnoticed() -> None:
    """The journal's head is not compared with the head read before."""
    from journal import base

    def unchecked(*_: Any) -> Any:
        return
        yield

    put(base, _check_history=unchecked)


@bug
def unread_skipped() -> None:
    """A record of the bot that cannot be read is skipped without a gap."""
    from ingest.trade_intake import UnreadRecords

    put(UnreadRecords, take=lambda self, report, now: "")


@bug
def correction_as_trade() -> None:
    """A trade that the bot reports again with another price becomes a second trade."""
    from journal import deduplication

    put(deduplication._BatchMatcher, _corrects=lambda self, draft: None)

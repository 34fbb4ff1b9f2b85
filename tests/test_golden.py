"""Golden files of version 0.1: its wire frames, ETags, identity digests and a journal on disk still mean the same."""

import json
import re
import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from cache.base import Answer
from journal.entries import Baseline, Draft, Gap, Head, Settlement, Trade
from journal.entry_store import Query
from journal.fingerprint import claim_name, counterpart_names, old_names, report_name
from journal.sqlite import SqliteJournal
from journal.verify import problems
from routes.responses import encode
from streams.event import entry_frames

GOLDEN = Path(__file__).parent / "golden"
START = Decimal("1790000000.123456")  # Unix seconds
POSITION = {
    "ticker": "KXA-26-T1", "quantity": Decimal(5), "cost": Decimal("2.5"), "average_price": Decimal("0.5"),
    "realized_pnl": Decimal(0), "fees": Decimal("0.35"),
}  # fmt: skip
DRAFTS: list[Draft] = [
    Baseline(START, [POSITION], "kalshi_api", "live"),
    Trade(
        START + 1, "KXA-26-T1", "BUY", Decimal(10), Decimal("0.6"), "t1", "bot_live", "live",
        fee=Decimal("0.1"), order_id="o1", boot_id="b1", fill_id="f1",
    ),
    Trade(START + 2, "KXA-26-T1", "SELL", Decimal("2.50"), Decimal("0.4"), "t2", "bot_live", "live", outcome="no"),
    Trade(
        START + 3, "KXB-26-T2", "BUY", Decimal(7), Decimal("0.0123"), "f3", "kalshi_api", "live",
        origin="account", fee=Decimal("0.0101"),
    ),
    Trade(START + 4, "KXB-26-T2", "BUY", Decimal(7), Decimal("0.33"), 'Ünï"code', "bot_live", "paper", boot_id="b2"),
    Trade(START + 5, "KXB-26-T2", "SELL", Decimal(1), Decimal("0.5"), "t5", "bot_live", "demo"),
    Settlement(
        START + 60, "KXA-26-T1", "KXA-26", "yes", Decimal(1), Decimal(15), Decimal(0), Decimal(15),
        Decimal("0.175"), "kalshi_api", "live",
    ),
    Gap(START + 70, START + 61, START + 69, "the bot was restarted"),
]  # fmt: skip
BALANCE = {
    "balance": Decimal("9990.97"), "portfolio_value_reported": Decimal("9.08"), "currency": "USD",
    "by_exchange_index": {"0": Decimal("9990.97")}, "marks_as_of": 1.5,
}  # fmt: skip


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    """A copy of the journal that version 0.1 wrote."""
    return Path(shutil.copy(GOLDEN / "journal-0.1.db", tmp_path / "journal.db"))


def test_the_digests_that_identify_a_report_have_not_changed() -> None:
    """Another digest would make an upgraded journal write each known trade again."""
    found = [
        {
            "name": next(iter(old_names(draft)), report_name(draft))
            if isinstance(draft, Trade)
            else report_name(draft),
            "claim": claim_name(draft),
            "counterparts": counterpart_names(draft) if isinstance(draft, Trade) else [],
        }
        for draft in DRAFTS
    ]
    assert found == json.loads((GOLDEN / "identity.json").read_text())


async def test_a_journal_of_version_0_1_opens_and_verifies(old_file: Path) -> None:
    """Every kind of entry of the old schema is read, in order, under the old epoch, and nothing is wrong with it."""
    journal = SqliteJournal(old_file)
    await journal.open()
    try:
        entries = await journal.read(0, 100)
        assert journal.epoch == "golden01"
        assert [(entry.seq, entry.kind) for entry in entries] == [
            (1, "baseline"), (2, "trade"), (3, "trade"), (4, "trade"), (5, "trade"), (6, "trade"),
            (7, "settlement"), (8, "gap"),
        ]  # fmt: skip
        # Since version 0.2 an id ends in a check: four hex digits of the entry's checksum. All else is as it was.
        frames = b"".join(entry_frames(entries, "golden01"))
        ids = re.compile(rb"^(id: golden01-\d+)-[0-9a-f]{4}$", re.MULTILINE)
        assert len(ids.findall(frames)) == frames.count(b"\nid: ")
        assert ids.sub(rb"\1", frames) == (GOLDEN / "frames.txt").read_bytes()
        assert [problem async for problem in problems(journal)] == []
        assert [entry.seq for entry in await journal.history(Query(ticker="KXB-26-T2", after=0))] == [4, 5, 6]
        assert await journal.marks() == {"bot": '{"boot":"b1"}', "holes": "[]"}
    finally:
        await journal.close()


async def test_an_upgraded_journal_knows_its_old_entries(old_file: Path) -> None:
    """Reports of executions that version 0.1 wrote are not written a second time."""
    journal = SqliteJournal(old_file)
    await journal.open()
    try:
        appended = await journal.append(DRAFTS)
        assert appended.entries == []
        assert appended.by_draft == [1, 2, 3, 4, 5, 6, 7, 8]
    finally:
        await journal.close()


@pytest.mark.parametrize(("stale", "which"), [(False, "fresh"), (True, "stale")])
def test_an_etag_has_not_changed(stale: bool, which: str) -> None:
    """The same data keeps the ETag that version 0.1 gave it, so that browsers' copies stay valid."""
    answer = Answer(BALANCE, "kalshi_api", 1790000000.5, stale)
    assert encode(answer, b"no-store").etag.decode() == json.loads((GOLDEN / "etags.json").read_text())[which]


@pytest.mark.parametrize("page", [1, 3, 1000])
async def test_old_entries_get_checksums_and_can_be_corrected(
    old_file: Path, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The upgrade chains every entry, page by page, always to the same checksum, and names each trade of the bot."""
    monkeypatch.setattr("journal.schema._PAGE", page)
    journal = SqliteJournal(old_file)
    await journal.open()
    try:
        assert await journal.read_head() == Head("golden01", 8, "d6ee4b1f5b257539")
        assert await journal.verify(0, 100) == 8
        second = DRAFTS[1]
        assert isinstance(second, Trade)
        corrected = await journal.append([replace(second, price=Decimal("0.61"))])
        assert corrected.by_draft == [9]
        assert corrected.entries[0].kind == "correction"
        assert '"corrects":2}' in corrected.entries[0].body
    finally:
        await journal.close()

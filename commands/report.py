"""`python server.py report`: closed trades and tax lots of the journal as text, CSV or one HTML page with plots."""

import argparse
import asyncio
import csv
import io
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from cache.decimal_json import loads, plain
from commands.journal_files import text_writer
from commands.report_figures import TradingReport, make_report
from commands.report_page import page
from config.reader import read
from config.settings import ServerSettings
from journal.dsn import open_journal
from journal.errors import JournalError
from ledger.records import RecordError

PAGE: Final = 1000
COLUMNS: Final = (
    "ticker", "outcome", "quantity", "opened", "closed", "cost", "proceeds", "fees", "profit", "closed_by", "strategy",
)  # fmt: skip


def main(arguments: Sequence[str], journal_url: str | None = None) -> int:
    """Write the report and return the exit status. journal_url: that of the settings unless given."""
    options = _parser().parse_args(arguments)
    try:
        entries = asyncio.run(_entries(journal_url or read(ServerSettings).journal_url, options.mode))
        report = make_report(entries, options.since, options.until)
        text = as_csv(report) if options.csv else page(report) if options.html else as_text(report)
        if options.output is None:
            sys.stdout.write(text)
        else:
            with text_writer(str(options.output)) as out:
                out.write(text)
            print(f"wrote {len(report.lots)} closed trades to {options.output}")
    except (JournalError, RecordError, ValueError, OSError) as error:
        print(f"report: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("server.py report", description=__doc__)
    times = "2026-01-31 (UTC) or Unix seconds"
    parser.add_argument("--since", type=_start, default=Decimal(0), help=f"trades closed from then on: {times}")
    parser.add_argument("--until", type=_end, help=f"and until then; a date means its end: {times}")
    parser.add_argument("--mode", choices=("live", "demo", "paper"), help="default: the mode of the newest entry")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="one row for each tax lot")
    form.add_argument("--html", action="store_true", help="one page with plots that needs no other file")
    parser.add_argument("--output", "-o", type=Path, help="file to write instead of standard output")
    return parser


def _start(text: str) -> Decimal:
    return _moment(text, 0)


def _end(text: str) -> Decimal:
    return _moment(text, 1)


def _moment(text: str, days: int) -> Decimal:
    """Return Unix seconds; days are added to a date, so that an end includes its day."""
    try:
        return Decimal(str((datetime.fromisoformat(text).replace(tzinfo=UTC) + timedelta(days=days)).timestamp()))
    except ValueError:
        pass
    try:
        return Decimal(text)
    except ArithmeticError:
        raise argparse.ArgumentTypeError(f"expected a date or Unix seconds, got {text!r:.40}") from None


async def _entries(journal_url: str, mode: str | None) -> list[tuple[str, dict[str, Any]]]:
    """Return kind and body of every entry of the mode, in the order of their seq."""
    journal = open_journal(journal_url, limit=60, create=False)
    try:
        await journal.open()
        found: list[tuple[str, dict[str, Any]]] = []
        after = 0
        while entries := await journal.read(after, PAGE):
            found += [(entry.kind, loads(entry.body)) for entry in entries if entry.kind != "gap"]
            after = entries[-1].seq
    finally:
        await journal.close()
    wanted = mode or (found[-1][1]["mode"] if found else "live")
    return [(kind, body) for kind, body in found if body["mode"] == wanted]


def moment(seconds: Decimal | None) -> str:
    """Return Unix seconds as text of UTC; empty for an unknown time."""
    return "" if seconds is None else datetime.fromtimestamp(float(seconds), UTC).strftime("%Y-%m-%d %H:%M:%S")


def as_csv(report: TradingReport) -> str:
    """Return one row for each tax lot, with its exact amounts."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for lot in report.lots:
        amounts = [plain(amount) for amount in (lot.cost, lot.proceeds, lot.fees, lot.profit)]
        writer.writerow([
            lot.ticker, lot.outcome, plain(lot.quantity), moment(lot.opened), moment(lot.closed), *amounts,
            "settlement" if lot.by_settlement else "trade", report.strategy_of(lot) or "",
        ])  # fmt: skip
    return out.getvalue()


def as_text(report: TradingReport) -> str:
    """Return the main figures, a line each."""
    return "".join(f"{name:<28}{value}\n" for name, value in report.summary())

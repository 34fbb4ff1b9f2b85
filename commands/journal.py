"""python server.py journal export | import | verify | backup | restore | backfill | new-epoch."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from commands import journal_format
from commands.backfill import Fills, exchange_fills
from commands.journal_files import back_up, restore, text_reader, text_writer
from commands.journal_format import Format
from config.reader import read
from config.settings import ServerSettings
from ingest.exchange_fills import check_marks
from journal import archive, verify
from journal.base import Journal
from journal.dsn import open_journal
from journal.errors import JournalDamaged, JournalError
from kalshi.errors import KalshiError

_SHOWN: Final = 20  # problems printed one by one
_BATCH: Final = 500


def main(argv: Sequence[str], journal_url: str | None = None, fills: Fills | None = None) -> int:
    """Run one command and return the exit status. journal_url and fills: those of the settings unless given."""
    options = _parser().parse_args(argv)
    if journal_url is None:
        settings = read(ServerSettings)
        journal_url, fills = settings.journal_url, exchange_fills(settings)
    try:
        return asyncio.run(_run(options, journal_url, fills))
    except (JournalError, KalshiError, ValueError, OSError) as error:
        _print(f"journal {options.command}: {error}")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("server.py journal", description="Works on the journal that JOURNAL_URL names.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what in (
        ("export", "write every entry to a file, also while the server runs"),
        (
            "import",
            "read such a file, all or nothing; an empty journal becomes its copy, else its entries follow",
        ),
    ):
        command = commands.add_parser(name, help=what, description=what)
        command.add_argument("file", nargs="?", default="-", help="- is standard input or output (default)")
        command.add_argument("--format", choices=("jsonl", "csv"), help="default: as the file's name ends, else jsonl")
    for name, what in (
        ("backup", "copy a SQLite journal to a file, also while the server runs"),
        ("restore", "put such a file in the journal's place, also while the server runs; readers get a reset"),
    ):
        commands.add_parser(name, help=what, description=what).add_argument("file", type=Path)
    commands.add_parser("verify", help="check that no entry is missing, changed or swapped, and that each has an id")
    commands.add_parser("new-epoch", help="send every reader a reset, also while the server runs")
    backfill = commands.add_parser("backfill", help="append the exchange's older fills that are not known yet")
    backfill.add_argument("--since", type=_moment, default=Decimal(0), help="2026-01-31 (UTC) or Unix seconds")
    return parser


async def _run(options: argparse.Namespace, journal_url: str, fills: Fills | None) -> int:
    # A limit that suits a command; no request waits for it.
    journal = open_journal(journal_url, limit=60, create=options.command == "import")
    try:
        await journal.open()
        match options.command:
            case "export":
                _print(await _export(journal, options.file, _format(options)))
            case "import":
                _print(await _import(journal, options.file, _format(options)))
            case "backup":
                head = await back_up(journal, options.file)
                _print(f"copied entries 1 to {head} of epoch {journal.epoch} to {options.file}")
            case "restore":
                head, epoch, before = await restore(journal, options.file)
                _print(f"restored entries 1 to {head}; the epoch is {epoch}; what was there before is in {before}")
            case "verify":
                return await _verify(journal)
            case "new-epoch":
                _print(f"the epoch is {await archive.renew_epoch(journal)}; running servers send every reader a reset")
            case _:
                _print(await _backfill(journal, options.since, fills))
        return 0
    finally:
        await journal.close()


async def _export(journal: Journal, file: str, form: Format) -> str:
    head = 0
    with text_writer(file) as out:
        out.write(journal_format.heading(form))
        async for record in archive.records(journal):
            out.write(journal_format.line(record, form))
            head = record.head if isinstance(record, archive.ArchiveHeader) else head
    return f"exported {head} entries of epoch {journal.epoch}"


async def _import(journal: Journal, file: str, form: Format) -> str:
    with text_reader(file) as lines:
        done = await archive.restore(journal, journal_format.read(lines, form))
    return f"imported {done.entries} entries, {done.known} were known; the epoch is {done.epoch}"


async def _verify(journal: Journal) -> int:
    count = 0
    async for problem in verify.problems(journal):
        count += 1
        if count <= _SHOWN:
            _print(problem)
    try:
        check_marks(await journal.marks())
    except JournalDamaged as error:
        count += 1
        _print(str(error))
    if count:
        _print(f"{count} problems in {await journal.head()} entries of epoch {journal.epoch}")
        return 1
    _print(f"whole: entries 1 to {await journal.head()} of epoch {journal.epoch}")
    return 0


async def _backfill(journal: Journal, since: Decimal, fills: Fills | None) -> str:
    if fills is None:
        raise ValueError("needs KALSHI_API_KEY and KALSHI_RSA_KEY_PATH; set them")
    # Oldest first, so that the seqs follow the times as far as they can.
    drafts = sorted([draft async for draft in fills(since)], key=lambda draft: draft.timestamp)
    added = 0
    for start in range(0, len(drafts), _BATCH):
        added += len((await journal.append(drafts[start : start + _BATCH])).entries)
    return f"the exchange has {len(drafts)} fills, {added} of them were new; the head is {await journal.head()}"


def _format(options: argparse.Namespace) -> Format:
    return options.format or ("csv" if options.file.lower().endswith(".csv") else "jsonl")


def _moment(text: str) -> Decimal:
    try:
        return Decimal(text) if text.replace(".", "", 1).isdigit() else _timestamp(text)
    except (ValueError, ArithmeticError):
        raise argparse.ArgumentTypeError(f"{text!r} is neither a date such as 2026-01-31 nor Unix seconds") from None


def _timestamp(text: str) -> Decimal:
    moment = datetime.fromisoformat(text)
    return Decimal(str((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()))


def _print(text: str) -> None:
    print(text, file=sys.stderr)  # standard output may be the export

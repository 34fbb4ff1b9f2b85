"""python server.py journal export | import | verify | backfill | new-epoch: moves, checks and completes a journal."""

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TextIO

from commands.backfill import Fills, exchange_fills
from config.reader import read
from config.settings import ServerSettings
from journal import archive, archive_format, verify
from journal.archive_format import Format
from journal.dsn import open_journal
from journal.errors import JournalError
from journal.sql_journal import SqlJournal
from kalshi.errors import KalshiError

_SHOWN = 20  # problems printed one by one
_BATCH = 500


def main(argv: Sequence[str], journal_url: str | None = None, fills: Fills | None = None) -> int:
    """Runs one command; the exit code. Without a journal_url the settings say which journal, and where fills are."""
    options = _parser().parse_args(argv)
    if journal_url is None:
        settings = read(ServerSettings)
        journal_url, fills = settings.journal_url, exchange_fills(settings)
    try:
        return asyncio.run(_run(options, journal_url, fills))
    except (JournalError, KalshiError, ValueError, OSError) as error:
        _say(f"journal {options.command}: {error}")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("server.py journal", description="Works on the journal that JOURNAL_URL names.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what in (
        ("export", "write every entry to a file, also while the server runs"),
        ("import", "read such a file; an empty journal becomes its exact copy, else its entries follow"),
    ):
        command = commands.add_parser(name, help=what, description=what)
        command.add_argument("file", nargs="?", default="-", help="- is standard input or output (default)")
        command.add_argument("--format", choices=("jsonl", "csv"), help="default: as the file's name ends, else jsonl")
    commands.add_parser("verify", help="check that no entry is missing and each tells one story")
    commands.add_parser("new-epoch", help="have every reader start anew; for a journal put back from an old backup")
    backfill = commands.add_parser("backfill", help="append the exchange's older fills that are not known yet")
    backfill.add_argument("--since", type=_moment, default=Decimal(0), help="2026-01-31 (UTC) or Unix seconds")
    return parser


async def _run(options: argparse.Namespace, journal_url: str, fills: Fills | None) -> int:
    journal = open_journal(journal_url, limit=60)  # nobody's request waits behind these
    try:
        await journal.open()
        match options.command:
            case "export":
                return await _export(journal, options.file, _format(options))
            case "import":
                return await _import(journal, options.file, _format(options))
            case "verify":
                return await _verify(journal)
            case "new-epoch":
                _say(f"the epoch is {await archive.renew_epoch(journal)}; restart the server")
                return 0
            case _:
                return await _backfill(journal, options.since, fills)
    finally:
        await journal.close()


async def _export(journal: SqlJournal, file: str, form: Format) -> int:
    head = 0
    with _writer(file) as out:
        out.write(archive_format.heading(form))
        async for record in archive.records(journal):
            out.write(archive_format.line(record, form))
            head = record.head if isinstance(record, archive.ArchiveHeader) else head
    _say(f"exported {head} entries of epoch {journal.epoch}")
    return 0


async def _import(journal: SqlJournal, file: str, form: Format) -> int:
    with _reader(file) as lines:
        done = await archive.restore(journal, _each(archive_format.read(lines, form)))
    _say(f"imported {done.entries} entries, {done.known} were known; the epoch is {done.epoch}")
    return 0


async def _verify(journal: SqlJournal) -> int:
    count = 0
    async for problem in verify.problems(journal):
        count += 1
        if count <= _SHOWN:
            _say(problem)
    if count:
        _say(f"{count} problems in {await journal.head()} entries of epoch {journal.epoch}")
        return 1
    _say(f"whole: entries 1 to {await journal.head()} of epoch {journal.epoch}")
    return 0


async def _backfill(journal: SqlJournal, since: Decimal, fills: Fills | None) -> int:
    if fills is None:
        raise ValueError("needs the exchange's keys: set KALSHI_API_KEY and KALSHI_RSA_KEY_PATH")
    # Oldest first, so that the seqs follow the times as far as they can.
    drafts = sorted([draft async for draft in fills(since)], key=lambda draft: draft.timestamp)
    added = 0
    for start in range(0, len(drafts), _BATCH):
        added += len((await journal.append(drafts[start : start + _BATCH])).entries)
    _say(f"the exchange told {len(drafts)}, {added} of them were new; the head is {await journal.head()}")
    return 0


async def _each(records: Iterator[archive.Record]) -> AsyncIterator[archive.Record]:
    for record in records:
        yield record


def _format(options: argparse.Namespace) -> Format:
    return options.format or ("csv" if options.file.lower().endswith(".csv") else "jsonl")


def _writer(file: str) -> TextIO:
    if file == "-":
        return os.fdopen(os.dup(sys.stdout.fileno()), "w", newline="")
    # An account's whole history: for its owner's eyes only.
    return os.fdopen(os.open(Path(file), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", newline="")


def _reader(file: str) -> TextIO:
    if file == "-":
        return os.fdopen(os.dup(sys.stdin.fileno()), newline="")
    return Path(file).open(newline="")


def _moment(text: str) -> Decimal:
    try:
        return Decimal(text) if text.replace(".", "", 1).isdigit() else _timestamp(text)
    except (ValueError, ArithmeticError):
        raise argparse.ArgumentTypeError(f"{text!r} is neither a date such as 2026-01-31 nor Unix seconds") from None


def _timestamp(text: str) -> Decimal:
    moment = datetime.fromisoformat(text)
    return Decimal(str((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()))


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # standard output may be the export

"""The records of a journal as lines of text: JSON, or CSV for a spreadsheet; both keep everything."""

import csv
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import Any, Final, Literal

from cache.decimal_json import dumps, loads
from journal import codec
from journal.archive import ArchivedEntry, ArchiveHeader, Record
from journal.entries import Entry, Kind
from journal.fingerprint import KnownId

Format = Literal["jsonl", "csv"]

_COLUMNS: Final = ["record", "seq", "kind", "timestamp", "ticker", "source", "open", "name", "life", "body"]


def line(record: Record, form: Format) -> str:
    """One record as a line, its end included."""
    return f"{_json(record)}\n" if form == "jsonl" else _csv(record)


def heading(form: Format) -> str:
    """What stands before the first record."""
    return _row(_COLUMNS) if form == "csv" else ""


def read(lines: Iterable[str], form: Format) -> Iterator[Record]:
    """The records in lines. Raises ValueError naming the line that cannot be read."""
    number = 0
    rows: Iterable[Any] = lines if form == "jsonl" else csv.DictReader(lines, strict=True)
    try:
        for row in rows:
            number += 1
            yield _record(loads(row) if form == "jsonl" else _object(row))
    except (ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        raise ValueError(f"record {number or 1} cannot be read: {error!r:.200}") from error


def _json(record: Record) -> str:
    match record:
        case ArchiveHeader():
            return dumps({"record": "journal", **_header(record)})
        case ArchivedEntry(entry, open):
            # The body goes in as it is: it is JSON already.
            return f'{{"record":"entry","kind":"{entry.kind}","open":{int(open)},"body":{entry.body}}}'
        case KnownId(name, content, seq):
            return dumps({"record": "sighting", "name": name, "life": content, "seq": seq})


def _csv(record: Record) -> str:
    match record:
        case ArchiveHeader():
            return _row(["journal", record.head, "", "", "", "", "", "", "", dumps(_header(record))])
        case ArchivedEntry(entry, open):
            told = [entry.seq, entry.kind, entry.timestamp, _unformula(entry.ticker), entry.source, int(open)]
            return _row(["entry", *told, "", "", entry.body])
        case KnownId(name, content, seq):
            return _row(["sighting", seq, "", "", "", "", "", name, content, ""])


def _row(values: list[Any]) -> str:
    out = StringIO()
    # All of them in quotes: before Python 3.13 a lone carriage return was left bare, and ended the row when read.
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(values)
    return out.getvalue()


def _unformula(text: str) -> str:
    # A spreadsheet would run a cell that begins like this; the body, which is what is read back, is JSON.
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


def _header(header: ArchiveHeader) -> dict[str, Any]:
    return {"epoch": header.epoch, "head": header.head, "marks": dict(header.marks)}


def _object(row: dict[str, str]) -> dict[str, Any]:
    """A row of CSV as the object that JSON would have held."""
    match row["record"]:
        case "journal":
            return {"record": "journal", **loads(row["body"])}
        case "entry":
            return {"record": "entry", "kind": row["kind"], "open": int(row["open"]), "body": loads(row["body"])}
        case _:
            return {**row, "seq": int(row["seq"])}


def _record(said: dict[str, Any]) -> Record:
    match said["record"]:
        case "journal":
            return ArchiveHeader(said["epoch"], said["head"], said["marks"])
        case "entry":
            return ArchivedEntry(_entry(said["kind"], dumps(said["body"])), bool(said["open"]))
        case "sighting":
            return KnownId(said["name"], said["life"], said["seq"])
    raise ValueError(f"{said['record']!r:.40} is no kind of record")


def _entry(kind: Kind, text: str) -> Entry:
    told = codec.draft(kind, text)
    return Entry(codec.seq(text), kind, told.timestamp, told.ticker, told.source, text)

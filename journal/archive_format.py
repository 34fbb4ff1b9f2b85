"""The records of a journal as lines of text: JSON, or CSV for a spreadsheet; both hold everything."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import Any, Final, Literal, TypeVar

from cache.decimal_json import dumps, loads
from journal import codec
from journal.archive import ArchiveCheck, ArchivedEntry, ArchiveHeader, Record
from journal.entries import KINDS, Entry, Kind
from journal.errors import ArchiveUnreadable
from journal.fingerprint import KnownId

T = TypeVar("T")
Format = Literal["jsonl", "csv"]

_COLUMNS: Final = (
    "record", "seq", "kind", "timestamp", "ticker", "source", "open", "name", "content", "checksum", "body",
)  # fmt: skip
_EPOCH: Final = re.compile(r"[a-z0-9]{1,8}")
_HEX: Final = re.compile(r"[0-9a-f]*")


def line(record: Record, form: Format) -> str:
    """Return one record as a line, its end included."""
    return f"{_json(record)}\n" if form == "jsonl" else _csv(record)


def heading(form: Format) -> str:
    """Return what stands before the first record."""
    return _row(_COLUMNS) if form == "csv" else ""


class _CountedLines:
    """Lines, and the number of the one that was read last."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = lines
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        for text in self._lines:
            self.number += 1
            yield text


def read(lines: Iterable[str], form: Format) -> Iterator[Record]:
    """Yield the records in lines, checked.

    Raises ArchiveUnreadable with the number of the line that is wrong, or at the end when something is missing.
    """
    check, counted = ArchiveCheck(), _CountedLines(lines)
    rows: Iterable[Any] = map(loads, counted) if form == "jsonl" else csv.DictReader(counted, strict=True)
    try:
        for row in rows:
            yield check.take(_record(row if form == "jsonl" else _object(row)))
    except RecursionError:
        raise ArchiveUnreadable(f"line {counted.number}: nested too deeply") from None
    except (KeyError, TypeError):
        raise ArchiveUnreadable(f"line {counted.number}: a field is missing") from None
    except (ValueError, csv.Error) as error:
        raise ArchiveUnreadable(f"line {counted.number or 1}: {error!s:.200}") from error
    check.finish()


def _json(record: Record) -> str:
    match record:
        case ArchiveHeader():
            return dumps({"record": "journal", **_header(record)})
        case ArchivedEntry(entry, open):
            # The body as it is: it is JSON already.
            return (
                f'{{"record":"entry","kind":"{entry.kind}","open":{int(open)},"checksum":"{entry.checksum}",'
                f'"body":{entry.body}}}'
            )
        case KnownId(name, content, seq):
            return dumps({"record": "id", "name": name, "content": content, "seq": seq})


def _csv(record: Record) -> str:
    match record:
        case ArchiveHeader():
            return _row(["journal", record.head, *[""] * 8, dumps(_header(record))])
        case ArchivedEntry(entry, open):
            found = [entry.seq, entry.kind, entry.timestamp, _unformula(entry.ticker), entry.source, int(open)]
            return _row(["entry", *found, "", "", entry.checksum, entry.body])
        case KnownId(name, content, seq):
            return _row(["id", seq, *[""] * 5, name, content, "", ""])


def _row(values: Sequence[Any]) -> str:
    out = StringIO()
    # All of them in quotes: before Python 3.13 a lone carriage return was left bare, and ended the row when read.
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(values)
    return out.getvalue()


def _unformula(text: str) -> str:
    # A spreadsheet would run a cell that begins like this; the body, which is what is read back, is JSON.
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _header(header: ArchiveHeader) -> dict[str, Any]:
    return {
        "epoch": header.epoch, "head": header.head, "marks": dict(header.marks), "checksum": header.checksum,
        "ids": header.ids,
    }  # fmt: skip


def _object(row: dict[str, str]) -> dict[str, Any]:
    """Return a row of CSV as the object that JSON would have held."""
    match row.get("record"):
        case "journal":
            return {**_fields(loads(row["body"])), "record": "journal"}
        case "entry":
            body = loads(row["body"])
            return {**row, "open": 0 if row["open"] == "0" else 1, "body": body}
        case _:
            seq = row.get("seq") or ""
            return {**row, "seq": int(seq) if seq.isdecimal() else seq}


def _record(row: Any) -> Record:
    row = _fields(row)
    match _field(row, "record", str):
        case "journal":
            return _archive_header(row)
        case "entry":
            kind, checksum = _field(row, "kind", str), row.get("checksum") or ""
            if kind not in KINDS:
                raise ValueError(f"kind: expected one of {', '.join(KINDS)}, got {kind!r:.40}")
            return ArchivedEntry(_entry(kind, dumps(row.get("body")), checksum), bool(row.get("open", 1)))
        case "id" | "sighting":  # version 0.1 wrote sighting and life
            content = row["life"] if "life" in row else row.get("content")
            name = _field(row, "name", str)
            if not _HEX.fullmatch(f"{name}{content}") or len(name) > 32 or len(f"{content}") > 16:
                raise ValueError(f"{name!r:.40} is not an id")
            return KnownId(name, f"{content}", _field(row, "seq", int))
    raise ValueError(f"record: expected journal, entry or id, got {row['record']!r:.40}")


def _archive_header(row: dict[str, Any]) -> ArchiveHeader:
    epoch, marks = _field(row, "epoch", str), _field(row, "marks", dict)
    if not _EPOCH.fullmatch(epoch):
        raise ValueError(f"{epoch!r:.40} is not the epoch of a journal")
    if not all(isinstance(value, str) for value in marks.values()):
        raise ValueError("expected marks as text")
    head, checksum = _field(row, "head", int), row.get("checksum")
    if not 0 <= head < 2**53:
        raise ValueError(f"{head!r:.40} is not the head of a journal")
    return ArchiveHeader(epoch, head, marks, checksum, _field(row, "ids", int) if "ids" in row else 0)


def _fields(row: Any) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise ValueError(f"expected a record of a journal, got {row!r:.40}")
    return row


def _field(row: dict[str, Any], name: str, kind: type[T]) -> T:
    value = row.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"expected a field {name} ({kind.__name__}); is this a file that `journal export` wrote?")
    return value


def _entry(kind: Kind, text: str, checksum: str) -> Entry:
    made = codec.draft(kind, text)
    if not 0 <= made.timestamp < 10**11:
        raise ValueError(f"timestamp {made.timestamp} is out of range")
    return Entry(codec.seq(text), kind, made.timestamp, made.ticker, made.source, text, checksum)

"""The records of a journal as lines of text: JSON, or CSV for a spreadsheet; both hold everything."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from io import StringIO
from typing import Any, Final, Literal, TypeVar

from cache.decimal_json import dumps, loads
from ingest.exchange_fills import check_marks
from journal import codec
from journal.archive import ArchiveHeader, Record, checked
from journal.entries import Entry
from journal.errors import ArchiveUnreadable
from journal.fingerprint import KnownId

T = TypeVar("T")
Format = Literal["jsonl", "csv"]

_COLUMNS: Final = (
    "record", "seq", "kind", "timestamp", "ticker", "source", "open", "name", "content", "checksum", "body",
)  # fmt: skip
_EPOCH: Final = re.compile(r"[a-z0-9]{1,8}")
_HEX: Final = re.compile(r"[0-9a-f]*")


def heading(form: Format) -> str:
    """Return what stands before the first record."""
    return _row(_COLUMNS) if form == "csv" else ""


def line(record: Record, form: Format) -> str:
    """Return one record as a line, its end included."""
    return _csv(record) if form == "csv" else f"{_json(record)}\n"


def read(lines: Iterable[str], form: Format) -> Iterator[Record]:
    """Yield the records in lines, checked.

    Raises ArchiveUnreadable with the number of the line that is wrong, or of the last one when something is missing.
    """
    number = 1

    def counted() -> Iterator[str]:
        nonlocal number
        for number, text in enumerate(lines, 1):  # noqa: B007
            if text.strip():  # an editor may have added an empty line
                yield text

    rows = map(loads, counted()) if form == "jsonl" else map(_object, csv.DictReader(counted(), strict=True))
    try:
        yield from checked(map(_record, rows))
    except UnicodeDecodeError:
        raise ArchiveUnreadable(f"line {number}: expected UTF-8 text; unpack a compressed file first") from None
    except RecursionError:
        raise ArchiveUnreadable(f"line {number}: nested too deeply") from None
    except (KeyError, TypeError):
        raise ArchiveUnreadable(f"line {number}: a field is missing") from None
    except (ValueError, csv.Error) as error:
        raise ArchiveUnreadable(f"line {number}: {error!s:.200}") from error


def _json(record: Record) -> str:
    match record:
        case ArchiveHeader():
            return dumps({"record": "journal", **asdict(record)})
        case Entry() as entry:
            # The body as it is: it is JSON already.
            return (
                f'{{"record":"entry","kind":"{entry.kind}","open":{int(entry.open)},"checksum":"{entry.checksum}",'
                f'"body":{entry.body}}}'
            )
        case KnownId(name, content, seq):
            return dumps({"record": "id", "name": name, "content": content, "seq": seq})


def _csv(record: Record) -> str:
    match record:
        case ArchiveHeader():
            return _row(["journal", record.head, *[""] * 8, dumps(asdict(record))])
        case Entry() as entry:
            # A spreadsheet would run a cell that begins like this; the body, which is what is read back, is JSON.
            ticker = f"'{entry.ticker}" if entry.ticker[:1] in ("=", "+", "-", "@", "\t", "\r") else entry.ticker
            found = [entry.seq, entry.kind, entry.timestamp, ticker, entry.source, int(entry.open)]
            return _row(["entry", *found, "", "", entry.checksum, entry.body])
        case KnownId(name, content, seq):
            return _row(["id", seq, *[""] * 5, name, content, "", ""])


def _row(values: Sequence[Any]) -> str:
    out = StringIO()
    # All of them in quotes: before Python 3.13 a lone carriage return was left bare, and ended the row when read.
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(values)
    return out.getvalue()


def _object(row: dict[str, str]) -> dict[str, Any]:
    """Return a row of CSV as the object that JSON would have held."""
    match row.get("record"):
        case "journal":
            return {**_fields(loads(row["body"] or "")), "record": "journal"}
        case "entry":
            return {**row, "open": 0 if row["open"] == "0" else 1, "body": loads(row["body"] or "")}
        case _:
            seq = row.get("seq") or ""
            return {**row, "seq": int(seq) if seq.isdecimal() else seq}


def _record(row: Any) -> Record:
    row = _fields(row)
    match _field(row, "record", str):
        case "journal":
            return _header(row)
        case "entry":
            return _entry(row)
        case "id" | "sighting":  # version 0.1 wrote sighting and life
            name, content = _field(row, "name", str), str(row["life"] if "life" in row else row.get("content"))
            if not _HEX.fullmatch(name + content) or len(name) > 32 or len(content) > 16:
                raise ValueError(f"{name!r:.40} is not an id")
            return KnownId(name, content, _field(row, "seq", int))
    raise ValueError(f"record: expected journal, entry or id, got {row['record']!r:.40}")


def _header(row: dict[str, Any]) -> ArchiveHeader:
    epoch, marks, head = _field(row, "epoch", str), _field(row, "marks", dict), _field(row, "head", int)
    if not _EPOCH.fullmatch(epoch):
        raise ValueError(f"{epoch!r:.40} is not the epoch of a journal")
    if not all(isinstance(value, str) for value in marks.values()):
        raise ValueError("expected marks as text")
    if not 0 <= head < 2**53:
        raise ValueError(f"{head!r:.40} is not the head of a journal")
    check_marks(marks)
    return ArchiveHeader(epoch, head, marks, row.get("checksum"), _field(row, "ids", int) if "ids" in row else 0)


def _entry(row: dict[str, Any]) -> Entry:
    text = dumps(row.get("body"))
    made = codec.draft(_field(row, "kind", str), text)
    if not 0 <= made.timestamp < 10**11:
        raise ValueError(f"timestamp {made.timestamp} is out of range")
    checksum, open = row.get("checksum") or "", bool(row.get("open", 1))
    return Entry(codec.seq(text), made.kind, made.timestamp, made.ticker, made.source, text, checksum, open)


def _fields(row: Any) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise ValueError(f"expected a record of a journal, got {row!r:.40}")
    return row


def _field(row: dict[str, Any], name: str, kind: type[T]) -> T:
    value = row.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"expected a field {name} ({kind.__name__}); is this a file that `journal export` wrote?")
    return value

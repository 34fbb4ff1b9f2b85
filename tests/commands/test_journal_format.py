"""Records as text: what is written as a line is read as it was, whatever stands in it."""

import io
from dataclasses import replace

import pytest

from commands import journal_format
from commands.journal_format import Format
from journal import codec
from journal.archive import ArchiveHeader, Record
from journal.entries import Entry
from journal.errors import ArchiveUnreadable
from journal.fingerprint import KnownId
from tests.support.drafts import trade

ODD = ["t1", "a\rb", "a\nb", "a\r\nb", 'a"b', "a,b", " a ", "a;b\t", "", "é\u2028", "\ud800", "=1+1"]


def _records(text: str) -> list[Record]:
    """A journal of one trade with this ticker, id and mark."""
    draft = trade(ticker=text, trade_id=text)
    body = codec.body(draft, 1)
    checksum = codec.checksum("", "trade", body)
    entry = Entry(1, "trade", draft.timestamp, text, "bot_live", body, checksum)
    header = ArchiveHeader("abc12345", 1, {"mark": text}, checksum, 2)
    return [header, entry, KnownId("0a", "1b", 1), KnownId("ff", "", 1)]


def _text(records: list[Record], form: Format) -> str:
    return journal_format.heading(form) + "".join(journal_format.line(record, form) for record in records)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize("text", ODD, ids=ascii)
def test_odd_text_is_read_as_it_was(text: str, form: Format) -> None:
    """A line break, a quote or a comma in a text is part of it, also where a spreadsheet would end the row."""
    lines = io.StringIO(_text(_records(text), form), newline="")
    assert list(journal_format.read(lines, form)) == _records(text)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize("open", [True, False])
def test_an_entry_that_waits_for_a_second_reporter_is_read_as_one(open: bool, form: Format) -> None:
    """An import matches reports to open entries alone."""
    header, entry, *ids = _records("X")
    assert isinstance(entry, Entry)
    lines = io.StringIO(_text([header, replace(entry, open=open), *ids], form), newline="")
    assert [each.open for each in journal_format.read(lines, form) if isinstance(each, Entry)] == [open]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_file_of_version_0_1_is_read(form: Format) -> None:
    """It has no checksums and no counts, and calls an id a sighting and its content a life."""
    header, archived, known, _ = _records("X")
    assert isinstance(archived, Entry)
    body = archived.body
    lines = {
        "jsonl": [
            '{"record":"journal","epoch":"abc12345","head":1,"marks":{"mark":"X"}}\n',
            f'{{"record":"entry","kind":"trade","open":0,"body":{body}}}\n',
            '{"record":"sighting","name":"0a","life":"1b","seq":1}\n',
        ],
        "csv": [
            "record,seq,kind,timestamp,ticker,source,open,name,life,body\n",
            'journal,1,,,,,,,,"{""epoch"":""abc12345"",""head"":1,""marks"":{""mark"":""X""}}"\n',
            'entry,1,trade,1698676800.123,X,bot_live,0,,,"' + body.replace('"', '""') + '"\n',
            "sighting,1,,,,,,0a,1b,\n",
        ],
    }[form]
    assert list(journal_format.read(lines, form)) == [ArchiveHeader("abc12345", 1, {"mark": "X"}), archived, known]


def test_the_line_of_a_csv_file_is_named() -> None:
    """Lines are counted as an editor counts them, with those inside quotes."""
    text = _text(_records("a\nb"), "csv")
    with pytest.raises(ArchiveUnreadable, match=r"^line 5: an id of entry 5"):
        list(journal_format.read(io.StringIO(text.replace('"id","1"', '"id","5"'), newline=""), "csv"))


def test_a_formula_is_no_cell_of_a_spreadsheet() -> None:
    """A cell that a spreadsheet would run has a quote before it; the body is unchanged."""
    entry = _records("=1+1")[1]
    assert '"\'=1+1"' in journal_format.line(entry, "csv")


@pytest.mark.parametrize(
    "text", ["a,b\n1,2\n", "record,seq\nentry,1\n", "record,body\njournal\n", '"record\n', "\0\n", ""]
)
def test_a_text_that_is_no_export_is_refused(text: str) -> None:
    """The error is ArchiveUnreadable for any text."""
    with pytest.raises(ArchiveUnreadable):
        list(journal_format.read(io.StringIO(text, newline=""), "csv"))


def test_a_huge_head_takes_no_memory() -> None:
    """A header that promises more entries than there are is refused at the end, at no cost."""
    line = '{"record":"journal","epoch":"a","head":9000000000000000,"marks":{}}\n'
    with pytest.raises(ArchiveUnreadable, match="the file ends with entry 0; its header announces 9000000000000000"):
        list(journal_format.read([line], "jsonl"))

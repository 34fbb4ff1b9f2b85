"""Records as text: what goes out as a line comes back as it was, whatever stands in it."""

import io

import pytest

from journal import archive_format
from journal.archive_format import Format
from journal.fingerprint import KnownId

ODD = ["t1", "a\rb", "a\nb", "a\r\nb", 'a"b', "a,b", " a ", "a;b\t", "", "é\u2028"]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize("name", ODD, ids=ascii)
def test_odd_text_comes_back_as_it_was(name: str, form: Format) -> None:
    """A line break, a quote or a comma in an id is part of the id, also where a spreadsheet would end the row."""
    records = [KnownId(name, "boot\r1", 7), KnownId("next", "", 8)]
    text = archive_format.heading(form) + "".join(archive_format.line(record, form) for record in records)
    assert list(archive_format.read(io.StringIO(text, newline=""), form)) == records

"""Records as text: what goes out as a line comes back as it was, whatever stands in it."""

import io

import pytest

from journal import formats
from journal.formats import Format
from journal.identity import Sighting

ODD = ["t1", "a\rb", "a\nb", "a\r\nb", 'a"b', "a,b", " a ", "a;b\t", "", "é\u2028"]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize("name", ODD, ids=ascii)
def test_odd_text_comes_back_as_it_was(name: str, form: Format) -> None:
    """A line break, a quote or a comma in an id is part of the id, also where a spreadsheet would end the row."""
    records = [Sighting(name, "boot\r1", 7), Sighting("next", "", 8)]
    text = formats.heading(form) + "".join(formats.line(record, form) for record in records)
    assert list(formats.read(io.StringIO(text, newline=""), form)) == records

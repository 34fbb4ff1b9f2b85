"""Random input of every kind that arrives from outside: each is read or refused, and nothing else is ever raised.

`pytest tests/test_fuzz.py --hypothesis-profile long` takes minutes for each instead of a second.
"""

import asyncio
import re
from contextlib import suppress
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from cache.decimal_json import dumps, loads
from commands import journal_format
from config.reader import SettingsError, read
from config.settings import ServerSettings
from ingest.bot_payload import BotResponseError, read_trades
from ingest.bot_status import Activity, read_status
from journal.errors import ArchiveUnreadable
from kalshi import account_models, market_models
from kalshi.errors import FieldError
from kalshi.records import Record, RecordReader
from routes.hosts import host_name
from streams.event import find_cursor, parse_cursor
from streams.stats import client_network
from tests.support.bot import trade, wire

NOW = 1_700_000_100.0  # Unix seconds
RECORDS = [
    kind
    for module in (account_models, market_models)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Record) and hasattr(kind, "columns")
]
WORDS = ["yes", "no", "bid", "ask", "live", "0.5000", "2026-11-27T06:12:09Z", "0001-01-01T00:00:00+23:59"]
NUMBERS = (
    st.integers().map(str)
    | st.floats().map(repr)
    | st.sampled_from(["1e400", "-0", "1E-999999", "1e999999999999", "NaN", "9" * 90, "9" * 5000])
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=12) | NUMBERS | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def objects(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of these fields, or with any."""
    return st.dictionaries(st.sampled_from(names), JSON) | st.dictionaries(st.text(max_size=8), JSON, max_size=4)


def json_text(value: Any) -> str:
    """Return a value as JSON text, in which a text that looks like a number is one."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{dumps(key)}:{json_text(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return f"[{','.join(map(json_text, value))}]"
    if isinstance(value, Decimal) or (isinstance(value, str) and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?([eE]\S+)?", value)):
        return str(value)
    return dumps(value)


@given(st.text(max_size=40) | st.from_regex(r"[a-z0-9]{0,33}-[0-9]{0,20}(-[0-9a-f]{0,5})?"), st.binary(max_size=60))
def test_a_cursor_is_a_place_or_malformed(text: str, query: bytes) -> None:
    """A seq that is read fits into a database's column, and reading a query raises nothing."""
    header = [(b"last-event-id", text.encode("utf-8", "surrogatepass"))]
    named = [find_cursor(header, query), find_cursor([], b"last_event_id=" + query), find_cursor([], query)]
    for cursor in map(parse_cursor, [text, *filter(None, named)]):
        assert cursor is None or 0 <= cursor.seq < 2**63


@given(st.lists(objects(*wire(trade(1)), "fee", "seq", "outcome", "order_id", "boot_id", "mode") | JSON, max_size=4))
def test_trades_are_read_or_counted(records: list[Any]) -> None:
    """Each record of a window is a trade whose numbers can be written, or is counted as unread."""
    report = read_trades(records, NOW)
    assert len(report.trades) + len(report.unread) <= len(records)
    for each in report.trades:
        assert 0 < each.trade.price < 1
        dumps([each.trade.price, each.trade.quantity, each.trade.timestamp])


@given(
    objects("status", "state", "activity", "running", "mode", "paper", "dry_run", "reason", "loop_age", "timestamp",
            "trades", "boot_id", "seq", "order_prefix", "positions") | JSON
)  # fmt: skip
def test_a_status_is_read_or_refused(answer: Any) -> None:
    """Any object is read, with a known activity and a printable reason; anything else is refused."""
    if not isinstance(answer, dict):
        with pytest.raises(BotResponseError):
            read_status(answer)
        return
    found = read_status(answer)
    assert found.activity in (None, *get_args(Activity))
    assert found.reason.isprintable()
    dumps([found.loop_age, found.loop_time, found.trades, dict(found.positions or {})])


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
@given(st.data())
def test_a_record_of_the_exchange_is_read_or_refused(kind: type[Record], data: st.DataObject) -> None:
    """Any values of its fields give a record that can be written as JSON, or a FieldError."""
    record = data.draw(objects(*(source for _, _, source in kind.columns)))
    with suppress(FieldError):
        dumps(kind.from_api(RecordReader(record, "GET /fuzz")).as_json())


@given(JSON)
def test_an_orderbook_is_read_or_refused(levels: Any) -> None:
    """Levels are pairs of texts, best first, or a FieldError."""
    with suppress(FieldError):
        sides = {"yes_dollars": levels, "no_dollars": [levels]}
        book = market_models.Orderbook.from_api(RecordReader({"orderbook_fp": sides}, "GET /fuzz"))
        assert [level.price for level in book.yes] == sorted((level.price for level in book.yes), reverse=True)


@given(st.binary(max_size=200) | st.text("A=\"'\\#$ \n\r\t\0{}", max_size=40).map(str.encode))
def test_an_env_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """No content of an .env file raises anything but SettingsError."""
    folder = tmp_path_factory.mktemp("env")  # of its own: a program reads the .env of the folder it starts in
    (folder / ".env").write_bytes(b"LOG_LEVEL=" + content)
    with suppress(SettingsError):
        read(ServerSettings, folder=folder)


HEADER = '{"record":"journal","epoch":"abc","head":2,"marks":{},"checksum":null,"ids":0}'
BODIES = objects("seq", "timestamp", "ticker", "side", "quantity", "price", "trade_id", "source", "why", "from", "to")
KINDS = st.sampled_from(["trade", "gap", "settlement", "baseline", "transfer", "correction", "other"])
ROWS = objects("record", "epoch", "head", "marks", "checksum", "ids", "kind", "body", "open", "name", "content", "seq")
LINES = st.one_of(
    st.text(max_size=30),
    ROWS.map(json_text),
    st.builds(lambda kind, row: f'{{"record":"entry","kind":"{kind}","body":{json_text(row)}}}', KINDS, BODIES),
    st.builds(lambda head, row: json_text(loads(HEADER) | {"head": head} | row), JSON, ROWS),
)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
@given(lines=st.lists(LINES, max_size=4), header=st.booleans())
def test_lines_of_an_import_are_records_or_refused(form: journal_format.Format, lines: list[str], header: bool) -> None:
    """Lines that were not exported raise ArchiveUnreadable alone."""
    text = [journal_format.heading(form)] * header + ([HEADER] if header else []) + lines
    with suppress(ArchiveUnreadable):
        list(journal_format.read((f"{line}\n" for line in text), form))


@given(st.text(max_size=40) | st.from_regex(r"\[?[0-9a-fA-F:.%]{0,30}\]?(:[0-9]{0,6})?\.?"))
def test_a_host_has_a_name(host: str) -> None:
    """No text raises, and the name has no capitals."""
    name = host_name(host)
    assert name == name.lower()


FORWARDED = st.tuples(
    st.sampled_from([b"x-forwarded-for", b"x-forwarded-proto", b"forwarded", b"x-forwarded-host"]),
    st.binary(max_size=40)
    | st.ip_addresses().map(str).map(str.encode)
    | st.from_regex(rb"[0-9a-f:.%, \[\]]{0,40}", fullmatch=True),
)


@given(st.lists(FORWARDED, max_size=4), st.sampled_from(["127.0.0.1", "*", "127.0.0.0/8"]))
def test_forwarded_headers_name_a_network_or_none(headers: list[tuple[bytes, bytes]], trusted: str) -> None:
    """Any forwarded headers leave a client with a network or "local"."""
    seen: list[Scope] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        raise AssertionError("nothing is sent here")

    scope: Any = {"type": "http", "client": ("127.0.0.1", 5), "scheme": "http", "headers": headers}
    asyncio.run(ProxyHeadersMiddleware(application, trusted)(scope, receive, send))  # type: ignore[arg-type]
    network = client_network(seen[0])
    assert re.fullmatch(r"local|[0-9a-f.:]+/(24|48)", network), network

"""The body of each kind of entry, read back into its draft."""

from decimal import Decimal

import pytest

from journal import codec
from journal.entries import KINDS, Draft, Kind
from tests.support.drafts import baseline, fill, gap, settlement, trade, transfer

ALL: dict[str, Draft] = {
    "trade": trade(),
    "fill": fill(fill_id=None, fee=Decimal("0.0175"), order_id="o1", origin="account"),
    "trade with all that a bot may tell": trade(
        strategy="maker", is_taker=False, mid=Decimal("0.655"), decided_at=Decimal("1698676800.1"),
        sent_at=Decimal("1698676800.11"), acknowledged_at=Decimal("1698676800.2"),
    ),
    "correction": trade(quantity=Decimal(0), corrects=17),
    "settlement": settlement(),
    "transfer": transfer(),
    "transfer without a fee": transfer(fee=None, direction="withdrawal"),
    "gap": gap(),
    "gap of numbers": gap(from_seq=0, to_seq=9),
    "baseline": baseline(),
    "baseline with a balance": baseline(balance=Decimal("12.34")),
}  # fmt: skip


@pytest.mark.parametrize("draft", ALL.values(), ids=ALL.keys())
def test_a_body_becomes_its_draft_again(draft: Draft) -> None:
    """Everything that the body shows comes back, and its seq."""
    body = codec.body(draft, 41)
    assert codec.draft(draft.kind, body) == draft
    assert codec.seq(body) == 41
    assert codec.body(codec.draft(draft.kind, body), 41) == body


def test_a_trade_shows_optional_fields_only_where_the_bot_sent_them() -> None:
    """Bodies of bots that send the six fields alone are those of version 0.1."""
    assert codec.body(trade(), 1) == (
        '{"seq":1,"timestamp":1698676800.123,"ticker":"PRES24-GOP","side":"BUY","quantity":50,"price":0.65,'
        '"trade_id":"t1","outcome":"yes","fee":null,"order_id":null,"origin":"bot","mode":"live","source":"bot_live"}'
    )
    told = codec.body(trade(strategy="maker", is_taker=False), 1)
    assert '"source":"bot_live","strategy":"maker","is_taker":false}' in told


def test_a_correction_is_a_trade_and_the_seq_that_it_corrects() -> None:
    """The body of a correction holds the whole trade as it is now."""
    plain = codec.body(trade(), 7)
    assert codec.body(trade(corrects=3), 7) == plain[:-1] + ',"corrects":3}'


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", ["{}", "[]", "null", "7", '{"seq":1,"timestamp":"5"}', "[" * 40_000 + "]" * 40_000])
def test_another_body_is_refused(kind: Kind, body: str) -> None:
    """A body of another kind is a ValueError, however it is nested."""
    with pytest.raises(ValueError):
        codec.draft(kind, body)


@pytest.mark.parametrize("body", ["{}", "[]", '{"seq":"1"}', '{"seq":true}', '{"seq":null}'])
def test_a_body_without_a_seq_is_refused(body: str) -> None:
    """A seq is an integer."""
    with pytest.raises(ValueError, match="seq"):
        codec.seq(body)


def test_a_baseline_without_a_balance() -> None:
    """It writes null; a body of version 0.1, which has no balance at all, is read as one without."""
    text = codec.body(baseline(), 1)
    assert '"balance":null' in text
    assert codec.draft("baseline", text) == codec.draft("baseline", text.replace('"balance":null,', "")) == baseline()

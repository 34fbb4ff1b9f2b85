"""Entries and heads as values: cursors, YES terms of a trade, and what a correction is about."""

from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest

from journal.entries import KINDS, Draft, Head
from tests.support.drafts import baseline, gap, settlement, trade, transfer
from tests.support.pages import checked, trades


def test_a_head_is_written_as_its_cursor() -> None:
    """The first four digits of its checksum are in it; an empty journal has none."""
    assert str(Head("abcd1234", 7, "0f3a99")) == "abcd1234-7-0f3a"
    assert str(Head("abcd1234", 0)) == "abcd1234-0"
    assert (Head("e", 7, "0f3a99").check, Head("e", 0).check) == ("0f3a", "")
    assert [entry.check for entry in checked(trades(1, 2))] == ["0001", "0002"]


@pytest.mark.parametrize(
    ("side", "outcome", "price", "yes"),
    [("BUY", "yes", "0.65", ("BUY", "0.65")), ("SELL", "yes", "0.65", ("SELL", "0.65")),
     ("BUY", "no", "0.35", ("SELL", "0.65")), ("SELL", "no", "0.35", ("BUY", "0.65"))],
)  # fmt: skip
def test_a_trade_in_terms_of_yes(side: Any, outcome: Any, price: str, yes: tuple[str, str]) -> None:
    """BUY no at p is SELL yes at 1 - p."""
    found = trade(side=side, outcome=outcome, price=Decimal(price))
    assert (found.yes_side, found.yes_price) == (yes[0], Decimal(yes[1]))


def test_a_correction_is_about_its_trade() -> None:
    """Time, market and reporter are those of the trade as it is now."""
    found = trade(ticker="NEW", at=5, corrects=3)
    assert (found.kind, found.timestamp, found.ticker, found.source) == (
        "correction", trade(at=5).timestamp, "NEW", "bot_live",
    )  # fmt: skip


def test_each_draft_names_its_kind() -> None:
    """The six kinds of a journal."""
    drafts: list[Draft] = [trade(), trade(corrects=1), settlement(), transfer(), gap(), baseline()]
    assert [draft.kind for draft in drafts] == list(KINDS)
    assert [draft.ticker for draft in drafts[3:]] == ["", "", ""]
    assert gap().source == "journal"


def test_a_trade_by_default_is_the_bots_purchase_of_yes() -> None:
    """Fields that its reporter does not know are None."""
    known = ["timestamp", "ticker", "side", "quantity", "price", "trade_id", "source", "mode"]
    unknown = {each.name: getattr(trade(), each.name) for each in fields(trade()) if each.name not in known}
    assert (unknown.pop("outcome"), unknown.pop("origin"), trade().kind) == ("yes", "bot", "trade")
    assert set(unknown.values()) == {None}

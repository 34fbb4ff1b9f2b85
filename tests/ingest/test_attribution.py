"""Attribution of executions, as a table."""

from decimal import Decimal

import pytest

from ingest.bot_status import BotStatus, BotStatusReading
from ingest.exchange_fills import Attribution
from ingest.gaps import GapSpan, OpenGaps
from journal.entries import Trade
from kalshi.account_models import Fill
from tests.support.exchange import fill

NOW = 1000.0


def origins(status: str, complete_to: float, gap: tuple[int, int] | None = None) -> Attribution:
    """Three seconds between polls; the bot's prefix is bot-, and it reported order o1."""
    bot, gaps = BotStatus(since=0.0), OpenGaps()
    if status != "unseen":
        bot.note(BotStatusReading(), "", 0, 0.0)
    if status == "offline":
        bot.note(None, "gone", 0, 0.0)
        bot.note(None, "gone", 0, 0.0)
    if gap:
        gaps.add(GapSpan(Decimal(gap[0]), Decimal(gap[1]), "test"))
    found = Attribution(bot, gaps, interval=3.0)
    found.prefix, found.complete_to = "bot-", complete_to
    one = Decimal(1)
    found.add_reported([Trade(one, "T", "BUY", one, one, "t", "bot_live", "live", order_id="o1")])
    return found


def execution(at: int, order: str, client_order: str | None = None) -> Fill:
    """A fill of this order at this moment."""
    return fill(1, at, order_id=order, client_order_id=client_order)


@pytest.mark.parametrize(
    ("status", "complete_to", "gap", "at", "order", "client_order", "verdict"),
    [
        pytest.param("online", 0, None, 999, "o1", None, "bot", id="its order"),
        pytest.param("online", 0, None, 999, "o9", "bot-7", "bot", id="its prefix"),
        pytest.param("online", 0, None, 999, "o9", "hand-7", "account", id="another's prefix"),
        pytest.param("unseen", 0, None, 900, "o9", "hand-7", "account", id="there never was a bot"),
        pytest.param("online", 999, None, 900, "o9", None, "account", id="asked, complete, silent"),
        pytest.param("online", 999, None, 998, "o9", None, None, id="young: the bot may yet claim it"),
        pytest.param("online", 800, None, 900, "o9", None, None, id="not asked since"),
        pytest.param("online", 905, None, 900, "o9", None, None, id="not asked since its time was over"),
        pytest.param("online", 999, (890, 910), 900, "o9", None, "bot", id="in a gap"),
        pytest.param("online", 999, (890, 895), 900, "o9", None, "account", id="beside the gap"),
        pytest.param("offline", 800, None, 900, "o9", None, "bot", id="while it could not report"),
        pytest.param("offline", 900, None, 800, "o9", None, "account", id="before it went"),
    ],
)
def test_origin_of_a_fill(
    status: str, complete_to: float, gap: tuple[int, int] | None, at: int, order: str, client_order: str | None,
    verdict: str | None,
) -> None:  # fmt: skip
    """bot, account, or wait (None)."""
    found = origins(status, complete_to, gap).judge(execution(at, order, client_order), NOW)
    assert (None if isinstance(found, float) else found) == verdict
    if isinstance(found, float):
        assert 0.1 <= found <= 6.0


def test_the_oldest_orders_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded; one that is reported again counts as new."""
    monkeypatch.setattr("ingest.exchange_fills.MAX_ORDERS", 2)
    found, one = origins("online", 999), Decimal(1)
    for order in ("o2", "o1", "o3"):
        found.add_reported([Trade(one, "T", "BUY", one, one, "t", "bot_live", "live", order_id=order)])
    known = [order for order in ("o1", "o2", "o3") if found.judge(execution(900, order), NOW) == "bot"]
    assert known == ["o1", "o3"]


@pytest.mark.parametrize(
    ("complete_to", "at", "now", "verdict"),
    [
        (906.0, 900, NOW, "account"),
        (905.999, 900, NOW, 3.0),
        (0.0, 998, NOW, 4.0),
        (0.0, 994, NOW, 3.0),
        (0.0, 995, 1000.95, 0.1),
        (0.0, 1010, NOW, 6.0),
    ],
)
def test_the_seconds_after_which_to_decide_again(complete_to: float, at: int, now: float, verdict: str | float) -> None:
    """Two polls after the execution, then half of that; a tenth of a second at least, and never more than two polls."""
    found = origins("online", complete_to).judge(execution(at, "o9"), now)
    assert found == (pytest.approx(verdict) if isinstance(verdict, float) else verdict)


@pytest.mark.parametrize(("at", "verdict"), [(894, "account"), (895, "bot")])
def test_a_bot_that_went_offline_could_report_up_to_two_polls_before(at: int, verdict: str) -> None:
    """Complete to 900, an execution of 894 would have been reported; one of 895 is the bot's."""
    assert origins("offline", 900.0).judge(execution(at, "o9"), NOW) == verdict


def test_without_a_prefix_a_client_id_decides_nothing() -> None:
    """The bot's own report decides; an empty client id is none."""
    found = origins("online", 999.0)
    found.prefix = None
    assert found.judge(execution(998, "o9", "hand-7"), NOW) != "account"
    assert found.judge(execution(900, "o9", "bot-7"), NOW) == "account"
    found.prefix = "bot-"
    assert isinstance(found.judge(execution(998, "o9", ""), NOW), float)
    assert isinstance(found.judge(execution(998, "o9", None), NOW), float)

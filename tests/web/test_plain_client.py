"""The client that the service was ordered with, word for word: a plain EventSource with two listeners."""

from pathlib import Path

import pytest

from tests.support.eventually import until
from tests.support.fakebot import FakeBot
from tests.support.server import running_server
from tests.web.chrome import Chrome

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CLIENT = """
// Connect to trade-focused SSE stream
const eventSource = new EventSource('/api/python/sse/trading');

eventSource.addEventListener('new_trades', (event) => {
    const data = JSON.parse(event.data);
    console.log('New trades:', data.trades);

    // Frontend manages position calculation
    data.trades.forEach(trade => {
        updateTradeHistory(trade);
        recalculatePositions(trade.ticker);
    });
});

eventSource.addEventListener('bot_status', (event) => {
    const data = JSON.parse(event.data);
    console.log('Bot status:', data.status);
    updateBotStatusIndicator(data.status);
});
"""

PAGE = """
window.calls = {history: [], tickers: [], statuses: []};
window.updateTradeHistory = trade => calls.history.push(trade);
window.recalculatePositions = ticker => calls.tickers.push(ticker);
window.updateBotStatusIndicator = status => calls.statuses.push(status);
"""

FIELDS = {"timestamp", "ticker", "side", "quantity", "price", "trade_id"}


def test_the_plain_client_shows_trades_and_the_bots_status(chrome: Chrome, tmp_path: Path) -> None:
    """Each trade arrives once, in order and with the six fields of the bot; the status follows the bot."""
    with FakeBot() as bot, running_server(tmp_path, **bot.settings) as server:
        chrome.open(f"http://127.0.0.1:{server.port}/api/python/docs")
        chrome.run(PAGE + CLIENT)
        until(lambda: chrome.run("return calls.statuses.at(-1)") == "online", 20)
        bot.trade(3)
        until(lambda: len(chrome.run("return calls.history")) == 3, 20)
        history = chrome.run("return calls.history")
        assert [trade["trade_id"] for trade in history] == [trade["trade_id"] for trade in bot.trades]
        assert all(trade.keys() >= FIELDS for trade in history)
        assert chrome.run("return calls.tickers") == [trade["ticker"] for trade in history]

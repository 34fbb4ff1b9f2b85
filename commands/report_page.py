"""The report as one HTML page: figures, plots drawn as SVG, tables by day, market and strategy, and every tax lot."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from html import escape
from typing import Final

from cache.decimal_json import plain
from commands.performance import Performance
from commands.report_figures import TradingReport, dollars, percent
from ledger.amounts import ZERO

WIDTH: Final = 860
HEIGHT: Final = 220
EDGE: Final = 8
MOST_POINTS: Final = 800
STYLE: Final = """
body{font:14px/1.5 system-ui,sans-serif;max-width:900px;margin:2rem auto;padding:0 1rem;color:#1c2430}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}th,td{padding:.2rem .5rem;text-align:right;border-bottom:1px solid #e3e7ee}
th:first-child,td:first-child{text-align:left}td{font-variant-numeric:tabular-nums}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(190px,1fr));gap:.5rem}
.figures div{border:1px solid #e3e7ee;border-radius:6px;padding:.5rem .7rem}.figures b{display:block;font-size:1.1rem}
svg{width:100%;height:auto;border:1px solid #e3e7ee;border-radius:6px}
"""


def page(report: TradingReport) -> str:
    """Return the page. It loads nothing, so that it can be mailed and kept."""
    span = _span(report)
    tiles = "".join(f"<div>{escape(name)}<b>{escape(text)}</b></div>" for name, text in report.summary())
    parts = [
        f"<h1>Trading report</h1><p>{escape(span)}</p><div class=figures>{tiles}</div>",
        f"<h2>Profit of closed trades</h2>{_line(report.curve(), '#1f6feb')}",
        f"<h2>Drawdown</h2>{_line(_fall(report.curve()), '#c4342b')}",
        f"<h2>Days</h2>{_bars(report.by_day())}{_table('Day', report.by_day())}",
        f"<h2>Markets</h2>{_table('Market', report.by_market())}",
    ]
    if strategies := report.by_strategy():
        parts.append(f"<h2>Strategies</h2>{_table('Strategy', strategies)}")
    parts.append(f"<h2>Tax lots, first in first out</h2>{_lots(report)}")
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width,initial-scale=1">'
        f"<title>Trading report</title><style>{STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def _span(report: TradingReport) -> str:
    if not report.lots:
        return "No trade was closed in this time."
    return f"Closed from {_utc(report.lots[0].closed)} to {_utc(report.lots[-1].closed)} UTC."


def _utc(seconds: Decimal | None) -> str:
    return "-" if seconds is None else datetime.fromtimestamp(float(seconds), UTC).strftime("%Y-%m-%d %H:%M:%S")


def _fall(curve: Sequence[tuple[Decimal, Decimal]]) -> list[tuple[Decimal, Decimal]]:
    """The distance of each point below the highest one before it, from 0 down."""
    top, found = ZERO, []
    for when, amount in curve:
        top = max(top, amount)
        found.append((when, amount - top))
    return found


def _line(points: Sequence[tuple[Decimal, Decimal]], color: str) -> str:
    """A line over time; the horizontal line is 0."""
    if len(points) < 2:
        return "<p>Too few closed trades for a plot.</p>"
    step = max(1, len(points) // MOST_POINTS)
    shown = [*points[::step], points[-1]]
    first, last = float(shown[0][0]), float(shown[-1][0])
    low, high = min(0.0, *(float(y) for _, y in shown)), max(0.0, *(float(y) for _, y in shown))
    path = " ".join(
        f"{_scale(float(x), first, last, WIDTH):.1f},{HEIGHT - _scale(float(y), low, high, HEIGHT):.1f}"
        for x, y in shown
    )
    zero = HEIGHT - _scale(0.0, low, high, HEIGHT)
    return _svg(
        f'<line x1="0" x2="{WIDTH}" y1="{zero:.1f}" y2="{zero:.1f}" stroke="#b9c1cc"/>'
        f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="1.5"/>',
        low, high,
    )  # fmt: skip


def _bars(days: Sequence[tuple[str, Performance]]) -> str:
    """A bar for each day, up for profit and down for loss."""
    if not days:
        return ""
    nets = [float(figures.net) for _, figures in days]
    low, high = min(0.0, *nets), max(0.0, *nets)
    zero = HEIGHT - _scale(0.0, low, high, HEIGHT)
    slot = (WIDTH - 2 * EDGE) / len(days)
    bars = ""
    for place, ((day, figures), net) in enumerate(zip(days, nets, strict=True)):
        top = HEIGHT - _scale(max(net, 0.0), low, high, HEIGHT)
        bottom = HEIGHT - _scale(min(net, 0.0), low, high, HEIGHT)
        color = "#2c8a4b" if net >= 0 else "#c4342b"
        bars += (
            f'<rect x="{EDGE + place * slot + slot * 0.1:.1f}" y="{top:.1f}" width="{slot * 0.8:.1f}" '
            f'height="{max(bottom - top, 0.5):.1f}" fill="{color}"><title>{day}: {dollars(figures.net)}</title></rect>'
        )
    return _svg(f'<line x1="0" x2="{WIDTH}" y1="{zero:.1f}" y2="{zero:.1f}" stroke="#b9c1cc"/>{bars}', low, high)


def _scale(value: float, low: float, high: float, size: int) -> float:
    return EDGE + (value - low) / ((high - low) or 1.0) * (size - 2 * EDGE)


def _svg(content: str, low: float, high: float) -> str:
    labels = (
        f'<text x="4" y="12" font-size="11" fill="#5b6675">{high:,.2f}</text>'
        f'<text x="4" y="{HEIGHT - 3}" font-size="11" fill="#5b6675">{low:,.2f}</text>'
    )
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="plot in dollars">{content}{labels}</svg>'


def _table(title: str, rows: Sequence[tuple[str, Performance]]) -> str:
    heads = (title, "Closed", "Net", "Win rate", "Profit factor", "Fees")
    body = "".join(
        _row((
            name, str(each.closed), dollars(each.net), percent(each.win_rate),
            "-" if each.profit_factor is None else f"{each.profit_factor:.2f}", dollars(each.fees),
        ))
        for name, each in rows
    )  # fmt: skip
    return f"<table><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>{body}</table>"


def _lots(report: TradingReport) -> str:
    heads = ("Market", "Outcome", "Contracts", "Opened", "Closed", "Cost", "Proceeds", "Fees", "Profit", "Closed by")
    body = "".join(
        _row((
            lot.ticker, lot.outcome, plain(lot.quantity), _utc(lot.opened), _utc(lot.closed), dollars(lot.cost),
            dollars(lot.proceeds), dollars(lot.fees), dollars(lot.profit),
            "settlement" if lot.by_settlement else "trade",
        ))
        for lot in report.lots
    )  # fmt: skip
    return f"<table><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>{body}</table>"


def _row(cells: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"

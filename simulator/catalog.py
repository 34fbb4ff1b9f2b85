"""What is traded: series and the events made from them, with titles that a person can read."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Final

from simulator.book import Book
from simulator.market import Event, Market, Series

DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """One market of an event: the end of its ticker, what YES means, where its price starts (1/10000 dollar)."""

    suffix: str
    means: str
    fair: int
    strike: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How to make the events of a series. question: {date} and {time} are filled in. structure: its price grid."""

    series: Series
    question: str
    outcomes: tuple[Outcome, ...]
    structure: str = "linear_cent"
    exclusive: bool = False


def _steps(prefix: str, means: str, strikes: list[tuple[int, int]]) -> tuple[Outcome, ...]:
    return tuple(Outcome(f"{prefix}{at}", means.format(at=f"{at:,}"), fair, at) for at, fair in strikes)


PLANS: Final = (
    Plan(
        Series("KXPRESPARTY", "Presidential election winner", "Elections", "custom", 700 * DAY),
        "Which party will win the 2028 presidential election?",
        (Outcome("DEM", "Democratic party", 5300), Outcome("REP", "Republican party", 4600)),
        exclusive=True,
    ),
    Plan(
        Series("KXSENATEPA", "Pennsylvania Senate race", "Elections", "custom", 340 * DAY),
        "Who will win the Pennsylvania Senate seat?",
        (Outcome("D", "Democratic candidate", 5600), Outcome("R", "Republican candidate", 4300)),
        exclusive=True,
    ),
    Plan(
        Series("KXFEDDECISION", "Fed decision", "Economics", "monthly", 30 * DAY, maker_fees=True),
        "What will the Fed do at its next meeting?",
        (
            Outcome("C26", "Cut by more than 25 basis points", 700),
            Outcome("C25", "Cut by 25 basis points", 4400),
            Outcome("H0", "Hold", 4600),
            Outcome("H25", "Raise by 25 basis points", 300),
        ),
        "tapered_deci_cent",
        exclusive=True,
    ),
    Plan(
        Series("KXCPIYOY", "US inflation", "Economics", "monthly", 25 * DAY),
        "Will yearly inflation be above the mark?",
        (Outcome("T26", "Above 2.6%", 8100), Outcome("T28", "Above 2.8%", 5200), Outcome("T30", "Above 3.0%", 2100)),
    ),
    Plan(
        Series("KXHIGHNY", "Highest temperature in New York", "Climate and Weather", "daily", DAY),
        "Highest temperature in New York City on {date}?",
        _steps("T", "{at} degrees or above", [(44, 9000), (47, 7200), (50, 4800), (53, 2300), (56, 800)]),
    ),
    Plan(
        Series("KXRAINNYC", "Rain in New York", "Climate and Weather", "daily", DAY),
        "Will it rain in New York City on {date}?",
        (Outcome("T0", "Rain", 3500),),
    ),
    Plan(
        Series("KXNFLGAME", "Professional football game", "Sports", "custom", 4 * 3600, maker_fees=True),
        "Buffalo at Kansas City: who will win on {date}?",
        (Outcome("BUF", "Buffalo", 4700), Outcome("KC", "Kansas City", 5400)),
        exclusive=True,
    ),
    Plan(
        Series("KXNBAGAME", "Professional basketball game", "Sports", "custom", 3 * 3600, maker_fees=True),
        "Boston at New York: who will win on {date}?",
        (Outcome("BOS", "Boston", 5100), Outcome("NYK", "New York", 5000)),
        exclusive=True,
    ),
    Plan(
        Series("KXOSCARPIC", "Best Picture", "Entertainment", "annual", 110 * DAY),
        "Which film will win Best Picture?",
        (
            Outcome("HARB", "The Harbour", 3800),
            Outcome("ORCH", "Orchard Road", 2900),
            Outcome("NINE", "Nine Winters", 1700),
        ),
        "deci_cent",
        exclusive=True,
    ),
    Plan(
        Series("KXBTCD", "Bitcoin price", "Crypto", "daily", DAY),
        "Bitcoin price on {date} at 5pm EST?",
        _steps("T", "${at} or above", [(88_000, 8600), (92_000, 6400), (96_000, 3900), (100_000, 1800)]),
    ),
    Plan(
        Series("KXETHD", "Ethereum price", "Crypto", "hourly", 3600),
        "Ethereum price today at {time} UTC?",
        _steps("T", "${at} or above", [(2_900, 7800), (3_000, 5100), (3_100, 2400)]),
    ),
    Plan(
        Series("KXBTC15M", "Bitcoin up or down", "Crypto", "fifteen_min", 900),
        "Bitcoin up in the 15 minutes to {time} UTC?",
        (Outcome("UP", "Up", 5000),),
    ),
    Plan(
        Series("KXGASAVG", "Average gas price", "Economics", "weekly", 7 * DAY),
        "US average gas price in the week of {date}?",
        (Outcome("T310", "Above $3.10", 5700), Outcome("T320", "Above $3.20", 3100)),
    ),
)


def make_event(
    plan: Plan, opens: float, speed: float, rng: Random, new_book: Callable[[str], Book], exact: bool = False
) -> tuple[Event, list[Market]]:
    """The next event of a plan, opening at a time; its period and timer pass `speed` times as fast.

    exact: the ticker names the second of the close, as it does anyway when events are shorter than a day.
    """
    closes = opens + plan.series.period / speed
    moment = datetime.fromtimestamp(closes, UTC)
    exact = exact or plan.series.period / speed < DAY
    stamp = moment.strftime("%y%b%d%H%M%S" if exact else "%y%b%d").upper()
    date = f"{moment:%B} {moment.day}, {moment.year}"
    title = plan.question.format(date=date, time=f"{moment:%H:%M}")
    event = Event(f"{plan.series.ticker}-{stamp}", plan.series, title, f"On {date}", plan.exclusive)
    markets = []
    for outcome in plan.outcomes:
        ticker = f"{event.ticker}-{outcome.suffix}"
        fair = min(max(outcome.fair + rng.randint(-300, 300), 200), 9800)
        markets.append(
            Market(
                ticker,
                event,
                title,
                outcome.means,
                plan.structure,
                opens,
                opens,
                closes,
                max(1.0, 60 / speed),
                fair,
                new_book(ticker),
                outcome.strike,
                updated=opens,
            )
        )
    return event, markets

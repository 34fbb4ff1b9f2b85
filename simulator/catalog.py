"""The catalog: series, and the events and markets made from them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Final, Literal

from simulator.market import SimulatedEvent, SimulatedMarket, SimulatedSeries
from simulator.order_book import SimulatedBook

DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class OutcomeTemplate:
    """One market of an event: the end of its ticker, the title of YES, the first fair price (1/10000 dollar)."""

    suffix: str
    yes_title: str
    fair: int
    strike: int | None = None


@dataclass(frozen=True, slots=True)
class EventTemplate:
    """Template of the events of a series.

    question: {date} and {time} are filled in. structure: the price grid. bounds: settlement_bounds_type.
    """

    series: SimulatedSeries
    question: str
    outcomes: tuple[OutcomeTemplate, ...]
    structure: str = "linear_cent"
    exclusive: bool = False
    bounds: Literal["default", "floor"] = "default"


def _strikes(prefix: str, title: str, strikes: list[tuple[int, int]]) -> tuple[OutcomeTemplate, ...]:
    return tuple(OutcomeTemplate(f"{prefix}{at}", title.format(at=f"{at:,}"), fair, at) for at, fair in strikes)


TEMPLATES: Final = (
    EventTemplate(
        SimulatedSeries("KXPRESPARTY", "Presidential election winner", "Elections", "custom", 700 * DAY),
        "Which party will win the 2028 presidential election?",
        (OutcomeTemplate("DEM", "Democratic party", 5300), OutcomeTemplate("REP", "Republican party", 4600)),
        exclusive=True,
    ),
    EventTemplate(
        SimulatedSeries("KXSENATEPA", "Pennsylvania Senate race", "Elections", "custom", 340 * DAY),
        "Who will win the Pennsylvania Senate seat?",
        (OutcomeTemplate("D", "Democratic candidate", 5600), OutcomeTemplate("R", "Republican candidate", 4300)),
        exclusive=True,
    ),
    EventTemplate(
        SimulatedSeries("KXFEDDECISION", "Fed decision", "Economics", "monthly", 30 * DAY, maker_fees=True),
        "What will the Fed do at its next meeting?",
        (
            OutcomeTemplate("C26", "Cut by more than 25 basis points", 700),
            OutcomeTemplate("C25", "Cut by 25 basis points", 4400),
            OutcomeTemplate("H0", "Hold", 4600),
            OutcomeTemplate("H25", "Raise by 25 basis points", 300),
        ),
        "tapered_deci_cent",
        exclusive=True,
    ),
    EventTemplate(
        SimulatedSeries("KXCPIYOY", "US inflation", "Economics", "monthly", 25 * DAY),
        "Will yearly inflation be above the mark?",
        (
            OutcomeTemplate("T26", "Above 2.6%", 8100),
            OutcomeTemplate("T28", "Above 2.8%", 5200),
            OutcomeTemplate("T30", "Above 3.0%", 2100),
        ),
    ),
    EventTemplate(
        SimulatedSeries("KXHIGHNY", "Highest temperature in New York", "Climate and Weather", "daily", DAY),
        "Highest temperature in New York City on {date}?",
        _strikes("T", "{at} degrees or above", [(44, 9000), (47, 7200), (50, 4800), (53, 2300), (56, 800)]),
    ),
    EventTemplate(
        SimulatedSeries("KXRAINNYC", "Rain in New York", "Climate and Weather", "daily", DAY),
        "Will it rain in New York City on {date}?",
        (OutcomeTemplate("T0", "Rain", 3500),),
    ),
    EventTemplate(
        SimulatedSeries("KXNFLGAME", "Professional football game", "Sports", "custom", 4 * 3600, maker_fees=True),
        "Buffalo at Kansas City: who will win on {date}?",
        (OutcomeTemplate("BUF", "Buffalo", 4700), OutcomeTemplate("KC", "Kansas City", 5400)),
        exclusive=True,
    ),
    EventTemplate(
        SimulatedSeries(
            "KXNBAGAME", "Professional basketball game", "Sports", "custom", 3 * 3600, maker_fees=True, shard=3
        ),
        "Boston at New York: who will win on {date}?",
        (OutcomeTemplate("BOS", "Boston", 5100), OutcomeTemplate("NYK", "New York", 5000)),
        exclusive=True,
    ),
    EventTemplate(
        SimulatedSeries("KXOSCARPIC", "Best Picture", "Entertainment", "annual", 110 * DAY),
        "Which film will win Best Picture?",
        (
            OutcomeTemplate("HARB", "The Harbour", 3800),
            OutcomeTemplate("ORCH", "Orchard Road", 2900),
            OutcomeTemplate("NINE", "Nine Winters", 1700),
        ),
        "deci_cent",
        exclusive=True,
    ),
    EventTemplate(
        SimulatedSeries("KXBTCD", "Bitcoin price", "Crypto", "daily", DAY, shard=2),
        "Bitcoin price on {date} at 5pm EST?",
        _strikes("T", "${at} or above", [(88_000, 8600), (92_000, 6400), (96_000, 3900), (100_000, 1800)]),
    ),
    EventTemplate(
        SimulatedSeries("KXETHD", "Ethereum price", "Crypto", "hourly", 3600, shard=2),
        "Ethereum price today at {time} UTC?",
        _strikes("T", "${at} or above", [(2_900, 7800), (3_000, 5100), (3_100, 2400)]),
    ),
    EventTemplate(
        SimulatedSeries("KXBTC15M", "Bitcoin up or down", "Crypto", "fifteen_min", 900, shard=2),
        "Bitcoin up in the 15 minutes to {time} UTC?",
        (OutcomeTemplate("UP", "Up", 5000),),
    ),
    EventTemplate(
        SimulatedSeries("KXHIGHCHI", "Highest temperature in Chicago", "Climate and Weather", "daily", DAY),
        "Highest temperature in Chicago on {date}?",
        _strikes("T", "{at} degrees or above", [(38, 8200), (41, 5200), (44, 2200)]),
    ),
    EventTemplate(
        SimulatedSeries("KXATPMATCH", "Tennis match", "Sports", "custom", 5 * 3600, maker_fees=True, shard=3),
        "Vega against Lind: who will win on {date}?",
        (OutcomeTemplate("VEG", "Vega", 5600), OutcomeTemplate("LIN", "Lind", 4400)),
        exclusive=True,
    ),
    EventTemplate(
        SimulatedSeries("KXSHUTDOWN", "Days of a government shutdown", "Politics", "custom", 20 * DAY),
        "Days of a shutdown, ten cents each?",
        (OutcomeTemplate("D10", "Up to ten days", 3700),),
        bounds="floor",
    ),
    EventTemplate(
        SimulatedSeries("KXGASAVG", "Average gas price", "Economics", "weekly", 7 * DAY),
        "US average gas price in the week of {date}?",
        (OutcomeTemplate("T310", "Above $3.10", 5700), OutcomeTemplate("T320", "Above $3.20", 3100)),
    ),
)


def make_event(
    template: EventTemplate,
    opens: float,
    speed: float,
    rng: Random,
    new_book: Callable[[str], SimulatedBook],
    exact: bool = False,
) -> tuple[SimulatedEvent, list[SimulatedMarket]]:
    """Return the next event of a template and its markets; period and timer pass `speed` times as fast.

    opens: Unix seconds. exact: put the second of the close into the ticker, as for events shorter than a day.
    """
    period = template.series.period / speed
    closes = opens + period
    moment = datetime.fromtimestamp(closes, UTC)
    stamp = moment.strftime("%y%b%d%H%M%S" if exact or period < DAY else "%y%b%d").upper()
    date = f"{moment:%B} {moment.day}, {moment.year}"
    title = template.question.format(date=date, time=f"{moment:%H:%M}")
    event = SimulatedEvent(
        f"{template.series.ticker}-{stamp}", template.series, title, f"On {date}", template.exclusive
    )
    return event, [
        SimulatedMarket(
            ticker := f"{event.ticker}-{outcome.suffix}",
            event,
            title,
            outcome.yes_title,
            template.structure,
            opens,
            opens,
            closes,
            max(1.0, 60 / speed),
            min(max(outcome.fair + rng.randint(-300, 300), 200), 9800),
            new_book(ticker),
            outcome.strike,
            template.bounds,
            updated=opens,
        )
        for outcome in template.outcomes
    ]

"""The rules by which one execution is one entry: a table of cases, then laws over any reports."""

from dataclasses import replace
from decimal import Decimal
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journal import deduplication, fingerprint
from journal.deduplication import AppendPlan
from journal.entries import Draft, Trade
from journal.fingerprint import Candidate, KnownId
from tests.support.drafts import baseline, fill, gap, settlement, trade, transfer


class Journalled:
    """A journal without a database: what the rules know from batch to batch, and nothing else."""

    def __init__(self) -> None:
        self.ids: dict[str, list[KnownId]] = {}
        self.candidates: dict[int, Candidate] = {}
        self.drafts: list[Draft] = []

    def append(self, *drafts: Draft) -> AppendPlan:
        """Match a batch and remember its plan."""
        plan = deduplication.match(drafts, self.ids, self.candidates, len(self.drafts))
        for new in plan.fresh:
            self.drafts.append(new.draft)
            if isinstance(new.draft, Trade):
                self.candidates[new.seq] = Candidate.of(new.seq, new.draft, new.open)
        for seq in plan.closed:
            self.candidates[seq] = replace(self.candidates[seq], open=False)
        for known in plan.ids:
            same = self.ids.setdefault(known.name, [])
            assert all(other.content != known.content for other in same), "an id would be written twice"
            same.append(known)
        return plan


P, Z = Decimal("0.44"), Decimal(0)
NO = {"side": "SELL", "outcome": "no", "price": Decimal("0.35")}  # what BUY yes 0.65 is, told of the other side

CASES: dict[str, tuple[list[list[Draft]], list[list[int]], int]] = {
    "a trade told twice": ([[trade()], [trade()]], [[1], [1]], 0),
    "told twice in one batch": ([[trade(), trade()]], [[1, 1]], 0),
    "an id reused later": ([[trade()], [trade(at=60)]], [[1], [2]], 0),
    "an id reused for other content": ([[trade()], [trade(price=Decimal("0.66"))]], [[1], [2]], 0),
    "alike under two ids": ([[trade(), trade(trade_id="t2")]], [[1, 2]], 0),
    "ids that differ in case only": ([[trade(trade_id="a"), trade(trade_id="A")]], [[1, 2]], 0),
    "numbers written otherwise": ([[trade()], [trade(price=Decimal("0.650"))]], [[1], [1]], 0),
    "same in two lives of the bot": ([[trade(boot_id="a")], [trade(boot_id="b")]], [[1], [1]], 0),
    "same in one life of the bot": ([[trade(boot_id="a")], [trade(boot_id="a")]], [[1], [1]], 0),
    "no boot_id before and after a restart": ([[trade()], [trade()]], [[1], [1]], 0),
    "the bot starts to tell its boot_id": ([[trade()], [trade(boot_id="a")]], [[1], [1]], 0),
    "the bot stops to tell its boot_id": ([[trade(boot_id="a")], [trade()]], [[1], [1]], 0),
    "paper is not live": ([[trade(mode="paper")], [trade(), fill()]], [[1], [2, 2]], 1),
    "a fill told twice": ([[fill()], [fill(at=3)]], [[1], [1]], 0),
    "two fills alike": ([[fill(), fill(trade_id="f2")]], [[1, 2]], 0),
    "the bot's trade_id is the fill id": ([[trade(trade_id="f1")], [fill(at=60)]], [[1], [1]], 0),
    "the fill first, trade_id is its id": ([[fill()], [trade(trade_id="f1", at=60)]], [[1], [1]], 0),
    "the bot names the fill": ([[trade(fill_id="f1")], [fill(at=60)]], [[1], [1]], 0),
    "the fill first, the bot names it": ([[fill()], [trade(fill_id="f1", at=60)]], [[1], [1]], 0),
    "the bot names the fill in two lives": (
        [[trade(fill_id="f1", boot_id="a")], [trade(fill_id="f1", boot_id="b", trade_id="t9")]], [[1], [1]], 0,
    ),
    "the bot names another fill": ([[trade(fill_id="f9")], [fill()]], [[1], [2]], 0),
    "the fill first, the bot names another": ([[fill()], [trade(fill_id="f9")]], [[1], [2]], 0),
    "same id, other quantity": ([[trade(trade_id="f1")], [fill(quantity=Decimal(49))]], [[1], [2]], 0),
    "same id, told of the other outcome": ([[trade(trade_id="f1")], [fill(**NO, at=60)]], [[1], [1]], 0),
    "alike": ([[trade()], [fill(at=2)]], [[1], [1]], 1),
    "alike, the fill first": ([[fill()], [trade(at=2)]], [[1], [1]], 1),
    "alike in one batch": ([[trade(), fill(at=2)]], [[1, 1]], 1),
    "alike, told of the other outcome": ([[trade()], [fill(**NO)]], [[1], [1]], 1),
    "alike ten seconds apart": ([[trade()], [fill(at=10)]], [[1], [1]], 1),
    "alike too far apart": ([[trade()], [fill(at="10.000001")]], [[1], [2]], 0),
    "alike, other price": ([[trade()], [fill(price=Decimal("0.6501"))]], [[1], [2]], 0),
    "alike, other side": ([[trade()], [fill(side="SELL")]], [[1], [2]], 0),
    "alike, other ticker": ([[trade()], [fill(ticker="PRES24-DEM")]], [[1], [2]], 0),
    "one to one": ([[trade()], [fill(), fill(trade_id="f2")]], [[1], [1, 2]], 1),
    "two and two": ([[trade(), trade(trade_id="t2")], [fill(), fill(trade_id="f2")]], [[1, 2], [1, 2]], 2),
    "the nearest wins": ([[trade(), trade(trade_id="t2", at=4)], [fill(at=3)]], [[1, 2], [2]], 1),
    "the nearest of the batch wins": ([[trade()], [fill(at=5), fill(trade_id="f2", at=1)]], [[1], [2, 1]], 1),
    "matched, then told again by both": (
        [[trade()], [fill(at=2)], [trade(), fill(at=2)], [fill(trade_id="f2", at=2)]], [[1], [1], [1, 1], [2]], 1,
    ),
    "an entry whose batch matched it is taken": ([[trade(), fill()], [fill(trade_id="f2")]], [[1, 1], [2]], 1),
    "a settlement twice": ([[settlement()], [settlement(revenue=Decimal(1))]], [[1], [1]], 0),
    "two settlements": ([[settlement(), settlement(ticker="X"), settlement(timestamp=Decimal(1))]], [[1, 2, 3]], 0),
    "one baseline for ever": ([[baseline()], [baseline(timestamp=Decimal(5), positions=[])]], [[1], [1]], 0),
    "a gap twice": ([[gap()], [gap(timestamp=Decimal(7)), gap(why="other"), gap(end=Decimal(9))]], [[1], [1, 2, 3]], 0),
    "a gap of other numbers": ([[gap()], [gap(from_seq=3, to_seq=9)], [gap(from_seq=3, to_seq=9)]], [[1], [2], [2]], 0),
    "a transfer twice": ([[transfer()], [transfer(amount=Decimal(1))]], [[1], [1]], 0),
    "other transfers": (
        [[transfer(), transfer(status="pending"), transfer(direction="withdrawal"), transfer(transfer_id="d2")]],
        [[1, 2, 3, 4]], 0,
    ),
    "a balance after a baseline without one": ([[baseline()], [baseline(balance=Decimal(9))]], [[1], [2]], 0),
    "a baseline without a balance after one": ([[baseline(balance=Decimal(9))], [baseline()]], [[1], [1]], 0),
    "corrected, then both contents again": (
        [[trade()], [trade(price=P)], [trade(), trade(price=P)]], [[1], [2], [1, 2]], 0,
    ),
    "corrected in one batch": ([[trade(), trade(price=P)]], [[1, 2]], 0),
    "corrected in another life of the bot": ([[trade(boot_id="a")], [trade(price=P, boot_id="b")]], [[1], [2]], 0),
    "corrected twice": ([[trade()], [trade(price=P)], [trade(price=P + P)]], [[1], [2], [3]], 0),
    "voided": ([[trade()], [trade(quantity=Z)], [trade(quantity=Z)]], [[1], [2], [2]], 0),
    "voided and never recorded": ([[trade(quantity=Z)], [trade()]], [[0], [1]], 0),
    "corrected in paper": ([[trade()], [trade(mode="paper", price=P)]], [[1], [2]], 0),
    "corrected, then filled as corrected": ([[trade()], [trade(price=P)], [fill(price=P)]], [[1], [2], [2]], 1),
    "corrected, then filled by id": (
        [[trade(trade_id="f1")], [trade(trade_id="f1", price=P)], [fill(price=P)]], [[1], [2], [2]], 0,
    ),
    "filled, then corrected": (
        [[trade()], [fill()], [trade(price=P)], [fill(price=P, trade_id="f2")]], [[1], [1], [2], [3]], 1,
    ),
    "filled as it was before the correction": ([[trade()], [trade(price=P)], [fill()]], [[1], [2], [3]], 0),
    "corrected to a fill that is recorded": (
        [[fill(price=P)], [trade()], [trade(price=P)], [trade(price=P)]], [[1], [2], [1], [1]], 1,
    ),
    "corrected to a fill known by id": (
        [[fill(price=P)], [trade(trade_id="f1")], [trade(trade_id="f1", price=P, at=0)]], [[1], [2], [1]], 0,
    ),
    "a void of a trade that a fill was matched to": (
        [[fill()], [trade(at=1)], [trade(at=1, quantity=Z)]], [[1], [1], [2]], 1,
    ),
    "nothing": ([[]], [[]], 0),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_case(case: tuple[list[list[Draft]], list[list[int]], int]) -> None:
    """Each batch is matched in order; each of its drafts leads to the entry that the table names."""
    batches, expected, heuristic = case
    journal = Journalled()
    plans = [journal.append(*batch) for batch in batches]
    assert [plan.by_draft for plan in plans] == expected
    assert sum(plan.heuristic for plan in plans) == heuristic


def test_a_correction_names_the_first_entry_of_its_trade() -> None:
    """However often a trade is corrected, each correction names the seq of the trade, and has the whole new content."""
    journal = Journalled()
    journal.append(gap())
    journal.append(trade(), trade(price=P))
    journal.append(trade(price=P + P, fee=Decimal(1)))
    assert journal.drafts[2:] == [trade(price=P, corrects=2), trade(price=P + P, fee=Decimal(1), corrects=2)]


def test_a_correction_of_the_first_entry_of_all() -> None:
    """Also at seq 1, and from batch to batch."""
    journal = Journalled()
    for price in (P + P, P, Z):
        journal.append(trade(price=price))
    assert [draft.corrects for draft in journal.drafts if isinstance(draft, Trade) and draft.corrects is not None] == [
        1,
        1,
    ]


def test_a_correction_to_a_recorded_fill_voids_the_trade() -> None:
    """The exchange's fill and the bot's corrected trade are one execution: the bot's first report is voided."""
    journal = Journalled()
    journal.append(fill(price=P))
    journal.append(trade())
    plan = journal.append(trade(price=P))
    assert [new.draft for new in plan.fresh] == [trade(price=P, quantity=Z, corrects=2)]
    assert plan.closed == [1, 2]
    assert not plan.fresh[0].open


def test_a_fee_or_an_order_id_that_comes_later_corrects_nothing() -> None:
    """Only ticker, side, outcome, quantity and price are content; the rest may come later or differ."""
    journal = Journalled()
    plan = journal.append(trade(), trade(fee=Decimal(1), order_id="o1", boot_id="b", strategy="maker"), trade(**NO))
    assert [new.draft for new in plan.fresh] == [trade()]
    assert plan.by_draft == [1, 1, 1]


bots = st.builds(
    trade, at=st.integers(0, 40), trade_id=st.sampled_from("abc"), boot_id=st.sampled_from([None, "x", "y"]),
    quantity=st.sampled_from([Decimal(1), Decimal(2)]), fill_id=st.sampled_from([None, None, "f1"]),
)  # fmt: skip
fills = st.builds(
    fill, at=st.integers(0, 40), trade_id=st.sampled_from(["f1", "f2", "f3"]),
    quantity=st.sampled_from([Decimal(1), Decimal(2)]),
)  # fmt: skip
reports = st.lists(bots | fills | st.builds(gap, why=st.sampled_from("ab")), max_size=12)


@given(st.lists(reports, max_size=4))
@settings(max_examples=300, deadline=None)
def test_a_repeated_report_makes_no_new_entry(batches: list[list[Draft]]) -> None:
    """Reporting any history again, in one batch or in many, makes nothing new and leads to the same entries."""
    journal = Journalled()
    first = [journal.append(*batch).by_draft for batch in batches]
    head = len(journal.drafts)
    again = [journal.append(*batch) for batch in batches]
    assert not any(plan.fresh or plan.heuristic or plan.closed for plan in again)
    if not any(isinstance(draft, Trade) and draft.boot_id is None for batch in batches for draft in batch):
        assert [plan.by_draft for plan in again] == first  # a report of no life may repeat any life's entry
    assert not journal.append(*(draft for batch in batches for draft in batch)).fresh
    assert len(journal.drafts) == head


@given(reports)
@settings(max_examples=300, deadline=None)
def test_a_plan_is_contiguous_and_answers_for_each_draft(batch: list[Draft]) -> None:
    """Fresh seqs follow the head without a gap, in the order of the drafts; every draft leads to one entry."""
    plan = deduplication.match(batch, {}, {}, 41)
    seqs = [new.seq for new in plan.fresh]
    assert seqs == list(range(42, 42 + len(seqs)))
    assert len(plan.by_draft) == len(batch)
    voids = {
        new.seq for new in plan.fresh if isinstance(new.draft, Trade) and new.draft.corrects and not new.draft.quantity
    }
    assert set(plan.by_draft) == set(seqs) - voids
    assert {known.seq for known in plan.ids} == set(seqs)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(-3, 3)), max_size=8), st.booleans())
@settings(max_examples=200, deadline=None)
def test_executions_reported_by_both_are_counted_once(made: list[tuple[int, int]], bot_first: bool) -> None:
    """n executions, however alike, each reported by bot and exchange within seconds, are n entries."""
    output = [
        [trade(at=at, trade_id=f"t{i}") for i, (at, _) in enumerate(made)],
        [fill(at=at + late, trade_id=f"f{i}") for i, (at, late) in enumerate(made)],
    ]
    journal = Journalled()
    for batch in output if bot_first else reversed(output):
        journal.append(*batch)
    assert len(journal.drafts) == len(made)


@given(st.lists(st.tuples(bots | fills, st.booleans()), max_size=12))
@settings(max_examples=200, deadline=None)
def test_likely_pairs_are_those_of_every_two_reports(output: list[tuple[Trade, bool]]) -> None:
    """Looking only at the other reporter's moments finds what comparing every two reports would, and nothing else."""
    group = [
        Candidate.of(index + 1 if kept else -1 - index, report, True)
        for index, (report, kept) in enumerate(sorted(output, key=lambda pair: not pair[1]))
    ]
    every = {
        (one.seq, other.seq)
        for one, other in combinations(group, 2)
        if one.exchange != other.exchange
        and abs(one.timestamp - other.timestamp) <= fingerprint.WINDOW
        and min(one.seq, other.seq) < 0
    }
    found = [(earlier.seq, later.seq) for earlier, later in deduplication._near(group)]
    assert len(found) == len(set(found))
    assert set(found) == every


def test_windows_join_what_overlaps() -> None:
    """Trades near each other are looked for in one stretch of time, among the other's reports; known ones never."""
    drafts: list[Draft] = [
        trade(),
        trade(at=15, trade_id="t2"),
        trade(at=99, trade_id="t3"),
        trade(ticker="X", trade_id="t4"),
        gap(),
    ]
    start = trade().timestamp
    found = fingerprint.windows(drafts, {})
    assert found == [
        ("PRES24-GOP", start - 10, start + 25, True), ("PRES24-GOP", start + 89, start + 109, True),
        ("X", start - 10, start + 10, True),
    ]  # fmt: skip
    known = {
        name: [KnownId(name, fingerprint.content_digest(draft), 1)]
        for draft in drafts
        for name in [fingerprint.report_name(draft)]
    }
    assert fingerprint.windows(drafts, known) == []

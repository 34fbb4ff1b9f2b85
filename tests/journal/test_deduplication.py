"""Plans of a batch beyond their seqs: which entries stay open for a second reporter, and what is written of ids."""

from decimal import Decimal
from typing import Any

import pytest

from journal import codec, deduplication, fingerprint
from journal.deduplication import AppendPlan
from journal.entries import Draft
from journal.fingerprint import Candidate, KnownId
from tests.journal.test_fingerprint import Journalled
from tests.support.drafts import baseline, fill, gap, settlement, trade, transfer

P = Decimal("0.44")
CORRECTED = trade(price=P)


def open_after(*batches: list[Draft]) -> list[int]:
    """The seqs of the entries that a second reporter may still be matched to."""
    journal = Journalled()
    for batch in batches:
        journal.append(*batch)
    return [seq for seq, candidate in journal.candidates.items() if candidate.open]


@pytest.mark.parametrize(
    ("batches", "expected"),
    [
        ([[trade()]], [1]),
        ([[fill()]], [1]),
        ([[trade(fill_id="f1")]], []),
        ([[trade(), trade(trade_id="t2", at=1)]], [1, 2]),
        ([[trade()], [fill()]], []),
        ([[trade(), fill()]], []),
        ([[trade(trade_id="f1")], [fill(at=60)]], []),
        ([[fill()], [trade(trade_id="f1", at=60)]], []),
        ([[fill()], [trade(fill_id="f1", at=60)]], []),
        ([[trade()], [CORRECTED]], [2]),
        ([[trade(), CORRECTED]], [2]),
        ([[trade()], [CORRECTED], [trade(price=P + P)]], [3]),
        ([[trade()], [trade(quantity=Decimal(0))]], []),
        ([[trade(), fill()], [CORRECTED]], []),
        ([[trade(fill_id="f1")], [trade(fill_id="f1", price=P)]], []),
        ([[trade()], [fill(at=11)]], [1, 2]),
        ([[gap(), settlement(), transfer(), baseline()]], []),
    ],
    ids=range(17),
)
def test_entries_that_stay_open(batches: list[list[Draft]], expected: list[int]) -> None:
    """An entry that both have reported, that names its fill, or that was replaced matches no other report."""
    assert open_after(*batches) == expected


@pytest.mark.parametrize(
    ("batches", "expected"),
    [
        ([[trade(trade_id="f1")], [fill(at=60)], [fill(trade_id="f2", at=1)]], [[1], [1], [2]]),
        ([[fill()], [trade(trade_id="f1", at=60)], [trade(trade_id="t2", at=1)]], [[1], [1], [2]]),
        ([[trade(trade_id="f1"), fill(at=60), fill(trade_id="f2", at=1)]], [[1, 1, 2]]),
        ([[trade()], [fill(at=9), fill(trade_id="f2", at=-9)]], [[1], [1, 2]]),
        ([[trade()], [fill(at=9), fill(trade_id="f2", at=-8)]], [[1], [2, 1]]),
        ([[trade(at=5), trade(trade_id="t2", at=5)], [fill(at=5)]], [[1, 2], [1]]),
        ([[trade(trade_id="t2", at=5), trade(at=5), fill(at=5)]], [[1, 2, 1]]),
        ([[trade()], [trade(trade_id="t2", at=1), fill(at=1)]], [[1], [2, 2]]),
        ([[trade()], [fill(at=1), trade(trade_id="t2", at=2)]], [[1], [1, 2]]),
    ],
    ids=range(9),
)
def test_a_report_is_matched_once(batches: list[list[Draft]], expected: list[list[int]]) -> None:
    """Matched by id or by content, an entry takes no further report; of several the nearest is taken."""
    journal = Journalled()
    assert [journal.append(*batch).by_draft for batch in batches] == expected


def plan_of(batch: list[Draft], candidates: dict[int, Candidate] | None = None, head: int = 0) -> AppendPlan:
    """The plan of one batch."""
    return deduplication.match(batch, {}, candidates or {}, head)


def test_an_entry_is_known_by_its_report_and_by_its_fill() -> None:
    """The report's name has the digest of its content, and so has the fill that the bot names."""
    report = trade(fill_id="f1")
    plan = plan_of([report], head=7)
    names = {known.name for known in plan.ids}
    assert names == {fingerprint.report_name(report), fingerprint.claim_name(report)}
    assert {(known.content, known.seq) for known in plan.ids} == {(fingerprint.content_digest(report), 8)}


def test_a_void_has_a_name_of_its_own() -> None:
    """The ids of a trade that is taken back lead to its counterpart; the void is known by another."""
    journal = Journalled()
    journal.append(fill(price=P))
    journal.append(trade())
    plan = journal.append(CORRECTED)
    assert KnownId(fingerprint.void_name(CORRECTED), fingerprint.content_digest(CORRECTED), 3) in plan.ids
    assert [known.seq for known in plan.ids if known.name == fingerprint.report_name(CORRECTED)] == [1]


def test_a_matched_report_closes_a_recorded_entry_and_not_one_of_the_batch() -> None:
    """closed names recorded seqs alone; entries of the batch are written closed."""
    recorded = Candidate.of(5, trade())
    plan = plan_of([fill()], {5: recorded}, 5)
    assert (plan.by_draft, plan.closed, plan.fresh, plan.heuristic) == ([5], [5], [], 1)
    plan = plan_of([trade(), fill()])
    assert (plan.by_draft, plan.closed, [new.open for new in plan.fresh]) == ([1, 1], [], [False])


def test_a_fill_that_was_matched_is_not_open_to_an_older_record() -> None:
    """A recorded entry that is closed takes nothing, however alike."""
    plan = plan_of([fill()], {5: Candidate.of(5, trade(), open=False)}, 5)
    assert (plan.by_draft, plan.heuristic) == ([6], 0)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('"side":"BUY"', "side: expected one of BUY, SELL, got 'HOLD'"),
        ('"mode":"live"', "mode: expected one of live, demo, paper, got 'HOLD'"),
        ('"trade_id":"t1"', "trade_id: expected text, got 5"),
        ('"quantity":50', "quantity: expected a number, got True"),
        ('"price":0.65', "price: expected a number, got '0.65'"),
    ],
)
def test_a_wrong_field_of_a_body_is_named(body: str, message: str) -> None:
    """The message holds the field, what was expected and what is there."""
    name = body.split(":")[0]
    wrong: dict[str, str] = {'"quantity"': "true", '"price"': '"0.65"', '"trade_id"': "5"}
    text = codec.body(trade(), 1).replace(body, f"{name}:{wrong.get(name, chr(34) + 'HOLD' + chr(34))}")
    with pytest.raises(ValueError) as caught:
        codec.draft("trade", text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("gap", "from_seq", "true"), ("gap", "from_seq", '"3"'), ("gap", "to_seq", "1.5"),
        ("baseline", "positions", "[5]"), ("baseline", "positions", "{}"), ("correction", "corrects", "true"),
        ("correction", "corrects", '"1"'),
    ],
)  # fmt: skip
def test_seqs_and_objects_are_checked(kind: Any, name: str, value: str) -> None:
    """A seq is an integer and no boolean, positions are objects in a list."""
    drafts: dict[str, Draft] = {
        "gap": gap(from_seq=3, to_seq=9), "baseline": baseline(), "correction": trade(corrects=3),
    }  # fmt: skip
    text = codec.body(drafts[kind], 1)
    start = text.index(f'"{name}":') + len(name) + 3
    end = text.index('],"balance"' if name == "positions" else "}", start) + (1 if name == "positions" else 0)
    end = text.index(",", start) if name == "from_seq" else end
    assert codec.draft(kind, text) == drafts[kind]
    with pytest.raises(ValueError):
        codec.draft(kind, text[:start] + value + text[end:])


@pytest.mark.parametrize("kind", ["order", "", "Trade"])
def test_an_unknown_kind_is_named(kind: Any) -> None:
    """The message lists the kinds that there are."""
    with pytest.raises(ValueError, match=r"^kind: expected one of trade, correction, .*, got "):
        codec.draft(kind, "{}")


def test_a_checksum_depends_on_the_one_before_the_kind_and_the_body() -> None:
    """Any other part gives another one of 16 hex digits; the parts do not run together."""
    found = {
        codec.checksum(*parts)
        for parts in (("", "a", "b"), ("x", "a", "b"), ("", "b", "b"), ("", "a", "c"), ("", "ab", ""))
    }
    assert len(found) == 5
    assert all(len(each) == 16 and int(each, 16) >= 0 for each in found)

"""Order groups over REST: limits, triggers, resets, and refused orders."""

from typing import Any

import pytest

from tests.simulator.conftest import Member

GROUPS = "/portfolio/order_groups"


def create_group(member: Member, **body: object) -> str:
    """Create a group and return its id; by default it has a limit of 10 contracts."""
    status, answer = member.call("POST", f"{GROUPS}/create", body or {"contracts_limit": 10})
    assert status == 201
    group_id: str = answer["order_group_id"]
    return group_id


def group_of(member: Member, group_id: str) -> Any:
    """Return a group as the API reports it."""
    return member.call("GET", f"{GROUPS}/{group_id}")[1]


def test_an_order_with_an_unknown_group_is_refused(member: Member) -> None:
    """404 with the reason, and no order rests."""
    status, body = member.place(order_group_id="00000000-0000-4000-8000-000000000000")
    assert (status, body["error"]["details"]) == (404, "order group not found")
    assert member.call("GET", "/portfolio/orders?status=resting")[1]["orders"] == []


def test_a_group_is_listed_with_its_orders(member: Member) -> None:
    """The list has id and limit, the single group its resting orders; the order names the group."""
    group_id = create_group(member)
    _, placed = member.place(order_group_id=group_id)
    assert group_of(member, group_id) == {
        "is_auto_cancel_enabled": True,
        "exchange_index": 0,
        "contracts_limit_fp": "10.00",
        "orders": [placed["order_id"]],
    }
    rows = {row["id"]: row for row in member.call("GET", GROUPS)[1]["order_groups"]}
    assert rows[group_id]["contracts_limit_fp"] == "10.00"
    order = member.call("GET", f"/portfolio/orders/{placed['order_id']}")[1]["order"]
    assert order["order_group_id"] == group_id


@pytest.mark.parametrize(("taken", "left"), [("10.00", 1), ("10.01", 0)], ids=["at the limit", "over the limit"])
def test_a_group_is_triggered_by_more_than_its_limit(member: Member, taken: str, left: int) -> None:
    """Contracts over the limit within 15 s cancel the rest of the group; exactly the limit does not."""
    group_id = create_group(member)
    _, quiet = member.place(order_group_id=group_id)
    member.place(order_group_id=group_id, price="0.4300", count=taken)
    member.simulator.control(
        "POST", "/take", {"ticker": member.ticker, "side": "ask", "price": "0.4300", "count": taken}
    )
    group = group_of(member, group_id)
    assert group["is_auto_cancel_enabled"] == bool(left)
    assert group["orders"] == [quiet["order_id"]] * left


def test_the_own_order_that_exceeds_the_limit_keeps_its_fill_and_rests_no_more(member: Member) -> None:
    """A taker of 12 against 1000 resting trades in full and triggers its group."""
    group_id = create_group(member)
    _, placed = member.place(order_group_id=group_id, price="0.4500", count="12.00")
    assert placed["fill_count"] == "12.00"
    assert group_of(member, group_id)["is_auto_cancel_enabled"] is False


def test_a_triggered_group_refuses_orders_until_it_is_reset(member: Member) -> None:
    """trigger cancels and refuses; reset accepts again."""
    group_id = create_group(member)
    _, placed = member.place(order_group_id=group_id)
    assert member.call("PUT", f"{GROUPS}/{group_id}/trigger") == (200, {})
    assert member.call("GET", f"/portfolio/orders/{placed['order_id']}")[1]["order"]["status"] == "canceled"
    status, body = member.place(order_group_id=group_id)
    assert (status, body["error"]["code"]) == (400, "invalid_order")
    assert member.call("PUT", f"{GROUPS}/{group_id}/reset") == (200, {})
    assert member.place(order_group_id=group_id)[0] == 201


def test_a_limit_below_the_volume_triggers_at_once(member: Member) -> None:
    """5 contracts traded: a new limit of 5 is fine, of 4 triggers."""
    group_id = create_group(member)
    member.place(order_group_id=group_id, price="0.4500", count="5.00")
    for limit, active in ((5, True), (4, False)):
        assert member.call("PUT", f"{GROUPS}/{group_id}/limit", {"contracts_limit": limit}) == (200, {})
        assert group_of(member, group_id)["is_auto_cancel_enabled"] is active


def test_a_deleted_group_cancels_its_orders_and_is_unknown(member: Member) -> None:
    """Its orders are canceled, and every later call is 404."""
    group_id = create_group(member)
    _, placed = member.place(order_group_id=group_id)
    assert member.call("DELETE", f"{GROUPS}/{group_id}") == (200, {})
    assert member.call("GET", f"/portfolio/orders/{placed['order_id']}")[1]["order"]["status"] == "canceled"
    for method, path in (("GET", ""), ("DELETE", ""), ("PUT", "/reset"), ("PUT", "/trigger")):
        assert member.call(method, f"{GROUPS}/{group_id}{path}")[0] == 404


def test_a_group_belongs_to_one_shard(member: Member) -> None:
    """A group of shard 0 is refused for an order on shard 2."""
    group_id = create_group(member)
    crypto = next(ticker for ticker in member.markets if ticker.startswith("KXBTCD"))
    status, body = member.place(ticker=crypto, order_group_id=group_id)
    assert (status, body["error"]["code"]) == (400, "invalid_order")


@pytest.mark.parametrize(
    "body",
    [
        {"contracts_limit": 0},
        {"contracts_limit": 1_000_001},
        {"contracts_limit": 3, "contracts_limit_fp": "4.00"},
        {"contracts_limit": "3"},
        {"contracts_limit_fp": "x"},
        {"exchange_index": 9, "contracts_limit": 1},
        {"exchange_index": 0},
    ],
    ids=str,
)
def test_a_wrong_limit_is_refused(member: Member, body: dict[str, object]) -> None:
    """400: too small, too large, contradicting, of the wrong type, or none."""
    assert member.call("POST", f"{GROUPS}/create", body)[0] == 400

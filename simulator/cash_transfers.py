"""Cash movements without trades: deposits, withdrawals, transfers between shards, adjustments, voided fills."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from simulator.account import HeldPosition, MemberAccount
from simulator.errors import nested_error, not_found
from simulator.events import CashEvent, FillEvent, PositionEvent, VoidEvent
from simulator.matching_engine import MatchingEngine
from simulator.units import CASH_STEP, MONEY_CENT

TransferStatus = Literal["pending", "applied", "failed", "returned"]


@dataclass(slots=True)
class CashTransfer:
    """One deposit or withdrawal; amount and fee in cents."""

    transfer_id: str
    amount_cents: int
    fee_cents: int
    method: str
    status: TransferStatus
    created: float
    finalized: float | None


@dataclass(frozen=True, slots=True)
class ShardTransfer:
    """One transfer between two shards; amount as money."""

    transfer_id: str
    client_transfer_id: str
    source: int
    destination: int
    amount: int
    created: float


@dataclass(slots=True)
class CashTransfers:
    """Move an account's cash. The lists are oldest first."""

    engine: MatchingEngine
    account: MemberAccount
    clock: Callable[[], float]
    deposits: list[CashTransfer] = field(default_factory=list)
    withdrawals: list[CashTransfer] = field(default_factory=list)
    shard_transfers: list[ShardTransfer] = field(default_factory=list)
    adjusted: int = 0  # money: the sum of all adjustments, which no row reports

    def deposit(self, cents: int, fee_cents: int, method: str, status: TransferStatus, shard: int = 0) -> CashTransfer:
        """Record a deposit; an applied one adds the amount without its fee to the cash."""
        row = self._row(cents, fee_cents, method, status)
        self.deposits.append(row)
        if status == "applied":
            self._add(shard, (cents - fee_cents) * MONEY_CENT)
        return row

    def withdraw(self, cents: int, fee_cents: int, method: str, status: TransferStatus, shard: int = 0) -> CashTransfer:
        """Record a withdrawal; a pending or applied one takes amount and fee from the cash. Raises ApiError."""
        takes = status in ("pending", "applied")
        if takes and (cents + fee_cents) * MONEY_CENT > self.account.cash[shard]:
            raise nested_error(400, "insufficient_balance")
        row = self._row(cents, fee_cents, method, status)
        self.withdrawals.append(row)
        if takes:
            self._add(shard, -(cents + fee_cents) * MONEY_CENT)
        return row

    def adjust(self, money: int, shard: int = 0) -> None:
        """Change the cash without any row, as the exchange does for interest and rebates."""
        money = money // CASH_STEP * CASH_STEP
        self.adjusted += money
        self._add(shard, money)

    def move(self, client_transfer_id: str, source: int, destination: int, money: int) -> ShardTransfer:
        """Transfer cash between two shards. Raises ApiError; a repeated client_transfer_id is 409."""
        if client_transfer_id and any(
            (t.client_transfer_id, t.source, t.destination) == (client_transfer_id, source, destination)
            for t in self.shard_transfers
        ):
            raise nested_error(409, "transfer_already_exists")
        if money <= 0 or source == destination:
            raise nested_error(400, "bad_request", "amount must be positive and the shards must differ")
        if money > self.account.cash[source] - self.account.reserved(source):
            raise nested_error(400, "insufficient_balance")
        transfer_id = self.engine.new_id()
        transfer = ShardTransfer(transfer_id, client_transfer_id, source, destination, money, self.clock())
        self.shard_transfers.append(transfer)
        self.account.cash[source] -= money
        self._add(destination, money)
        return transfer

    def void(self, fill: FillEvent, fills: list[FillEvent], counterparty: MemberAccount, *, keep_row: bool) -> None:
        """Undo a fill: its cash, its fee and its part of the position. Raises ApiError if the market has settled.

        fills: all fills of the account, oldest first. counterparty: the account that takes the other side back.
        """
        market, ticker, now = self.engine.markets.get(fill.ticker), fill.ticker, self.clock()
        if market is None or market.status == "finalized" or not fill.count:
            raise not_found("the market has settled, or the fill is void already")
        signed = fill.count if fill.side == "bid" else -fill.count
        before = copy.copy(self.account.positions[ticker])
        self.account.cash[market.shard] += before.trade(-signed, fill.price, market.settlement_floor) + fill.fee
        counterparty.cash[market.shard] += counterparty.position(ticker).trade(
            signed, fill.price, market.settlement_floor
        )
        self.engine.collected -= fill.fee
        market.holders.add(counterparty.name)
        rest = [other for other in fills if other.ticker == ticker and other.fill_id != fill.fill_id]
        position = self.account.positions[ticker] = _replay(rest, market.settlement_floor)
        position.updated = now
        accounts = self.engine.accounts
        market.open_interest = sum(max(0, accounts[name].count(ticker)) for name in market.holders)
        self.engine.emit(VoidEvent(now, self.account.name, fill.fill_id, keep_row))
        self.engine.emit(PositionEvent(now, self.account.name, ticker, copy.copy(position), dict(self.account.cash)))

    def _row(self, cents: int, fee_cents: int, method: str, status: TransferStatus) -> CashTransfer:
        now = self.clock()
        final = None if status == "pending" else now
        return CashTransfer(self.engine.new_id(), cents, fee_cents, method, status, now, final)

    def _add(self, shard: int, money: int) -> None:
        self.account.cash[shard] += money
        self.engine.emit(CashEvent(self.clock(), self.account.name, dict(self.account.cash)))


def _replay(fills: list[FillEvent], settlement_floor: int) -> HeldPosition:
    position = HeldPosition()
    for fill in fills:
        position.trade(fill.count if fill.side == "bid" else -fill.count, fill.price, settlement_floor)
        position.fees += fill.fee
    return position

/** One market's moves in (timestamp, seq) order, and what they come to; a late one is put where it belongs. */

import { COUNT, MONEY, PRICE, share, text } from './exact.js';
import { Lots } from './lots.js';

/**
 * A trade in YES terms, or a settlement (quantity 0). quantity in hundredths, price 10^-6, fee 10^-8 dollars.
 * @typedef {{ time: number, seq: number, quantity: number, price: number, fee: number | null }} Move
 */

/** @typedef {{ quantity: number, cost: bigint, realized: bigint, fees: bigint }} Opening */

export class Ledger {
  /** @param {string} ticker */
  constructor(ticker) {
    this.ticker = ticker;
    // Columns and not objects: a trade costs some 50 bytes, so that a day of 100 000 stays small.
    /** @type {number[]} */ this.times = [];
    /** @type {number[]} */ this.seqs = [];
    /** @type {number[]} */ this.quantities = [];
    /** @type {number[]} */ this.prices = [];
    /** @type {number[]} NaN where the fee is not known */ this.fees = [];
    /** @type {number[]} what each move realized, less its fee: for curves, where a float will do */ this.gains = [];
    /** @type {Opening | null} */
    this.opening = null;
    this.after = -Infinity;
    /** how many moves of the columns are in the sums below */
    this.done = 0;
    this.lots = new Lots();
    this.realized = 0n;
    this.paid = 0n;
    this.trades = 0;
    this.unknown = 0;
  }

  #begin() {
    this.done = this.trades = this.unknown = 0;
    this.lots = new Lots();
    this.realized = this.opening?.realized ?? 0n;
    this.paid = this.opening?.fees ?? 0n;
    this.lots.begin(this.opening?.quantity ?? 0, this.opening?.cost ?? 0n);
  }

  /**
   * The position found at `after`: what happened until then is inside it already.
   * @param {number} after
   * @param {Opening | null} opening
   */
  open(after, opening) {
    this.after = after;
    this.opening = opening;
    this.#begin();
  }

  /**
   * Keep a move in its place. True when it came late, so that sums made before are no longer good.
   * @param {Move} move
   */
  add(move) {
    const at = this.#place(move);
    const late = at < this.times.length;
    for (const [column, value] of /** @type {[number[], number][]} */ ([
      [this.times, move.time], [this.seqs, move.seq], [this.quantities, move.quantity],
      [this.prices, move.price], [this.fees, move.fee ?? NaN], [this.gains, 0],
    ])) {
      if (late) column.splice(at, 0, value);
      else column.push(value);
    }
    if (late && at < this.done) this.#begin();
    return late;
  }

  /** Bring the sums up to the last move. Late moves make one pass over the market, however many came. */
  settle() {
    for (; this.done < this.times.length; this.done += 1) this.gains[this.done] = this.#apply(this.done);
    return this;
  }

  /** @param {Move} move */
  #place(move) {
    let at = this.times.length;
    while (at > 0 && before(move.time, move.seq, this.times[at - 1], this.seqs[at - 1])) at -= 1;
    return at;
  }

  /** @param {number} at */
  #apply(at) {
    if (this.times[at] <= this.after) return 0;
    const [quantity, price, fee] = [this.quantities[at], this.prices[at], this.fees[at]];
    const profit = quantity === 0 ? this.lots.settle(price) : this.lots.move(quantity, price);
    this.realized += profit;
    this.trades += quantity === 0 ? 0 : 1;
    if (Number.isNaN(fee)) this.unknown += 1;
    else this.paid += BigInt(fee);
    return Number(profit) - (fee || 0);
  }

  /**
   * What the moves come to, in exact decimal text; value and unrealized profit where a mark (of YES, 10^-6) is given.
   * @param {number | null} mark
   * @returns {import('./types').Position}
   */
  position(mark) {
    const { quantity, cost } = this.settle().lots;
    const count = BigInt(Math.abs(quantity));
    const held = mark === null || quantity === 0 ? null : BigInt(quantity > 0 ? mark : 10 ** PRICE - mark);
    const average = quantity === 0 ? null : share(cost, 1n, count);
    return {
      ticker: this.ticker,
      quantity: text(BigInt(quantity), COUNT),
      outcome: quantity === 0 ? null : quantity > 0 ? 'yes' : 'no',
      cost: text(cost, MONEY),
      average_price: average === null ? null : text(average, PRICE),
      mark: held === null ? null : text(held, PRICE),
      value: held === null ? null : text(held * count, MONEY),
      unrealized_pnl: held === null ? null : text(held * count - cost, MONEY),
      realized_pnl: text(this.realized, MONEY),
      fees: text(this.paid, MONEY),
      trades: this.trades,
      fees_unknown: this.unknown,
      last: this.times.length ? this.times[this.times.length - 1] : 0,
    };
  }
}

/**
 * @param {number} time
 * @param {number} seq
 * @param {number} otherTime
 * @param {number} otherSeq
 */
function before(time, seq, otherTime, otherSeq) {
  return time < otherTime || (time === otherTime && seq < otherSeq);
}

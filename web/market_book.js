/** The book of one market: position, lots, realized profit and fees, from its trades by (timestamp, seq) and its settlement. */

import { COUNT, DOLLAR, MONEY, PRICE, share, text } from './amounts.js';
import { FifoLots } from './lots.js';

/** @typedef {import('./records.js').TradeRecord} TradeRecord */
/** @typedef {import('./records.js').SettlementRecord} SettlementRecord */
/** @typedef {import('./records.js').OpeningRecord} OpeningRecord */

/**
 * A tax lot: contracts bought together and closed together. profit is after the fees of both; 10^-8 dollars.
 * @typedef {{ ticker: string, outcome: 'yes' | 'no', quantity: number, opened: number | null, closed: number, cost: bigint, proceeds: bigint, fees: bigint, profit: bigint, bySettlement: boolean }} ClosedLot
 */

export class MarketBook {
  /** @param {string} ticker */
  constructor(ticker) {
    this.ticker = ticker;
    // Columns instead of objects: a trade takes about 50 bytes, so that 100 000 of them stay small.
    /** @type {number[]} */ this.times = [];
    /** @type {number[]} */ this.seqs = [];
    /** @type {number[]} */ this.quantities = [];
    /** @type {number[]} */ this.prices = [];
    /** @type {number[]} NaN where the fee is unknown */ this.fees = [];
    /** @type {number[]} realized profit of each trade less its fee, 10^-8 dollars: for curves, where a float suffices */ this.gains = [];
    /** @type {OpeningRecord | null} */
    this.opening = null;
    /** the baseline's time: earlier trades are included in it */
    this.after = -Infinity;
    /** @type {SettlementRecord | null} the first by seq; it is applied after every trade */
    this.settlement = null;
    /** profit of the settlement less its fee, 10^-8 dollars */
    this.settlementGain = 0;
    /** @type {{ mark: number | null, position: import('./types').Position } | null} the last row, while nothing changes */
    this.row = null;
    /** how many trades of the columns are in the sums */
    this.done = 0;
    this.settled = false;
    this.lots = new FifoLots();
    this.realized = 0n;
    this.knownFees = 0n;
    this.missingFees = 0;
    this.trades = 0;
    /** @type {ClosedLot[] | null} every closed tax lot so far, once somebody asked for them */
    this.closed = null;
  }

  /** Begin again at the opening; the sums follow with the next settle. */
  reset() {
    this.done = 0;
    this.settled = false;
    this.lots = new FifoLots();
    this.realized = this.opening?.realized ?? 0n;
    this.knownFees = this.opening?.fees ?? 0n;
    this.missingFees = 0;
    this.trades = 0;
    this.settlementGain = 0;
    this.row = null;
    if (this.closed) this.closed = [];
    if (this.opening?.quantity) this.lots.open(this.opening.quantity, this.opening.cost, 0n, null);
  }

  /**
   * Set the position found by a baseline.
   * @param {number} after
   * @param {OpeningRecord | null} opening
   */
  begin(after, opening) {
    [this.after, this.opening] = [after, opening];
    this.reset();
  }

  /**
   * Add a trade at its place. Returns true when it belongs before one that was added, so that earlier sums changed.
   * @param {TradeRecord} record
   */
  add(record) {
    const at = this.#place(record);
    const late = at < this.times.length;
    const values = [record.time, record.seq, record.quantity, record.price, record.fee ?? NaN, 0];
    this.#columns().forEach((column, index) => {
      if (late) column.splice(at, 0, values[index]);
      else column.push(values[index]);
    });
    const changed = at < this.done || this.settled;
    this.row = null;
    if (changed) this.reset();
    return changed || late;
  }

  /**
   * Remove the trade with a seq. Returns true when there was one.
   * @param {number} seq
   */
  remove(seq) {
    const at = this.seqs.indexOf(seq);
    if (at < 0) return false;
    for (const column of this.#columns()) column.splice(at, 1);
    this.reset();
    return true;
  }

  /**
   * Set the settlement; a repeated one counts once. Returns true when sums that were made before changed.
   * @param {SettlementRecord} record
   */
  pay(record) {
    if (this.settlement && this.settlement.seq <= record.seq) return false;
    const changed = this.settled;
    [this.settlement, this.row] = [record, null];
    if (changed) this.reset();
    return changed;
  }

  /** Bring the sums up to the last trade and the settlement. */
  settle() {
    for (; this.done < this.times.length; this.done += 1) this.gains[this.done] = this.#trade(this.done);
    if (this.settlement && !this.settled && this.settlement.time > this.after) this.#settle(this.settlement);
    return this;
  }

  /** Return every closed tax lot of this market, in order. The first call computes the market anew, later ones what is new. */
  closedLots() {
    if (!this.closed) {
      this.closed = [];
      this.reset();
    }
    this.settle();
    return this.closed;
  }

  /** Fees of the market's life: the settlement repeats them, so only its excess over the known ones is new. 10^-8 dollars */
  get totalFees() {
    return this.settled && this.settlement && this.settlement.fee > this.knownFees ? this.settlement.fee : this.knownFees;
  }

  /** The time of the settlement on curves: never before a trade. */
  get settlementTime() {
    return Math.max(this.settlement?.time ?? -Infinity, this.times[this.times.length - 1] ?? -Infinity);
  }

  /**
   * Return the figures in exact decimal text; value and unrealized profit where a mark is given.
   * @param {number | null} mark of YES, 10^-6 dollars
   * @returns {import('./types').Position}
   */
  position(mark) {
    if (this.row?.mark !== mark) this.row = null;
    this.row ??= { mark, position: this.#position(mark) };
    return this.row.position;
  }

  /**
   * @param {number | null} mark
   * @returns {import('./types').Position}
   */
  #position(mark) {
    const { quantity, cost } = this.settle().lots;
    const count = BigInt(Math.abs(quantity));
    const price = mark === null || quantity === 0 ? null : BigInt(quantity > 0 ? mark : DOLLAR - mark);
    return {
      ticker: this.ticker,
      quantity: text(BigInt(quantity), COUNT),
      outcome: quantity === 0 ? null : quantity > 0 ? 'yes' : 'no',
      cost: text(cost, MONEY),
      average_price: quantity === 0 ? null : text(share(cost, 1n, count), PRICE),
      mark: price === null ? null : text(price, PRICE),
      value: price === null ? null : text(price * count, MONEY),
      unrealized_pnl: price === null ? null : text(price * count - cost, MONEY),
      realized_pnl: text(this.realized, MONEY),
      fees: text(this.totalFees, MONEY),
      trades: this.trades,
      fees_unknown: this.settled ? 0 : this.missingFees,
      last: Math.max(this.times[this.times.length - 1] ?? 0, this.settlement?.time ?? 0),
    };
  }

  #columns() {
    return [this.times, this.seqs, this.quantities, this.prices, this.fees, this.gains];
  }

  /** @param {TradeRecord} record */
  #place({ time, seq }) {
    let at = this.times.length;
    while (at > 0 && (time < this.times[at - 1] || (time === this.times[at - 1] && seq < this.seqs[at - 1]))) at -= 1;
    return at;
  }

  /**
   * Apply one trade: close what is held on the other side first, open the rest. Returns its gain.
   * @param {number} at
   */
  #trade(at) {
    if (this.times[at] <= this.after) return 0;
    const [quantity, price, time] = [this.quantities[at], this.prices[at], this.times[at]];
    this.trades += 1;
    const fee = this.#countFee(this.fees[at]);
    const [count, held] = [Math.abs(quantity), this.lots.quantity];
    const closing = held !== 0 && (held > 0) !== (quantity > 0) ? Math.min(count, Math.abs(held)) : 0;
    const closingFee = closing === 0 ? 0n : share(fee, BigInt(closing), BigInt(count));
    let profit = 0n;
    if (closing > 0) {
      const proceeds = BigInt(closing) * BigInt(held > 0 ? price : DOLLAR - price);
      profit = proceeds - this.#close(closing, proceeds, closingFee, time, false);
    }
    const opening = count - closing;
    if (opening > 0) this.lots.open(Math.sign(quantity) * opening, BigInt(opening) * BigInt(quantity > 0 ? price : DOLLAR - price), fee - closingFee, time);
    this.realized += profit;
    return Number(profit - fee);
  }

  /** @param {number} fee NaN when unknown */
  #countFee(fee) {
    if (Number.isNaN(fee)) {
      this.missingFees += 1;
      return 0n;
    }
    this.knownFees += BigInt(fee);
    return BigInt(fee);
  }

  /**
   * Close everything for the revenue that was paid.
   * @param {SettlementRecord} record
   */
  #settle({ revenue, time }) {
    this.settled = true;
    const count = Math.abs(this.lots.quantity);
    const newFee = this.totalFees - this.knownFees;
    const profit = revenue - (count === 0 ? 0n : this.#close(count, revenue, newFee, time, true));
    this.realized += profit;
    this.settlementGain = Number(profit - newFee);
  }

  /**
   * Close contracts for their proceeds. Returns their cost.
   * @param {number} count
   * @param {bigint} proceeds
   * @param {bigint} fee
   * @param {number} closed Unix seconds
   * @param {boolean} bySettlement
   */
  #close(count, proceeds, fee, closed, bySettlement) {
    const outcome = this.lots.quantity > 0 ? 'yes' : 'no';
    const whole = BigInt(count);
    let [cost, done] = [0n, 0n];
    for (const part of this.lots.close(count)) {
      const end = done + BigInt(part.quantity);
      cost += part.cost;
      if (this.closed) {
        const earned = share(proceeds, end, whole) - share(proceeds, done, whole);
        const fees = part.fee + share(fee, end, whole) - share(fee, done, whole);
        this.closed.push({
          ticker: this.ticker, outcome, quantity: part.quantity, opened: part.opened, closed, cost: part.cost,
          proceeds: earned, fees, profit: earned - part.cost - fees, bySettlement,
        });
      }
      done = end;
    }
    return cost;
  }
}

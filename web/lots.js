/** What is held of one market, first in first out: lots of YES or of NO contracts, each with what was paid for it. */

import { DOLLAR, share } from './exact.js';

/**
 * quantity and left are contracts in hundredths, cost is the price of `quantity` in 10^-8 dollars.
 * @typedef {{ quantity: number, left: number, cost: bigint }} Lot
 */

export class Lots {
  constructor() {
    /** @type {Lot[]} the open lots from `first` on, oldest first; all of one outcome */
    this.lots = [];
    this.first = 0;
    /** contracts held in hundredths: + YES, - NO */
    this.quantity = 0;
    /** what the open contracts cost, 10^-8 dollars */
    this.cost = 0n;
  }

  /**
   * Hold contracts more, or give back what was held on the other side first; returns the profit realized by that.
   * @param {number} quantity hundredths, + YES, - NO
   * @param {number} price of YES, 10^-6 dollars
   */
  move(quantity, price) {
    let rest = quantity;
    let profit = 0n;
    while (rest !== 0 && this.quantity !== 0 && Math.sign(rest) !== Math.sign(this.quantity)) {
      const closed = Math.min(Math.abs(rest), this.lots[this.first].left);
      profit += this.#close(closed, price);
      rest -= Math.sign(rest) * closed;
    }
    if (rest !== 0) this.#open(rest, BigInt(Math.abs(rest)) * BigInt(rest > 0 ? price : DOLLAR - price));
    return profit;
  }

  /**
   * The market paid: everything held goes at that price of YES. Returns the profit.
   * @param {number} price
   */
  settle(price) {
    return this.quantity === 0 ? 0n : this.move(-this.quantity, price);
  }

  /**
   * Begin with a position that was bought before anyone listened.
   * @param {number} quantity
   * @param {bigint} cost
   */
  begin(quantity, cost) {
    if (quantity !== 0) this.#open(quantity, cost);
  }

  /**
   * @param {number} quantity
   * @param {bigint} cost
   */
  #open(quantity, cost) {
    const count = Math.abs(quantity);
    const last = this.lots[this.lots.length - 1];
    // Lots of one price are one lot: a bot that buys all day at one price does not grow the page.
    if (last && last.left > 0 && last.cost * BigInt(count) === cost * BigInt(last.quantity)) {
      last.quantity += count;
      last.left += count;
      last.cost += cost;
    } else {
      this.lots.push({ quantity: count, left: count, cost });
    }
    this.quantity += quantity;
    this.cost += cost;
  }

  /**
   * @param {number} count
   * @param {number} price
   */
  #close(count, price) {
    const lot = this.lots[this.first];
    const side = Math.sign(this.quantity);
    const paid = taken(lot, lot.quantity - lot.left + count) - taken(lot, lot.quantity - lot.left);
    lot.left -= count;
    if (lot.left === 0) this.#drop();
    this.quantity -= side * count;
    this.cost -= paid;
    return BigInt(count) * BigInt(side > 0 ? price : DOLLAR - price) - paid;
  }

  #drop() {
    this.first += 1;
    if (this.first === this.lots.length) [this.lots, this.first] = [[], 0];
    else if (this.first > 1000) [this.lots, this.first] = [this.lots.slice(this.first), 0];
  }
}

/**
 * What the first `count` contracts of a lot cost. A lot found at the start may have cost that does not divide evenly;
 * rounding the running total (to 10^-8 dollars) and not each part makes the answer free of the way it was reached.
 * @param {Lot} lot
 * @param {number} count
 */
function taken(lot, count) {
  return share(lot.cost, BigInt(count), BigInt(lot.quantity));
}

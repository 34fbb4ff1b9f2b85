/** Lots of one market, closed first in, first out. Contracts in hundredths, amounts in 10^-8 dollars. */

import { share } from './amounts.js';

/**
 * Contracts bought together. cost and fee are of all of quantity; opened is null for a position of the baseline.
 * @typedef {{ quantity: number, left: number, cost: bigint, fee: bigint, opened: number | null }} OpenLot
 */

/** @typedef {{ quantity: number, cost: bigint, fee: bigint, opened: number | null }} LotPart the part of a lot that one execution closed */

export class FifoLots {
  constructor() {
    /** @type {OpenLot[]} the open lots from `first` on, oldest first, all of one outcome */
    this.lots = [];
    this.first = 0;
    /** contracts held: + YES, - NO */
    this.quantity = 0;
    /** dollars paid for what is open */
    this.cost = 0n;
  }

  /**
   * Add contracts of the outcome that is held. Those of the same moment and price join the last lot if it is whole.
   * @param {number} quantity + YES, - NO
   * @param {bigint} cost
   * @param {bigint} fee
   * @param {number | null} opened
   */
  open(quantity, cost, fee, opened) {
    const count = Math.abs(quantity);
    const last = this.lots[this.lots.length - 1];
    if (last && last.opened === opened && last.left === last.quantity && last.cost * BigInt(count) === cost * BigInt(last.quantity)) {
      last.quantity += count;
      last.left += count;
      last.cost += cost;
      last.fee += fee;
    } else {
      this.lots.push({ quantity: count, left: count, cost, fee, opened });
    }
    this.quantity += quantity;
    this.cost += cost;
  }

  /**
   * Remove contracts, at most those held, oldest first; returns the parts of the lots that held them.
   * @param {number} count
   */
  close(count) {
    /** @type {LotPart[]} */
    const parts = [];
    const sign = Math.sign(this.quantity);
    for (let rest = count; rest > 0;) {
      const lot = this.lots[this.first];
      const part = take(lot, Math.min(rest, lot.left));
      if (lot.left === 0) this.#dropFirst();
      this.quantity -= sign * part.quantity;
      this.cost -= part.cost;
      rest -= part.quantity;
      parts.push(part);
    }
    return parts;
  }

  #dropFirst() {
    this.first += 1;
    if (this.first === this.lots.length) [this.lots, this.first] = [[], 0];
    else if (this.first > 1000) [this.lots, this.first] = [this.lots.slice(this.first), 0];
  }
}

/**
 * @param {OpenLot} lot
 * @param {number} count
 * @returns {LotPart}
 */
function take(lot, count) {
  const [from, to, all] = [BigInt(lot.quantity - lot.left), BigInt(lot.quantity - lot.left + count), BigInt(lot.quantity)];
  lot.left -= count;
  return {
    quantity: count, opened: lot.opened,
    cost: share(lot.cost, to, all) - share(lot.cost, from, all),
    fee: lot.fee === 0n ? 0n : share(lot.fee, to, all) - share(lot.fee, from, all),
  };
}

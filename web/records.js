/** Entries as records in YES terms and whole numbers. Each reader throws RangeError for a field that it cannot use. */

import { COUNT, DOLLAR, MONEY, PRICE, whole } from './amounts.js';

/**
 * quantity in hundredths of a contract, + YES, - NO; price of YES in 10^-6 dollars; fee in 10^-8 dollars, null when unknown.
 * @typedef {{ seq: number, time: number, ticker: string, quantity: number, price: number, fee: number | null }} TradeRecord
 */
/** @typedef {{ seq: number, time: number, ticker: string, revenue: bigint, fee: bigint }} SettlementRecord 10^-8 dollars */
/** @typedef {{ quantity: number, cost: bigint, realized: bigint, fees: bigint }} OpeningRecord a position of the baseline */

/**
 * Read a trade or a correction; only a correction may have the quantity 0, which voids the trade.
 * @param {import('./types').Trade | import('./types').Correction} entry
 * @returns {TradeRecord}
 */
export function readTrade(entry) {
  const price = whole(entry.price, PRICE, 'price');
  const quantity = whole(entry.quantity, COUNT, 'quantity');
  if (price < 0 || price > DOLLAR) throw new RangeError(`price: expected dollars from 0 to 1, got ${entry.price}`);
  if (quantity < 0 || (quantity === 0 && !('corrects' in entry))) throw new RangeError(`quantity: expected contracts above 0, got ${entry.quantity}`);
  const yes = entry.outcome !== 'no';
  const buysYes = (entry.side === 'BUY') === yes; // to buy NO is to sell YES
  return {
    seq: entry.seq, time: entry.timestamp, ticker: entry.ticker,
    quantity: buysYes ? quantity : -quantity,
    price: yes ? price : DOLLAR - price,
    fee: entry.fee === null || entry.fee === undefined ? null : whole(entry.fee, MONEY, 'fee'),
  };
}

/**
 * Read a settlement. The value has to be a payout that agrees with the result; the account was paid the revenue.
 * @param {import('./types').Settlement} entry
 * @returns {SettlementRecord}
 */
export function readSettlement(entry) {
  // without a value only where as many YES as NO were held: then nothing was paid
  const known = entry.value !== null || entry.yes_quantity !== entry.no_quantity;
  const value = known ? whole(/** @type {number} */ (entry.value), PRICE, 'value') : null;
  if (value !== null && (value < 0 || value > DOLLAR)) throw new RangeError(`value: expected a payout from 0 to 1, got ${entry.value}`);
  if ((entry.result === 'yes' && value !== DOLLAR && value !== null) || (entry.result === 'no' && value === DOLLAR)) {
    throw new RangeError(`value: expected the payout of result ${entry.result}, got ${entry.value}`);
  }
  const revenue = whole(entry.revenue, MONEY, 'revenue');
  if (revenue < 0) throw new RangeError(`revenue: expected dollars from 0, got ${entry.revenue}`);
  return { seq: entry.seq, time: entry.timestamp, ticker: entry.ticker, revenue: BigInt(revenue), fee: BigInt(whole(entry.fee ?? 0, MONEY, 'fee')) };
}

/**
 * Read one position of a baseline.
 * @param {import('./types').Opening} row
 * @returns {OpeningRecord}
 */
export function readOpening(row) {
  const cost = whole(row.cost ?? 0, MONEY, 'cost');
  if (cost < 0) throw new RangeError(`cost: expected dollars from 0 for ${row.ticker}, got ${row.cost}`);
  return {
    quantity: whole(row.quantity, COUNT, 'quantity'),
    cost: BigInt(cost),
    realized: BigInt(whole(row.realized_pnl ?? 0, MONEY, 'realized_pnl')),
    fees: BigInt(whole(row.fees ?? 0, MONEY, 'fees')),
  };
}

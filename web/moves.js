/** Entries of the journal as moves in YES terms and whole numbers. Each throws RangeError for what cannot be kept exactly. */

import { COUNT, DOLLAR, MONEY, PRICE, whole } from './exact.js';

/**
 * @param {import('./types').Trade} entry
 * @returns {import('./ledger.js').Move}
 */
export function trade(entry) {
  const price = whole(entry.price, PRICE, 'price');
  const quantity = whole(entry.quantity, COUNT, 'quantity');
  if (quantity <= 0) throw new RangeError(`quantity: ${entry.quantity} is not a number of contracts traded`);
  const yes = entry.outcome !== 'no';
  return {
    time: entry.timestamp,
    seq: entry.seq,
    quantity: (entry.side === 'BUY') === yes ? quantity : -quantity, // to buy NO is to sell YES
    price: yes ? price : DOLLAR - price,
    fee: entry.fee === null || entry.fee === undefined ? null : whole(entry.fee, MONEY, 'fee'),
  };
}

/**
 * Whatever the result is called: a YES contract is paid `value`, a NO contract the rest of the dollar.
 * @param {import('./types').Settlement} entry
 * @returns {import('./ledger.js').Move}
 */
export function settlement(entry) {
  return {
    time: entry.timestamp, seq: entry.seq, quantity: 0,
    price: whole(entry.value, PRICE, 'value'), fee: whole(entry.fee ?? 0, MONEY, 'fee'),
  };
}

/**
 * @param {import('./types').Opening} row
 * @returns {import('./ledger.js').Opening}
 */
export function opening(row) {
  const cost = whole(row.cost ?? 0, MONEY, 'cost');
  if (cost < 0) throw new RangeError(`cost: ${row.cost} of ${row.ticker} is below zero`);
  return {
    quantity: whole(row.quantity, COUNT, 'quantity'),
    cost: BigInt(cost),
    realized: BigInt(whole(row.realized_pnl ?? 0, MONEY, 'realized_pnl')),
    fees: BigInt(whole(row.fees ?? 0, MONEY, 'fees')),
  };
}

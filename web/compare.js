/** The book beside the exchange's own account: what differs, by market and in total. Pure, and slow to cry wolf. */

/** @typedef {import('./types').Position} Position */
/** @typedef {import('./model.js').Held} Held */

/**
 * What the exchange says of one market where it differs; null where it does not.
 * @typedef {{ quantity: number | null, average: number | null, realized: number | null }} Difference
 */

/**
 * rows: what differs. quantities, amounts: how many markets differ in contracts, or only in money. cost, realized: the
 * exchange's sums less ours. checking: a difference in contracts is seen that may yet turn out to be news on its way.
 * @typedef {{ rows: Map<string, Difference>, quantities: number, amounts: number, cost: number, realized: number, checking: boolean }} Compared
 */

const TERM = 30; // seconds that a difference in contracts must stand: the exchange may know a trade before the bot has told it
const CENT = 0.005; // less than this is not seen in any number on the page

export class Comparison {
  constructor() {
    /** @type {Map<string, { theirs: number, ours: number, since: number }>} differences in contracts that were seen */
    this.seen = new Map();
  }

  /**
   * Markets that moved since the exchange spoke have to be left out by the caller: of these nothing can be said.
   * @param {Position[]} rows
   * @param {Map<string, Held>} exchange
   * @param {(ticker: string) => boolean} comparable
   * @param {number} now seconds
   * @returns {Compared}
   */
  of(rows, exchange, comparable, now) {
    /** @type {Compared} */
    const found = { rows: new Map(), quantities: 0, amounts: 0, cost: 0, realized: 0, checking: false };
    const own = new Map(rows.map((row) => [row.ticker, row]));
    for (const ticker of new Set([...own.keys(), ...exchange.keys()])) {
      if (!comparable(ticker)) this.seen.delete(ticker);
      else this.#market(ticker, own.get(ticker), exchange.get(ticker), now, found);
    }
    return found;
  }

  /**
   * @param {string} ticker
   * @param {Position | undefined} own
   * @param {Held | undefined} held
   * @param {number} now
   * @param {Compared} found
   */
  #market(ticker, own, held, now, found) {
    const [ours, theirs] = [Number(own?.quantity ?? 0), held?.quantity ?? 0];
    if (theirs !== ours) {
      if (this.#stands(ticker, ours, theirs, now)) {
        found.rows.set(ticker, { quantity: theirs, average: null, realized: null });
        found.quantities += 1;
      } else found.checking = true;
      return;
    }
    this.seen.delete(ticker);
    // Of a market that is closed the exchange may say nothing any more: only what both hold is compared in money.
    if (own && held && theirs !== 0) money(ticker, own, held, found);
  }

  /**
   * @param {string} ticker
   * @param {number} ours
   * @param {number} theirs
   * @param {number} now
   */
  #stands(ticker, ours, theirs, now) {
    const seen = this.seen.get(ticker);
    if (seen && seen.ours === ours && seen.theirs === theirs) return now - seen.since >= TERM;
    this.seen.set(ticker, { ours, theirs, since: now });
    return false;
  }
}

/**
 * @param {string} ticker
 * @param {Position} own
 * @param {Held} held
 * @param {Compared} found
 */
function money(ticker, own, held, found) {
  const cost = held.cost - Number(own.cost);
  const realized = (held.realized_pnl ?? Number(own.realized_pnl)) - Number(own.realized_pnl);
  const [costs, made] = [Math.abs(cost) >= CENT, Math.abs(realized) >= CENT];
  if (!costs && !made) return;
  found.rows.set(ticker, { quantity: null, average: costs ? held.cost / Math.abs(held.quantity) : null, realized: made ? held.realized_pnl ?? null : null });
  found.amounts += 1;
  found.cost += cost;
  found.realized += realized;
}

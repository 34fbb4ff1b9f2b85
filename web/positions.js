/** Positions and profit from the baseline and the entries of the stream alone: exact, first in first out. */

import { MONEY, PRICE, text, whole } from './exact.js';
import { Ledger } from './ledger.js';
import { opening, settlement, trade } from './moves.js';

/** @typedef {import('./types').Entry} Entry */
/** @typedef {import('./types').Mode} Mode */

/** Everything of one mode. Use Books where modes may change: paper and real never share a book. */
export class Book {
  constructor() {
    /** @type {Map<string, Ledger>} */
    this.ledgers = new Map();
    /** @type {import('./types').Baseline | null} */
    this.baseline = null;
    /** grows with every change that touches the past, so that a curve knows when to start anew */
    this.revision = 0;
  }

  /**
   * Take an entry in whatever order it comes. Throws RangeError when a number of it cannot be kept exactly.
   * @param {Entry} entry
   */
  add(entry) {
    if ('positions' in entry) this.#begin(entry);
    else if ('trade_id' in entry) this.#move(entry.ticker, trade(entry));
    else if ('result' in entry) this.#move(entry.ticker, settlement(entry));
  }

  /** Bring the sums of every market up to its last entry. Rows do so by themselves; this spreads the work. */
  settle() {
    for (const ledger of this.ledgers.values()) ledger.settle();
  }

  /**
   * One row for each market ever touched.
   * @param {(ticker: string) => number | string | null | undefined} [mark] the price of YES
   */
  positions(mark) {
    return [...this.ledgers.values()].map((ledger) => ledger.position(priced(mark?.(ledger.ticker))));
  }

  /**
   * The sums of rows. unmarked: how many open positions have no mark and are not in value or unrealized profit.
   * @param {import('./types').Position[]} rows
   * @returns {import('./types').Totals}
   */
  static totals(rows) {
    const sum = (/** @type {'cost' | 'value' | 'unrealized_pnl' | 'realized_pnl' | 'fees'} */ name) =>
      rows.reduce((total, row) => total + amount(row[name]), 0n);
    const [unrealized, realized, fees] = [sum('unrealized_pnl'), sum('realized_pnl'), sum('fees')];
    return {
      cost: text(sum('cost'), MONEY),
      value: text(sum('value'), MONEY),
      unrealized_pnl: text(unrealized, MONEY),
      realized_pnl: text(realized, MONEY),
      fees: text(fees, MONEY),
      net: text(realized + unrealized - fees, MONEY),
      trades: rows.reduce((total, row) => total + row.trades, 0),
      fees_unknown: rows.reduce((total, row) => total + row.fees_unknown, 0),
      open: rows.filter((row) => row.outcome !== null).length,
      unmarked: rows.filter((row) => row.outcome !== null && row.mark === null).length,
    };
  }

  /** @param {import('./types').Baseline} baseline */
  #begin(baseline) {
    const kept = this.baseline;
    if (kept && (kept.timestamp > baseline.timestamp || (kept.timestamp === baseline.timestamp && kept.seq >= baseline.seq))) return;
    const openings = new Map(baseline.positions.map((row) => [row.ticker, opening(row)]));
    this.baseline = baseline;
    for (const ticker of openings.keys()) this.#ledger(ticker);
    for (const ledger of this.ledgers.values()) ledger.open(baseline.timestamp, openings.get(ledger.ticker) ?? null);
    this.revision += 1;
  }

  /**
   * @param {string} ticker
   * @param {import('./ledger.js').Move} move
   */
  #move(ticker, move) {
    if (this.#ledger(ticker).add(move)) this.revision += 1;
  }

  /** @param {string} ticker */
  #ledger(ticker) {
    let ledger = this.ledgers.get(ticker);
    if (!ledger) {
      ledger = new Ledger(ticker);
      if (this.baseline) ledger.open(this.baseline.timestamp, null);
      this.ledgers.set(ticker, ledger);
    }
    return ledger;
  }
}

/** A book for each mode. */
export class Books {
  constructor() {
    /** @type {Map<Mode, Book>} */
    this.books = new Map();
    /** @type {Mode | null} the mode of the entry with the highest seq */
    this.latest = null;
  }

  /** @param {Mode} mode */
  of(mode) {
    const book = this.books.get(mode) ?? new Book();
    this.books.set(mode, book);
    return book;
  }

  /** @param {Entry} entry */
  add(entry) {
    if (!('mode' in entry)) return;
    this.of(entry.mode).add(entry);
    this.latest = entry.mode;
  }
}

/** @param {number | string | null | undefined} mark */
function priced(mark) {
  return mark === null || mark === undefined ? null : whole(mark, PRICE, 'mark');
}

/** @param {string | null} decimal our own exact text */
function amount(decimal) {
  if (decimal === null) return 0n;
  const [head, tail = ''] = decimal.split('.');
  return BigInt(head + tail.padEnd(MONEY, '0'));
}

/** Positions and profit from the entries of the journal alone: exact, first in first out. */

import { MONEY, PRICE, amount, text, whole } from './amounts.js';
import { kindOf } from './decoder.js';
import { MarketBook } from './market_book.js';
import { readOpening, readSettlement, readTrade } from './records.js';

/** @typedef {import('./types').Entry} Entry */
/** @typedef {import('./types').Mode} Mode */
/** @typedef {import('./records.js').TradeRecord} TradeRecord */

/** The books of all markets in one mode. Use Books where the mode may change: paper and real money never share a book. */
export class Book {
  constructor() {
    /** @type {Map<string, MarketBook>} */
    this.markets = new Map();
    /** @type {import('./types').Baseline | null} */
    this.baseline = null;
    /** @type {Map<number, { seq: number, record: TradeRecord }>} the last correction of each corrected trade, by its seq */
    this.corrections = new Map();
    /** @type {Map<number, number>} seq of a correction: seq of the trade that it corrects */
    this.corrected = new Map();
    /** grows with every change of the past, after which a curve has to be made anew */
    this.revision = 0;
  }

  /**
   * Add an entry, in any order of arrival. Throws RangeError for a number that cannot be used; nothing has changed then.
   * @param {Entry} entry
   */
  add(entry) {
    const kind = kindOf(entry);
    if (kind === 'trade') this.#trade(readTrade(/** @type {import('./types').Trade} */ (entry)));
    else if (kind === 'correction') this.#correct(/** @type {import('./types').Correction} */ (entry));
    else if (kind === 'settlement') this.#settle(/** @type {import('./types').Settlement} */ (entry));
    else if (kind === 'baseline') this.#begin(/** @type {import('./types').Baseline} */ (entry));
  }

  /** Bring the sums of every market up to date. Rows do so by themselves; this spreads the work. */
  settle() {
    for (const market of this.markets.values()) market.settle();
  }

  /**
   * Return one row for each market that was ever traded.
   * @param {(ticker: string) => number | string | null | undefined} [mark] the price of YES
   */
  positions(mark) {
    return [...this.markets.values()].map((market) => market.position(markPrice(mark?.(market.ticker))));
  }

  /**
   * Return the sums of rows. Open positions without a mark are counted in `unmarked` and left out of value, unrealized
   * profit and net; these are null where there are open positions and none of them has a mark.
   * @param {import('./types').Position[]} rows
   * @returns {import('./types').Totals}
   */
  static totals(rows) {
    const open = rows.filter((row) => row.outcome !== null);
    const unmarked = open.filter((row) => row.mark === null).length;
    const sum = (/** @type {'cost' | 'value' | 'unrealized_pnl' | 'realized_pnl' | 'fees'} */ name) =>
      rows.reduce((total, row) => total + amount(row[name] ?? '0', MONEY), 0n);
    const unknown = open.length > 0 && unmarked === open.length;
    const [unrealized, realized, fees] = [sum('unrealized_pnl'), sum('realized_pnl'), sum('fees')];
    return {
      cost: text(sum('cost'), MONEY),
      value: unknown ? null : text(sum('value'), MONEY),
      unrealized_pnl: unknown ? null : text(unrealized, MONEY),
      realized_pnl: text(realized, MONEY),
      fees: text(fees, MONEY),
      net: unknown ? null : text(realized + unrealized - fees, MONEY),
      trades: rows.reduce((total, row) => total + row.trades, 0),
      fees_unknown: rows.reduce((total, row) => total + row.fees_unknown, 0),
      open: open.length,
      unmarked,
    };
  }

  /**
   * Return what a trade realized less its fee, in dollars; null for a trade that is included in the baseline or unknown.
   * @param {string} ticker
   * @param {number} time
   * @param {number} seq
   */
  gain(ticker, time, seq) {
    const market = this.markets.get(ticker)?.settle();
    if (!market || time <= market.after) return null;
    const at = indexOf(market.times, market.seqs, time, seq);
    return at < 0 ? null : market.gains[at] / 10 ** MONEY;
  }

  /** @param {TradeRecord} record */
  #trade(record) {
    const market = this.#market(record.ticker);
    if (this.corrections.has(record.seq)) return; // its corrected content is in the book already
    if (market.add(record)) this.revision += 1;
  }

  /** @param {import('./types').Correction} entry */
  #correct(entry) {
    const record = readTrade(entry);
    this.#market(record.ticker); // a row of its own, as in the service, also where another correction counts
    const root = this.corrected.get(entry.corrects) ?? entry.corrects;
    this.corrected.set(entry.seq, root);
    const later = this.corrections.get(entry.seq); // a correction of this correction that arrived before it
    if (later) {
      this.corrections.delete(entry.seq);
      this.corrected.set(later.seq, root);
      this.#remove(entry.seq);
    }
    const last = [this.corrections.get(root), later, { seq: entry.seq, record }].reduce((a, b) => (!a || (b && b.seq > a.seq) ? b : a));
    if (!last) return;
    this.corrections.set(root, last);
    this.#remove(root);
    const market = this.#market(last.record.ticker);
    if (last.record.quantity !== 0) market.add({ ...last.record, seq: root });
    this.revision += 1;
  }

  /** @param {number} seq */
  #remove(seq) {
    for (const market of this.markets.values()) if (market.remove(seq)) return;
  }

  /** @param {import('./types').Settlement} entry */
  #settle(entry) {
    const record = readSettlement(entry);
    if (this.#market(record.ticker).pay(record)) this.revision += 1;
  }

  /** @param {import('./types').Baseline} baseline */
  #begin(baseline) {
    const kept = this.baseline;
    if (kept && (kept.timestamp > baseline.timestamp || (kept.timestamp === baseline.timestamp && kept.seq >= baseline.seq))) return;
    const openings = new Map(baseline.positions.map((row) => [row.ticker, readOpening(row)]));
    this.baseline = baseline;
    for (const ticker of openings.keys()) this.#market(ticker);
    for (const market of this.markets.values()) market.begin(baseline.timestamp, openings.get(market.ticker) ?? null);
    this.revision += 1;
  }

  /** @param {string} ticker */
  #market(ticker) {
    let market = this.markets.get(ticker);
    if (!market) {
      market = new MarketBook(ticker);
      if (this.baseline) market.begin(this.baseline.timestamp, null);
      this.markets.set(ticker, market);
    }
    return market;
  }
}

/** A book for each mode. */
export class Books {
  constructor() {
    /** @type {Map<Mode, Book>} */
    this.books = new Map();
    /** @type {Mode | null} the mode of the entry that was added last */
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
function markPrice(mark) {
  return mark === null || mark === undefined ? null : whole(mark, PRICE, 'mark');
}

/**
 * Return the index of (time, seq) in sorted columns, -1 when it is not there.
 * @param {number[]} times
 * @param {number[]} seqs
 * @param {number} time
 * @param {number} seq
 */
function indexOf(times, seqs, time, seq) {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < time || (times[middle] === time && seqs[middle] < seq)) low = middle + 1;
    else high = middle;
  }
  return times[low] === time && seqs[low] === seq ? low : -1;
}

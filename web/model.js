/** All that the page knows: the books, the last entries, titles and marks. No element of the page is touched here. */

import { Comparison } from './compare.js';
import { Book, Books } from './positions.js';

/** @typedef {import('./types').Entry} Entry */
/** @typedef {{ ticker: string, title: string | null, quantity: number, outcome: 'yes' | 'no' | null, cost: number, realized_pnl?: number, mark: number | null }} Held a row of /portfolio/positions */

export const KEEP = 2000; // entries that the page holds; older ones are read from the journal when asked for

export class Model {
  constructor() {
    this.books = new Books();
    /** @type {Entry[]} the newest entries, ascending by seq */
    this.recent = [];
    /** @type {import('./types').BotStatus | null} */
    this.status = null;
    /** @type {import('./types').Mode | null} the mode of the newest trade, while the journal is read from its beginning */
    this.hint = null;
    /** @type {Map<string, string>} */
    this.titles = new Map();
    /** @type {Map<string, number>} prices of YES by the exchange */
    this.marks = new Map();
    /** @type {Map<string, number>} the same, from the list of markets */
    this.quotes = new Map();
    /** @type {Map<string, { price: number, time: number }>} prices of YES of our own last trades, where nobody quotes */
    this.traded = new Map();
    /** @type {Map<string, Held> | null} what the exchange says we hold */
    this.exchange = null;
    /** when the exchange said so */
    this.exchangeAt = 0;
    this.comparison = new Comparison();
    /** whether the server called that old, and when we heard it */
    this.exchangeStale = false;
    this.exchangeGot = 0;
    /** how good the marks of what is held are: when they were so, when we heard, whether the server calls them old */
    this.marked = { as_of: 0, got: 0, stale: false };
    /** @type {string[]} entries whose numbers could not be kept */
    this.refused = [];
    this.entries = 0;
  }

  /** What is shown: the mode of the bot, else of the last entry. @returns {import('./types').Mode} */
  get mode() {
    return this.status?.mode ?? this.hint ?? this.books.latest ?? 'live';
  }

  get book() {
    return this.books.of(this.mode);
  }

  /** @param {Entry} entry */
  add(entry) {
    try {
      this.books.add(entry);
    } catch (error) {
      this.refused.push(`#${entry.seq}: ${/** @type {Error} */ (error).message}`);
    }
    this.entries += 1;
    if ('trade_id' in entry) this.#trade(entry);
    this.recent.push(entry);
    if (this.recent.length > KEEP * 1.5) this.recent.splice(0, this.recent.length - KEEP);
  }

  /** The journal is another one now. */
  clear() {
    this.books = new Books();
    this.recent = [];
    this.traded.clear();
    this.comparison = new Comparison();
    this.refused = [];
    this.entries = 0;
  }

  /** @param {import('./types').Trade} trade */
  #trade(trade) {
    const price = trade.outcome === 'no' ? Number((1 - trade.price).toFixed(6)) : trade.price;
    const known = this.traded.get(trade.ticker);
    if (!known || trade.timestamp >= known.time) this.traded.set(trade.ticker, { price, time: trade.timestamp });
  }

  /**
   * @param {Held[]} rows
   * @param {number} at when they were so
   */
  hold(rows, at) {
    this.exchangeAt = at;
    this.exchange = new Map(rows.filter((row) => row.quantity !== 0).map((row) => [row.ticker, row]));
    for (const row of rows) {
      if (row.title) this.titles.set(row.ticker, row.title);
      if (row.mark !== null && row.mark !== undefined && row.outcome) {
        this.marks.set(row.ticker, row.outcome === 'yes' ? row.mark : Number((1 - row.mark).toFixed(6)));
      }
    }
  }

  /** @param {{ ticker: string, title: string, yes_bid: number | null, yes_ask: number | null, last_price: number | null }[]} markets */
  quote(markets) {
    for (const { ticker, title, yes_bid: bid, yes_ask: ask, last_price: last } of markets) {
      if (title) this.titles.set(ticker, title);
      const middle = bid !== null && ask !== null && ask - bid <= 0.1 ? Number(((bid + ask) / 2).toFixed(6)) : last ?? bid;
      if (middle === null) this.quotes.delete(ticker);
      else this.quotes.set(ticker, middle);
    }
  }

  /**
   * The mark of a market: the exchange's for what it knows us to hold, else its quotes, else our own last trade.
   * @param {string} ticker
   */
  mark(ticker) {
    return this.marks.get(ticker) ?? this.quotes.get(ticker) ?? this.traded.get(ticker)?.price ?? null;
  }

  /** Rows and sums of the shown mode. */
  positions() {
    const rows = this.book.positions((ticker) => this.mark(ticker));
    return { rows, totals: Book.totals(rows) };
  }

  /**
   * The book beside the exchange's account; null when there is nothing to compare: the exchange was not heard, or it
   * knows nothing of these trades because they are on paper. Markets traded since it spoke are left out.
   * @param {import('./types').Position[]} rows
   * @param {number} [now] seconds
   */
  differences(rows, now = Date.now() / 1000) {
    if (!this.exchange || this.mode === 'paper') return null;
    const settled = (/** @type {string} */ ticker) => (this.book.ledgers.get(ticker)?.times.at(-1) ?? 0) < this.exchangeAt - 2;
    return this.comparison.of(rows, this.exchange, settled, now);
  }
}

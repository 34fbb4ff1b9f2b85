/** What the page knows: books, entries, names, marks, and the last answers of the server. No element is touched here. */

import { markOf, complement } from './mark.js';
import { MarketNames } from './market_names.js';
import { Book, Books } from './positions.js';
import { ACCOUNT_TERM, MARK_TERM, factOf, isOld } from './staleness.js';
import { TradeStore } from './trade_store.js';
import { kindOf } from './decoder.js';

/** @typedef {import('./types').Entry} Entry */
/** @typedef {import('./staleness.js').Fact} Fact */
/** @typedef {import('./staleness.js').Situation} Situation */
/** @typedef {{ price: number, fact: Fact }} Mark price of YES in dollars */
/** @typedef {{ ticker: string, title: string | null, quantity: number, outcome: 'yes' | 'no' | null, cost: number, mark: number | null }} AccountPosition a row of /portfolio/positions */
/** @typedef {{ ticker: string, event_ticker?: string, title: string, yes_title?: string, status: string, yes_bid: number | null, yes_ask: number | null, last_price: number | null, volume_24h: number | null, volume?: number | null, open_interest?: number | null, close_time: number | null, result?: string | null, settlement_value?: number | null }} Market */
/** @typedef {import('./types').Position & { markFact: Fact | null, net: number | null }} Row a position with the source of its mark; net: profit after fees */

export class Model {
  constructor() {
    this.names = new MarketNames();
    this.store = new TradeStore();
    /** @type {TradeStore | null} the newest trades, while the journal is read from its beginning */
    this.preview = null;
    this.books = new Books();
    /** @type {import('./types').BotStatus | null} */
    this.status = null;
    /** @type {import('./types').Mode | null} the mode of the newest trade, while the journal is read from its beginning */
    this.hint = null;
    /** @type {import('./alerts.js').Health | null} */
    this.health = null;
    /** @type {{ amount: number | null, fact: Fact } | null} */
    this.cash = null;
    /** @type {string | null} why the account cannot be read */
    this.accountError = null;
    /** @type {any} the last /portfolio/reconciliation; null while the server gave none */
    this.reconciliation = null;
    /** @type {Fact | null} */
    this.reconciliationFact = null;
    /** @type {Map<string, Mark>} by the exchange, for positions of the account */
    this.accountMarks = new Map();
    /** @type {Map<string, Mark>} by quotes of the list of markets */
    this.quotes = new Map();
    /** @type {Map<string, Mark>} by the newest own trade */
    this.ownTrades = new Map();
    /** @type {string[]} entries with numbers that cannot be used */
    this.refused = [];
    this.entries = 0;
  }

  /** The mode that is shown: the bot's, else that of the newest trade; null while neither is known. */
  get mode() {
    return this.status?.mode ?? this.hint ?? this.books.latest ?? null;
  }

  get book() {
    return this.books.of(this.mode ?? 'live');
  }

  /** The entries that lists show. */
  get shownStore() {
    return this.preview ?? this.store;
  }

  /**
   * Let lists show the newest trades until everything was read.
   * @param {import('./types').Trade[]} trades newest first
   */
  begin(trades) {
    this.preview = new TradeStore();
    for (const trade of [...trades].reverse()) this.preview.add(trade);
    this.hint = trades[0]?.mode ?? null;
  }

  /** @param {Entry} entry */
  add(entry) {
    try {
      this.books.add(entry);
    } catch (error) {
      this.refused.push(`#${entry.seq}: ${/** @type {Error} */ (error).message}`);
    }
    this.store.add(entry);
    this.entries += 1;
    if (kindOf(entry) === 'trade') this.#noteTrade(/** @type {import('./types').Trade} */ (entry));
  }

  /** Forget the journal: it is another one now. */
  clear() {
    this.books = new Books();
    this.store.clear();
    this.preview = null;
    this.ownTrades.clear();
    this.refused = [];
    this.entries = 0;
  }

  /**
   * Take the positions of the account, with their marks.
   * @param {{ source: string, as_of: number, stale: boolean, positions: AccountPosition[], marks_as_of?: number, marks_stale?: boolean }} answer
   * @param {number} received
   */
  holdAccount(answer, received) {
    const fact = { ...factOf(answer, received, ACCOUNT_TERM), asOf: answer.marks_as_of ?? answer.as_of, stale: answer.stale || answer.marks_stale === true };
    this.accountMarks.clear();
    for (const row of answer.positions) {
      this.names.add(row);
      if (row.mark === null || row.mark === undefined || !row.outcome) continue;
      this.accountMarks.set(row.ticker, { price: row.outcome === 'yes' ? row.mark : complement(row.mark), fact });
    }
  }

  /**
   * Take names and quotes of markets.
   * @param {Market[]} markets
   * @param {Fact} fact
   */
  quote(markets, fact) {
    for (const market of markets) {
      this.names.add(market);
      const price = markOf(market);
      if (price === null) this.quotes.delete(market.ticker);
      else this.quotes.set(market.ticker, { price, fact });
    }
  }

  /**
   * Return the mark of a market: the exchange's for a position of the account, its quotes, or the price of the last own trade.
   * @param {string} ticker
   * @returns {Mark | null}
   */
  mark(ticker) {
    const [account, quote] = [this.accountMarks.get(ticker), this.quotes.get(ticker)];
    if (account && quote) return quote.fact.asOf > account.fact.asOf ? quote : account;
    return account ?? quote ?? this.ownTrades.get(ticker) ?? null;
  }

  /** Return rows and sums of the shown mode. */
  positions() {
    const { book } = this;
    const plain = book.positions((ticker) => this.mark(ticker)?.price);
    /** @type {Row[]} */
    const rows = plain.map((row) => ({
      ...row, markFact: row.outcome ? this.mark(row.ticker)?.fact ?? null : null,
      net: row.outcome && row.unrealized_pnl === null ? null : Number(row.realized_pnl) + Number(row.unrealized_pnl ?? 0) - Number(row.fees),
    }));
    return { rows, totals: Book.totals(plain) };
  }

  /**
   * Return the oldest of the facts behind the marks of open positions, null when there is none.
   * @param {Row[]} rows
   * @param {Situation} situation
   */
  oldestMark(rows, situation) {
    const facts = rows.map((row) => row.markFact).filter((fact) => fact !== null);
    const old = facts.filter((fact) => isOld(fact, situation));
    return (old.length ? old : facts).reduce((a, b) => (a === null || b.asOf < a.asOf ? b : a), /** @type {Fact | null} */ (null));
  }

  /** @param {import('./types').Trade} trade */
  #noteTrade(trade) {
    const price = trade.outcome === 'no' ? complement(trade.price) : trade.price;
    const known = this.ownTrades.get(trade.ticker);
    if (known && trade.timestamp < known.fact.asOf) return;
    this.ownTrades.set(trade.ticker, { price, fact: { source: 'own', asOf: trade.timestamp, received: trade.timestamp, stale: false, term: MARK_TERM } });
  }
}

/** A table over the entries of the journal: a selection, a sort order, and new entries as they come. */

import { Table } from './table.js';
import { tradeColumns } from './trade_columns.js';

/** @typedef {import('./trade_store.js').StoredEntry} StoredEntry */

/** Columns that the store holds as numbers: they are sorted without making a row of each entry. */
const FIELDS = /** @type {Record<string, string>} */ ({ time: 'timestamp', quantity: 'quantity', price: 'price', fee: 'fee' });
const RESORT = 500; // milliseconds between two sorts while entries come

export class TradeList {
  /**
   * @param {HTMLElement} place
   * @param {import('./model.js').Model} model
   * @param {(column: string, descending: boolean) => void} onSort
   * @param {boolean} [one] all entries are of one market, which is not repeated in every row
   */
  constructor(place, model, onSort, one = false) {
    this.model = model;
    this.columns = tradeColumns((row) => this.#gain(row)).filter((column) => !one || !column.market);
    this.table = new Table(place, {
      caption: 'Trades', columns: this.columns, name: (ticker) => model.names.name(ticker), onSort, marketWidth: 244,
      rowClass: (row) => `${row.kind}${row.seq > this.flash ? ' new' : ''}`,
      empty: ['No trades here', 'They appear the moment the bot makes them; a filter may hide some.'],
    });
    /** @type {{ tickers: Set<string> | null, from: number, to: number }} */
    this.selection = { tickers: null, from: -Infinity, to: Infinity };
    this.sort = { column: 'seq', descending: true };
    /** indices of the store, ascending in the sorted column; a part of `space`, which has room for more */
    /** @type {Uint32Array} */
    this.order = new Uint32Array(0);
    this.space = this.order;
    /** @type {import('./trade_store.js').TradeStore | null} */
    this.store = null;
    this.seen = 0;
    this.revision = -1;
    this.mode = '';
    this.flash = Infinity;
    this.sortedAt = -Infinity;
    this.table.markSorted('seq', true);
  }

  /** How many entries are selected. */
  get length() {
    return this.order.length;
  }

  /**
   * @param {{ tickers: Set<string> | null, from: number, to: number }} selection
   * @param {{ column: string, descending: boolean }} sort
   */
  configure(selection, sort) {
    const column = this.columns.some(({ name }) => name === sort.column) ? sort.column : 'seq';
    const others = keyOf(selection) !== keyOf(this.selection);
    this.selection = selection;
    this.sort = { column, descending: sort.descending };
    this.table.markSorted(column, sort.descending);
    this.table.scrollToTop();
    this.#rebuild(others);
  }

  /** Take in what is new since the last call. */
  update() {
    const { shownStore: store, mode } = this.model;
    if (store !== this.store || store.revision !== this.revision || (mode ?? '') !== this.mode || store.length < this.seen) return this.#rebuild(true);
    if (store.length === this.seen) return this.table.show(this.#rows());
    if (this.sort.column !== 'seq') {
      if (performance.now() - this.sortedAt > RESORT) this.#rebuild(false);
      return undefined;
    }
    const fresh = store.select({ ...this.selection, mode: this.mode }, this.seen);
    this.#append(fresh);
    if (store.length - this.seen <= 3 && this.seen > 0) this.flash = store.at(this.seen).seq - 1;
    else this.flash = Infinity;
    this.seen = store.length;
    return this.table.show(this.#rows());
  }

  /** @param {boolean} anew */
  #rebuild(anew) {
    const { shownStore: store, mode } = this.model;
    [this.store, this.revision, this.mode, this.seen, this.flash] = [store, store.revision, mode ?? '', store.length, Infinity];
    const indices = store.select({ ...this.selection, mode: this.mode });
    const column = this.columns.find(({ name }) => name === this.sort.column);
    this.order = this.sort.column === 'seq' || !column?.sort ? indices : store.sort(indices, this.#keys(column, store));
    this.space = this.order;
    this.sortedAt = performance.now();
    this.table.show(this.#rows(), anew);
  }

  /** @param {Uint32Array} fresh */
  #append(fresh) {
    const length = this.order.length + fresh.length;
    if (length > this.space.length) {
      this.space = new Uint32Array(Math.max(1024, length * 2));
      this.space.set(this.order);
    }
    this.space.set(fresh, this.order.length);
    this.order = this.space.subarray(0, length);
  }

  /**
   * Return the numbers by which entries are sorted, by their index, without making a row of each trade.
   * @param {import('./trade_columns.js').Column} column
   * @param {import('./trade_store.js').TradeStore} store
   */
  #keys({ name, sort }, store) {
    const field = store.numbers[FIELDS[name]];
    if (field) return field;
    if (name === 'market') return store.ranked('ticker');
    if (name === 'source') return store.ranked('source');
    const column = name === 'side' ? sides(store) : name === 'profit' ? this.#gains(store) : amounts(store);
    if (name !== 'side') for (const at of store.others.keys()) column[at] = Number(sort?.(store.at(at)) ?? NaN);
    return column;
  }

  /**
   * Return the profit of each trade by its index; NaN where there is none.
   * @param {import('./trade_store.js').TradeStore} store
   */
  #gains(store) {
    const found = new Float64Array(store.length).fill(NaN);
    for (const market of this.model.book.markets.values()) {
      const { times, seqs, gains, after } = market.settle();
      for (let each = 0; each < seqs.length; each += 1) if (times[each] > after) found[store.indexOf(seqs[each])] = gains[each];
    }
    return found;
  }

  #rows() {
    const { order, model: { shownStore: store }, sort: { descending } } = this;
    const length = order.length;
    return { length, at: (/** @type {number} */ at) => (at < length ? store.at(order[descending ? length - 1 - at : at]) : undefined) };
  }

  /** @param {StoredEntry} row */
  #gain(row) {
    const market = this.model.book.markets.get(row.ticker);
    if (row.kind === 'trade') return this.model.book.gain(row.ticker, row.timestamp, row.seq);
    if (row.kind !== 'settlement' || market?.settle().settlement?.seq !== row.seq) return null;
    return market.settlementGain / 1e8;
  }
}

/** @param {{ tickers: Set<string> | null, from: number, to: number }} selection */
function keyOf({ tickers, from, to }) {
  return `${from} ${to} ${tickers ? [...tickers].join() : 'all'}`;
}

/**
 * Return the dollars of each trade by its index.
 * @param {import('./trade_store.js').TradeStore} store
 */
function amounts({ length, numbers: { quantity, price } }) {
  const column = new Float64Array(length);
  for (let at = 0; at < length; at += 1) column[at] = quantity[at] * price[at];
  return column;
}

/**
 * Return numbers that sort by kind, side and outcome.
 * @param {import('./trade_store.js').TradeStore} store
 */
function sides(store) {
  const [kind, side, outcome] = [store.ranked('kind'), store.ranked('side'), store.ranked('outcome')];
  const most = store.words.length;
  return kind.map((rank, at) => (rank * most + side[at]) * most + outcome[at]);
}

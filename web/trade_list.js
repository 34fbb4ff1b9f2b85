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
   */
  constructor(place, model, onSort) {
    this.model = model;
    this.columns = tradeColumns((row) => this.#gain(row));
    this.table = new Table(place, {
      caption: 'Trades', columns: this.columns, name: (ticker) => model.names.name(ticker), onSort, marketWidth: 230,
      rowClass: (row) => `${row.kind}${row.seq > this.flash ? ' new' : ''}`,
      empty: ['No trades here', 'They appear the moment the bot makes them; a filter may hide some.'],
    });
    /** @type {{ tickers: Set<string> | null, from: number, to: number }} */
    this.selection = { tickers: null, from: -Infinity, to: Infinity };
    this.sort = { column: 'seq', descending: true };
    /** @type {number[] | Uint32Array} indices of the store, ascending in the sorted column */
    this.order = [];
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
    this.selection = selection;
    this.sort = { column, descending: sort.descending };
    this.table.markSorted(column, sort.descending);
    this.#rebuild(true);
  }

  /** Take in what is new since the last call. */
  update() {
    const { store, mode } = this.model;
    if (store.revision !== this.revision || (mode ?? '') !== this.mode || store.length < this.seen) return this.#rebuild(true);
    if (store.length === this.seen) return this.table.show(this.#rows());
    if (this.sort.column !== 'seq') {
      if (performance.now() - this.sortedAt > RESORT) this.#rebuild(false);
      return undefined;
    }
    const fresh = store.select({ ...this.selection, mode: this.mode }, this.seen);
    const order = Array.isArray(this.order) ? this.order : Array.from(this.order);
    for (const index of fresh) order.push(index);
    this.order = order;
    if (store.length - this.seen <= 3 && this.seen > 0) this.flash = store.at(this.seen).seq - 1;
    else this.flash = Infinity;
    this.seen = store.length;
    return this.table.show(this.#rows());
  }

  /** @param {boolean} anew */
  #rebuild(anew) {
    const { store, mode } = this.model;
    [this.revision, this.mode, this.seen, this.flash] = [store.revision, mode ?? '', store.length, Infinity];
    const indices = store.select({ ...this.selection, mode: this.mode });
    const column = this.columns.find(({ name }) => name === this.sort.column);
    this.order = this.sort.column === 'seq' || !column?.sort ? Array.from(indices) : store.sort(indices, this.#value(column));
    this.sortedAt = performance.now();
    this.table.show(this.#rows(), anew);
  }

  /**
   * @param {import('./trade_columns.js').Column} column
   * @returns {(at: number) => number | string | null}
   */
  #value({ name, sort }) {
    const { store } = this.model;
    const numbers = store.numbers[FIELDS[name]];
    if (numbers) return (at) => numbers[at];
    if (name === 'market') return (at) => store.words[store.codes.ticker[at]];
    const { book } = this.model;
    const gain = (/** @type {number} */ at) => book.gain(store.words[store.codes.ticker[at]], store.numbers.timestamp[at], store.numbers.seq[at]);
    return (at) => (name === 'profit' && !store.others.has(at) ? gain(at) : sort?.(store.at(at)) ?? null);
  }

  #rows() {
    const { order, model: { store }, sort: { descending } } = this;
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

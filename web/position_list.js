/** A table of positions: open ones, or closed ones too, sorted; rows keep their place while only values change. */

import { positionColumns } from './position_columns.js';
import { compareValues } from './sorting.js';
import { Table } from './table.js';

/** @typedef {import('./model.js').Row} Row */

export class PositionList {
  /**
   * @param {HTMLElement} place
   * @param {import('./model.js').Model} model
   * @param {() => import('./staleness.js').Situation} situation
   * @param {(column: string, descending: boolean) => void} onSort
   */
  constructor(place, model, situation, onSort) {
    this.model = model;
    const columns = positionColumns(situation, (row) => differenceOf(model.reconciliation, row.ticker));
    this.columns = columns;
    this.checked = columns.filter(({ name }) => name !== 'difference');
    this.table = new Table(place, {
      caption: 'Positions', columns, name: (ticker) => model.names.name(ticker), onSort, marketWidth: 250,
      empty: ['No open positions', 'The first trade opens one; closed ones are listed in the view Positions.'],
    });
    this.sort = { column: 'value', descending: true };
    this.table.markSorted('value', true);
    /** @type {string} */
    this.signature = '';
    /** @type {string[]} tickers in their order */
    this.order = [];
  }

  /** @param {{ column: string, descending: boolean }} sort */
  configure(sort) {
    const column = this.columns.some(({ name }) => name === sort.column) ? sort.column : 'value';
    this.sort = { column, descending: sort.descending };
    this.table.markSorted(column, sort.descending);
    this.signature = '';
  }

  /** @param {Row[]} rows those to show */
  show(rows) {
    const differs = rows.some((row) => differenceOf(this.model.reconciliation, row.ticker));
    this.table.setColumns(differs ? this.columns : this.checked);
    const signature = `${this.sort.column}${this.sort.descending}${rows.map((row) => row.ticker).join()}`;
    if (signature !== this.signature || this.sort.column !== 'value') {
      this.order = this.#sorted(rows).map((row) => row.ticker);
      this.signature = signature;
    }
    const byTicker = new Map(rows.map((row) => [row.ticker, row]));
    this.table.show(this.order.map((ticker) => /** @type {Row} */ (byTicker.get(ticker))));
  }

  /** @param {Row[]} rows */
  #sorted(rows) {
    const { sort } = this.columns.find(({ name }) => name === this.sort.column) ?? this.columns[0];
    const sign = this.sort.descending ? -1 : 1;
    const value = (/** @type {Row} */ row) => (this.sort.column === 'value' ? Number(row.value ?? row.cost) : sort?.(row) ?? null);
    return [...rows].sort((a, b) => Number(b.outcome !== null) - Number(a.outcome !== null) || sign * compareValues(value(a), value(b)) || compareValues(a.ticker, b.ticker));
  }
}

/**
 * Return the contracts that the exchange or the bot reports instead of the journal's, with the causes; empty where they agree.
 * @param {any} reconciliation
 * @param {string} ticker
 */
export function differenceOf(reconciliation, ticker) {
  const rows = Array.isArray(reconciliation?.positions) ? reconciliation.positions : [];
  const row = rows.find((/** @type {any} */ each) => each.ticker === ticker);
  const others = ['exchange', 'bot'].filter((side) => row && typeof row[side] === 'number' && row[side] !== row.journal);
  if (others.length === 0) return '';
  const causes = row.causes?.length ? ` (${row.causes.join(', ')})` : '';
  return `${others.map((side) => `${side} ${row[side]}`).join(', ')}${causes}`;
}

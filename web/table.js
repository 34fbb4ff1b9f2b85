/** A dense table: columns as wide as their content, sortable, and only the visible rows exist. */

import { ColumnLayout, titleOf } from './column_layout.js';
import { emptyNote, h, nextFrame, observeSize, setAttribute, setText } from './dom.js';
import { drawMarket, drawPlain } from './market_cell.js';
import { TableInput } from './table_input.js';

/**
 * A column. text: what a cell shows, compact where space ends. full: its title and what is copied. priority: 0 is always
 * shown, the highest number is dropped first. market: the cell names a market.
 * @template R
 * @typedef {object} Column
 * @property {string} name
 * @property {string} title
 * @property {string} [short] its title where a row has two lines
 * @property {(row: R, compact: boolean) => string} text
 * @property {(row: R) => string} [full]
 * @property {(row: R) => string} [tone] a class of the cell
 * @property {(row: R) => number | string | null} [sort] left out: the column cannot be sorted
 * @property {(row: R) => string} [market] its ticker
 * @property {boolean} [numeric]
 * @property {number} [priority]
 * @property {boolean} [point] decimal points stand under each other
 * @property {number} [chars] characters to reserve
 */

/**
 * @template R
 * @typedef {object} Rows
 * @property {number} length
 * @property {(at: number) => R | undefined} at
 */

/**
 * @template R
 * @typedef {object} Options
 * @property {string} caption
 * @property {Column<R>[]} columns
 * @property {(ticker: string) => import('./market_names.js').Name} [name]
 * @property {(column: string, descending: boolean) => void} [onSort]
 * @property {(row: R) => string} [rowClass]
 * @property {[string, string]} [empty] title and hint where there are no rows
 * @property {number} [marketWidth] pixels of the market column for which columns of little importance are left out
 */

const OVERSCAN = 6; // rows drawn above and below the visible ones
const MOST = 240; // rows drawn at all, however high the table is
const EDGES = 8; // pixels beside the cells of a row

/** @template R */
export class Table {
  /**
   * @param {HTMLElement} place
   * @param {Options<R>} options
   */
  constructor(place, options) {
    this.place = place;
    this.options = options;
    /** @type {Rows<R>} */
    this.rows = [];
    this.sorted = { column: '', descending: true };
    /** @type {ColumnLayout<R>} */
    this.layout = new ColumnLayout(options.marketWidth);
    /** @type {HTMLElement[]} */
    this.pool = [];
    this.height = 0;
    /** pixels; reading scrollTop while drawing would lay out what was just written */
    this.scrolled = 0;
    this.head = h('div', { role: 'row', class: 'tr head' });
    this.body = h('div', { role: 'rowgroup', class: 'tbody' });
    this.scroller = h('div', { class: 'scroller', role: 'table', tabindex: '0', 'aria-label': options.caption }, h('div', { role: 'rowgroup', class: 'thead' }, this.head), this.body);
    this.probe = h('span', { class: 'probe', 'aria-hidden': 'true' }, '0000000000');
    this.note = h('div', { class: 'none', hidden: true });
    place.append(this.scroller, this.note, this.probe);
    this.input = new TableInput(this.scroller, () => nextFrame(this.measure));
    this.scroller.addEventListener('scroll', () => { this.scrolled = this.scroller.scrollTop; nextFrame(this.draw); }, { passive: true });
    this.body.addEventListener('pointerover', (event) => this.#describe(/** @type {Element} */ (event.target)));
    observeSize(place, this.measure);
  }

  /**
   * @param {Rows<R>} rows
   * @param {boolean} [anew] the rows are others than before: widths begin anew
   */
  show(rows, anew = false) {
    this.rows = rows;
    if (anew) this.layout.clear();
    nextFrame(this.draw);
  }

  scrollToTop() {
    if (this.scrolled !== 0) this.scroller.scrollTop = this.scrolled = 0;
  }

  /** @param {Column<R>[]} columns */
  setColumns(columns) {
    if (columns === this.options.columns) return;
    this.options.columns = columns;
    this.measure();
  }

  /** @param {string} column @param {boolean} descending */
  markSorted(column, descending) {
    this.sorted = { column, descending };
    this.layout.sorted = column;
    this.#drawHead();
  }

  draw = () => {
    if (this.layout.width === 0 || this.input.pressing) return;
    const empty = this.rows.length === 0;
    if (this.note.hidden === empty) {
      this.note.hidden = !empty;
      this.body.hidden = empty;
      this.height = this.scroller.clientHeight; // the note takes the place of rows
    }
    if (empty) return this.#drawEmpty();
    this.#drawRows();
    if (this.#fit()) { // a longer text was drawn: the columns have other widths now
      this.#drawHead();
      this.#drawRows();
    }
    return undefined;
  };

  measure = () => {
    const { layout } = this;
    layout.width = Math.max(0, this.scroller.clientWidth - EDGES);
    this.height = this.scroller.clientHeight;
    this.scrolled = this.scroller.scrollTop; // a table that was hidden begins at its top again
    layout.digit = this.probe.offsetWidth / 10 || 7;
    if (layout.width === 0 || this.input.pressing) return;
    this.#fit();
    this.place.classList.toggle('stacked', layout.stacked);
    this.#drawHead();
    this.draw();
  };

  #drawEmpty() {
    const [title, hint] = this.options.empty ?? ['Nothing to show', ''];
    if (this.note.textContent !== title + hint) this.note.replaceChildren(emptyNote(title, hint));
    setAttribute(this.scroller, 'aria-rowcount', '1');
  }

  /** Fit the columns into the width. Returns true when they changed. */
  #fit() {
    if (!this.layout.fit(this.options.columns)) return false;
    this.place.style.setProperty('--columns', this.layout.template);
    for (const row of this.pool) row.replaceChildren();
    return true;
  }

  #drawHead() {
    const { compact, stacked, template, visible } = this.layout;
    const key = `${compact} ${stacked} ${template}`;
    if (this.head.dataset.layout !== key) {
      const focused = /** @type {HTMLElement | null} */ (document.activeElement?.closest('.sort'))?.dataset.column;
      const within = this.head.contains(document.activeElement);
      this.head.dataset.layout = key;
      this.head.replaceChildren(...visible.map((column) => this.#heading(column)));
      if (within && focused) /** @type {HTMLElement | null} */ (this.head.querySelector(`[data-column="${focused}"]`))?.focus();
    }
    visible.forEach((column, at) => {
      const [element, { column: name, descending }] = [this.head.children[at], this.sorted];
      if (!column.sort) return;
      setAttribute(element, 'aria-sort', name !== column.name ? 'none' : descending ? 'descending' : 'ascending');
    });
  }

  /** @param {Column<R>} column */
  #heading(column) {
    const cell = h('div', { role: 'columnheader', class: `td${column.numeric ? ' n' : ''}${column.market ? ' market' : ''}` });
    const title = titleOf(column, this.layout.stacked);
    if (!column.sort || !this.options.onSort) cell.append(title);
    else {
      const button = h('button', { type: 'button', class: 'sort', 'data-column': column.name }, title);
      button.addEventListener('click', () => {
        const { column: name, descending } = this.sorted;
        this.options.onSort?.(column.name, name === column.name ? !descending : column.numeric === true);
      });
      cell.append(button);
    }
    return cell;
  }

  #drawRows() {
    const rowHeight = this.layout.stacked ? 46 : 27;
    const total = this.rows.length;
    const height = `${total * rowHeight}px`;
    if (this.body.style.height !== height) this.body.style.height = height;
    setAttribute(this.scroller, 'aria-rowcount', String(total + 1));
    const visible = Math.min(Math.ceil((this.height || 400) / rowHeight) + 2 * OVERSCAN, MOST);
    const first = Math.max(0, Math.min(Math.floor(this.scrolled / rowHeight) - OVERSCAN, total - visible));
    const count = Math.min(visible, total);
    while (this.pool.length < count) {
      const row = h('div', { role: 'row', class: 'tr' });
      this.pool.push(row);
      this.body.append(row);
    }
    while (this.pool.length > count) this.pool.pop()?.remove();
    for (let slot = 0; slot < count; slot += 1) {
      // An element keeps its row while the table scrolls: only the rows that come in are filled.
      const at = first + ((slot - (first % count) + count) % count);
      this.#drawRow(this.pool[slot], at, rowHeight);
    }
  }

  /**
   * @param {HTMLElement} element
   * @param {number} at
   * @param {number} rowHeight
   */
  #drawRow(element, at, rowHeight) {
    const row = this.rows.at(at);
    if (row === undefined) return;
    const { visible } = this.layout;
    const top = `translateY(${at * rowHeight}px)`;
    if (element.style.transform !== top) element.style.transform = top;
    const name = `tr ${this.options.rowClass?.(row) ?? ''}`;
    if (element.className !== name) element.className = name;
    setAttribute(element, 'aria-rowindex', String(at + 2));
    if (element.childElementCount !== visible.length) {
      element.replaceChildren(...visible.map((column) => h('div', { role: 'cell', class: `td${column.numeric ? ' n' : ''}` })));
    }
    visible.forEach((column, index) => this.#drawCell(/** @type {HTMLElement} */ (element.children[index]), column, row));
  }

  /**
   * @param {HTMLElement} cell
   * @param {Column<R>} column
   * @param {R} row
   */
  #drawCell(cell, column, row) {
    const { layout } = this;
    const text = column.text(row, layout.compact);
    if (column.market) {
      const ticker = column.market(row);
      if (!ticker) return drawPlain(cell, text);
      const name = this.options.name?.(ticker) ?? { lead: text, event: '', code: text };
      layout.noteName(name);
      return drawMarket(cell, ticker, name, layout.wide);
    }
    const { shown, widened } = column.point ? layout.align(column, text) : { shown: text, widened: false };
    if (widened) nextFrame(this.draw);
    setText(cell, shown);
    const full = layout.compact ? column.full?.(row) : '';
    setAttribute(cell, 'data-full', full && full !== text ? full : null);
    if (cell.title) cell.title = ''; // of the row that was here before
    const classes = `td${column.numeric ? ' n' : ''} ${column.tone?.(row) ?? ''}`;
    if (cell.className !== classes) cell.className = classes;
    layout.note(column, shown);
    return undefined;
  }

  /**
   * Give the cell under the pointer its full text.
   * @param {Element} target
   */
  #describe(target) {
    const cell = /** @type {HTMLElement | null} */ (target.closest('.td'));
    const element = cell?.parentElement;
    if (!cell || !element) return;
    const column = this.layout.visible[[...element.children].indexOf(cell)];
    const row = this.rows.at(Number(element.ariaRowIndex) - 2);
    if (column && row !== undefined && !column.market) cell.title = column.full?.(row) ?? '';
  }
}

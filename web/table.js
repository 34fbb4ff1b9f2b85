/** A dense table: columns as wide as their content, sortable, and only the visible rows exist. */

import { emptyNote, h, nextFrame, setAttribute, setText } from './dom.js';
import { alignPoint, decimals } from './format.js';
import { address } from './router.js';

/**
 * A column. text: what a cell shows, compact where space ends. full: its title and what is copied. priority: 0 is always
 * shown, the highest number is dropped first. market: the cell names a market.
 * @template R
 * @typedef {object} Column
 * @property {string} name
 * @property {string} title
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
 * @property {number} [marketWidth] least pixels of the market column
 */

const PADDING = 18; // pixels of a cell beside its text
const STACKED = 560; // pixels below which a row has two lines: the market, then its numbers
const TITLES = 400; // pixels of the market column from which it has room for the event's title
const OVERSCAN = 6; // rows drawn above and below the visible ones

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
    this.compact = false;
    this.stacked = false;
    /** @type {Column<R>[]} the columns that fit */
    this.visible = options.columns;
    /** @type {Map<string, number>} the most characters seen of each column, by compactness and name */
    this.widths = new Map();
    /** @type {Map<string, number>} the most decimals seen of each column that is aligned by its points */
    this.decimals = new Map();
    /** @type {HTMLElement[]} */
    this.pool = [];
    this.marketRoom = 0;
    this.width = 0;
    this.height = 0;
    this.digit = 7;
    this.layout = '';
    this.head = h('div', { role: 'row', class: 'tr head' });
    this.body = h('div', { role: 'rowgroup', class: 'tbody' });
    this.scroller = h('div', { class: 'scroller', role: 'table', tabindex: '0', 'aria-label': options.caption }, h('div', { role: 'rowgroup', class: 'thead' }, this.head), this.body);
    this.probe = h('span', { class: 'probe', 'aria-hidden': 'true' }, '0000000000');
    this.note = h('div', { class: 'none', hidden: true });
    place.append(this.scroller, this.note, this.probe);
    this.scroller.addEventListener('scroll', () => nextFrame(this.draw), { passive: true });
    new ResizeObserver(() => this.#measure()).observe(place);
  }

  /**
   * @param {Rows<R>} rows
   * @param {boolean} [anew] the rows are others than before: widths begin anew
   */
  show(rows, anew = false) {
    this.rows = rows;
    if (anew) [this.widths, this.decimals] = [new Map(), new Map()];
    if (anew) this.scroller.scrollTop = 0;
    nextFrame(this.draw);
  }

  /** @param {Column<R>[]} columns */
  setColumns(columns) {
    if (columns === this.options.columns) return;
    this.options.columns = columns;
    this.#measure();
  }

  /** @param {string} column @param {boolean} descending */
  markSorted(column, descending) {
    this.sorted = { column, descending };
    this.#drawHead();
  }

  draw = () => {
    if (this.width === 0) return;
    const empty = this.rows.length === 0;
    if (this.note.hidden === empty) {
      this.note.hidden = !empty;
      this.body.hidden = empty;
    }
    if (empty) return this.#drawEmpty();
    this.#drawRows();
    if (this.#fit()) { // a longer text was drawn: the columns have other widths now
      this.#drawHead();
      this.#drawRows();
    }
    return undefined;
  };

  #drawEmpty() {
    const [title, hint] = this.options.empty ?? ['Nothing to show', ''];
    if (this.note.textContent !== title + hint) this.note.replaceChildren(emptyNote(title, hint));
    setAttribute(this.scroller, 'aria-rowcount', '1');
  }

  #measure() {
    this.width = this.place.clientWidth;
    this.height = this.scroller.clientHeight;
    this.digit = this.probe.offsetWidth / 10 || 7;
    if (this.width === 0) return;
    this.stacked = this.width < STACKED && this.options.columns.some((column) => column.market);
    this.place.classList.toggle('stacked', this.stacked);
    this.#fit();
    this.#drawHead();
    this.draw();
  }

  /** Choose compactness and columns for the width. Returns true when something changed. */
  #fit() {
    const before = this.layout;
    const { columns } = this.options;
    let compact = false;
    let kept = columns;
    const wide = () => this.#needed(kept, compact) > this.width;
    if (wide()) compact = true;
    for (const column of [...columns].filter((each) => each.priority).sort((a, b) => (b.priority ?? 0) - (a.priority ?? 0))) {
      if (!wide()) break;
      kept = kept.filter((each) => each !== column);
    }
    this.marketRoom = this.stacked ? this.width : this.width - this.#needed(kept.filter((column) => !column.market), compact);
    const template = kept.filter((column) => !this.stacked || !column.market)
      .map((column) => (column.market ? 'minmax(0, 1fr)' : this.#track(Math.ceil(this.#columnWidth(column, compact))))).join(' ');
    this.layout = `${compact} ${template}`;
    if (this.layout === before) return false;
    [this.compact, this.visible] = [compact, kept];
    this.place.style.setProperty('--columns', template);
    for (const row of this.pool) row.replaceChildren();
    return true;
  }

  /** @param {Column<R>[]} columns @param {boolean} compact */
  #needed(columns, compact) {
    return columns.reduce((sum, column) => sum + (column.market ? this.#marketWidth() : this.#columnWidth(column, compact)), 0);
  }

  /** @param {number} pixels */
  #track(pixels) {
    return this.stacked ? `minmax(${pixels}px, 1fr)` : `${pixels}px`;
  }

  #marketWidth() {
    return this.stacked ? 0 : this.options.marketWidth ?? 220;
  }

  /** @param {Column<R>} column @param {boolean} compact */
  #columnWidth(column, compact) {
    const seen = this.widths.get(`${compact}${column.name}`) ?? 0;
    const head = this.stacked ? 0 : column.title.length + (this.sorted.column === column.name ? 2 : 0);
    return Math.max(seen, column.chars ?? 0, head) * this.digit + PADDING;
  }

  #drawHead() {
    if (this.head.dataset.layout !== this.layout) {
      this.head.dataset.layout = this.layout;
      this.head.replaceChildren(...this.visible.map((column) => this.#heading(column)));
    }
    this.visible.forEach((column, at) => {
      const [element, { column: name, descending }] = [this.head.children[at], this.sorted];
      if (!column.sort) return;
      setAttribute(element, 'aria-sort', name !== column.name ? 'none' : descending ? 'descending' : 'ascending');
    });
  }

  /** @param {Column<R>} column */
  #heading(column) {
    const cell = h('div', { role: 'columnheader', class: `td${column.numeric ? ' n' : ''}${column.market ? ' market' : ''}` });
    if (!column.sort || !this.options.onSort) cell.append(column.title);
    else {
      const button = h('button', { type: 'button', class: 'sort' }, column.title);
      button.addEventListener('click', () => {
        const { column: name, descending } = this.sorted;
        this.options.onSort?.(column.name, name === column.name ? !descending : column.numeric === true);
      });
      cell.append(button);
    }
    return cell;
  }

  #drawRows() {
    const rowHeight = this.stacked ? 46 : 27;
    const total = this.rows.length;
    this.body.style.height = `${total * rowHeight}px`;
    setAttribute(this.scroller, 'aria-rowcount', String(total + 1));
    const visible = Math.ceil((this.height || 400) / rowHeight) + 2 * OVERSCAN;
    const first = Math.max(0, Math.min(Math.floor(this.scroller.scrollTop / rowHeight) - OVERSCAN, total - visible));
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
    const top = `translateY(${at * rowHeight}px)`;
    if (element.style.transform !== top) element.style.transform = top;
    const name = `tr ${this.options.rowClass?.(row) ?? ''}`;
    if (element.className !== name) element.className = name;
    setAttribute(element, 'aria-rowindex', String(at + 2));
    if (element.childElementCount !== this.visible.length) {
      element.replaceChildren(...this.visible.map((column) => h('div', { role: 'cell', class: `td${column.numeric ? ' n' : ''}` })));
    }
    this.visible.forEach((column, index) => this.#drawCell(/** @type {HTMLElement} */ (element.children[index]), column, row));
  }

  /**
   * @param {HTMLElement} cell
   * @param {Column<R>} column
   * @param {R} row
   */
  #drawCell(cell, column, row) {
    const text = column.text(row, this.compact);
    if (column.market) return this.#drawMarket(cell, column.market(row), text);
    const shown = column.point ? this.#aligned(column.name, text) : text;
    setText(cell, shown);
    const full = column.full?.(row) ?? '';
    setAttribute(cell, 'title', full || null);
    setAttribute(cell, 'data-full', full && full !== text && this.compact ? full : null);
    const name = `td${column.numeric ? ' n' : ''} ${column.tone?.(row) ?? ''}`;
    if (cell.className !== name) cell.className = name;
    const key = `${this.compact}${column.name}`;
    if (shown.length > (this.widths.get(key) ?? 0)) this.widths.set(key, shown.length);
    return undefined;
  }

  /**
   * @param {string} name of the column
   * @param {string} text
   */
  #aligned(name, text) {
    const most = Math.max(this.decimals.get(name) ?? 0, decimals(text));
    if (most !== this.decimals.get(name)) {
      this.decimals.set(name, most);
      nextFrame(this.draw); // rows above have fewer
    }
    return alignPoint(text, most);
  }

  /**
   * @param {HTMLElement} cell
   * @param {string} ticker
   * @param {string} text shown instead of a market, where there is no ticker
   */
  #drawMarket(cell, ticker, text) {
    const name = ticker && this.options.name ? this.options.name(ticker) : { lead: text, event: '', code: '' };
    const wide = this.marketRoom >= TITLES;
    const key = `${wide}|${name.lead}|${name.event}|${name.code}|${ticker}`;
    if (cell.dataset.key === key && cell.childElementCount) return;
    cell.dataset.key = key;
    cell.className = 'td market';
    cell.title = ticker ? `${name.lead}${name.event ? ` · ${name.event}` : ''} (${ticker})` : text;
    if (!ticker) return cell.replaceChildren(h('span', { class: 'plain' }, text));
    // The end of the ticker tells markets apart whose words are cut.
    const code = name.code === name.lead ? null : h('span', { class: 'ticker' }, h('bdi', { dir: 'ltr' }, name.code));
    cell.replaceChildren(h('a', { href: address('markets', { ticker }), tabindex: '-1' }, h('b', {}, name.lead), code, wide ? h('span', { class: 'event' }, name.event) : null));
  }
}

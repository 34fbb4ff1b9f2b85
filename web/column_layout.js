/** Widths of a table's columns by what they hold: compact text where space ends, then without the least important columns. */

import { alignPoint, decimals } from './format.js';

/**
 * @template R
 * @typedef {import('./table.js').Column<R>} Column
 */

const PADDING = 18; // pixels of a cell beside its text
const STACKED_PADDING = 8; // the same where a row has two lines
const STACKED = 545; // pixels below which a row has two lines: the market, then its numbers
const CAPITAL = 0.15; // characters by which a capital is wider than a digit
const SMALL = 0.8; // size of a heading where a row has two lines
const TITLES = 400; // pixels of the market column from which it has room for the event's title
const LONGEST = 340; // pixels of the market column at most for whose names columns of least importance are left out
const MARKET = 240; // pixels of it for which those of little importance are left out
const LEAST = 200; // pixels of it for which the more important ones are left out too

/** @template R */
export class ColumnLayout {
  /** @param {number} [marketWidth] pixels of the market column for which columns of little importance are left out */
  constructor(marketWidth = MARKET) {
    this.marketWidth = marketWidth;
    /** pixels of the table */
    this.width = 0;
    /** pixels of a digit */
    this.digit = 7;
    this.stacked = false;
    this.compact = false;
    /** name of the sorted column; its heading has an arrow */
    this.sorted = '';
    /** @type {Column<R>[]} the columns that fit */
    this.visible = [];
    /** widths as the value of grid-template-columns */
    this.template = '';
    /** there is room for the titles of events */
    this.wide = false;
    /** pixels of the longest name of a market, as far as its letters tell */
    this.named = 0;
    /** @type {Map<string, number>} the most characters seen of each column, by compactness and name */
    this.seen = new Map();
    /** @type {Map<string, number>} the most decimals seen of each column that is aligned by its points */
    this.decimals = new Map();
  }

  /** Begin the widths anew: the rows are others than before. */
  clear() {
    this.seen.clear();
    this.named = 0;
    this.decimals.clear();
  }

  /**
   * Choose compactness and columns for the width. Returns true when something changed.
   * @param {Column<R>[]} columns
   */
  fit(columns) {
    this.stacked = this.width < STACKED && columns.some((column) => column.market);
    let compact = false;
    let kept = columns;
    const names = Math.max(this.marketWidth, Math.min(this.named, LONGEST));
    const tooWide = (/** @type {number} */ market) => this.#needed(kept, compact, market) > this.width;
    if (tooWide(this.marketWidth)) compact = true;
    for (const column of [...columns].filter((each) => each.priority).sort((a, b) => (b.priority ?? 0) - (a.priority ?? 0))) {
      const priority = column.priority ?? 0;
      if (!tooWide(priority > 2 ? names : priority > 1 ? this.marketWidth : LEAST)) continue;
      kept = kept.filter((each) => each !== column);
    }
    const room = this.stacked ? this.width : this.width - this.#needed(kept.filter((column) => !column.market), compact, 0);
    const template = kept.filter((column) => !this.stacked || !column.market)
      .map((column) => (column.market ? 'minmax(0, 1fr)' : this.#track(column, compact))).join(' ');
    const changed = template !== this.template || compact !== this.compact;
    [this.compact, this.visible, this.template, this.wide] = [compact, kept, template, room >= TITLES];
    return changed;
  }

  /**
   * Return a text with its decimal point under those of the other rows.
   * @param {Column<R>} column
   * @param {string} text
   * @returns {{ shown: string, widened: boolean }} widened: the rows above have fewer decimals and are drawn again
   */
  align({ name }, text) {
    const before = this.decimals.get(name) ?? 0;
    const most = Math.max(before, decimals(text));
    this.decimals.set(name, most);
    return { shown: alignPoint(text, most), widened: most > before };
  }

  /** @param {Column<R>} column @param {string} text of a cell */
  note({ name }, text) {
    const characters = text.length + CAPITAL * (text.match(/[A-Z]/g)?.length ?? 0);
    const key = `${this.compact}${name}`;
    if (characters > (this.seen.get(key) ?? 0)) this.seen.set(key, characters);
  }

  /** @param {import('./market_names.js').Name} name of a market */
  noteName({ lead, code }) {
    const short = code === lead ? 0 : code.length * 0.9;
    this.named = Math.max(this.named, (lead.length * 1.1 + short) * this.digit + 2 * PADDING);
  }

  /** @param {Column<R>[]} columns @param {boolean} compact @param {number} market pixels of the market column */
  #needed(columns, compact, market) {
    return columns.reduce((sum, column) => sum + (column.market ? (this.stacked ? 0 : market) : this.#columnWidth(column, compact)), 0);
  }

  /** @param {Column<R>} column @param {boolean} compact */
  #track(column, compact) {
    const pixels = Math.ceil(this.#columnWidth(column, compact));
    return this.stacked ? `minmax(${pixels}px, 1fr)` : `${pixels}px`;
  }

  /** @param {Column<R>} column @param {boolean} compact */
  #columnWidth(column, compact) {
    const seen = this.seen.get(`${compact}${column.name}`) ?? 0;
    const head = (titleOf(column, this.stacked).length + (this.sorted === column.name ? 2 : 0)) * (this.stacked ? SMALL : 1);
    return Math.max(seen, column.chars ?? 0, head) * this.digit + (this.stacked ? STACKED_PADDING : PADDING);
  }
}

/**
 * Return the heading of a column.
 * @param {{ title: string, short?: string }} column
 * @param {boolean} stacked a row has two lines
 */
export function titleOf({ title, short }, stacked) {
  return stacked ? short ?? title : title;
}

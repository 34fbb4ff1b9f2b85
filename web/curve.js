/** Profit over time: what every market realized, less fees, added up in the order of time. Pure. */

import { merged } from './merge.js';

/** @typedef {{ times: number[], totals: number[] }} Line totals in dollars */

export class Curve {
  constructor() {
    /** @type {Line} */
    this.line = { times: [], totals: [] };
    /** @type {import('./positions.js').Book | null} */
    this.book = null;
    this.revision = -1;
    /** @type {Map<string, number>} how many moves of each market are in the line */
    this.taken = new Map();
    this.sum = 0;
  }

  /**
   * The line of a book, made longer by what is new; made anew when the past has changed.
   * @param {import('./positions.js').Book} book
   * @returns {Line}
   */
  of(book) {
    if (book !== this.book || book.revision !== this.revision) this.#begin(book);
    let fresh = this.#fresh();
    const last = this.line.times[this.line.times.length - 1] ?? -Infinity;
    if (fresh.times.length && fresh.times[0] < last) { // late, though not within its own market
      this.#begin(book);
      fresh = this.#fresh();
    }
    if (this.line.times.length === 0 && fresh.times.length) { // it stood at what it stood at until the first move
      this.line.times.push(fresh.times[0]);
      this.line.totals.push(this.sum / 1e8);
    }
    for (let at = 0; at < fresh.times.length; at += 1) {
      this.sum += fresh.gains[at];
      this.line.times.push(fresh.times[at]);
      this.line.totals.push(this.sum / 1e8);
    }
    return this.line;
  }

  /** @param {import('./positions.js').Book} book */
  #begin(book) {
    [this.book, this.revision] = [book, book.revision];
    this.line = { times: [], totals: [] };
    this.taken.clear();
    this.sum = 0;
    for (const { opening } of book.ledgers.values()) if (opening) this.sum += Number(opening.realized - opening.fees);
    if (book.baseline) {
      this.line.times.push(book.baseline.timestamp);
      this.line.totals.push(this.sum / 1e8);
    }
  }

  /** Moves not yet in the line, by time; those inside the baseline are left out. */
  #fresh() {
    /** @type {import('./merge.js').Run[]} */
    const runs = [];
    for (const [ticker, ledger] of this.book?.ledgers ?? []) {
      const { times, gains, after } = ledger.settle();
      let from = this.taken.get(ticker) ?? 0;
      while (from < times.length && times[from] <= after) from += 1;
      if (from < times.length) runs.push({ times: times.slice(from), gains: gains.slice(from) });
      this.taken.set(ticker, times.length);
    }
    return merged(runs);
  }
}

/**
 * As much of a line as a screen can show: from a moment on, and of each column of pixels its first, lowest, highest, last.
 * @param {Line} line
 * @param {number} since
 * @param {number} until
 * @param {number} columns
 * @returns {[number, number][]} time and dollars, the first point being what it stood at when the period began
 */
export function thinned(line, since, until, columns) {
  const start = from(line.times, since);
  /** @type {[number, number][]} */
  const points = [];
  if (start > 0 && Number.isFinite(since)) points.push([since, line.totals[start - 1]]);
  const begin = points[0]?.[0] ?? line.times[start] ?? since;
  const width = Math.max(until - begin, 1e-9) / Math.max(columns, 1);
  for (let at = start; at < line.times.length;) {
    const end = from(line.times, begin + (Math.floor((line.times[at] - begin) / width) + 1) * width, at + 1);
    let [low, high] = [at, at];
    for (let each = at; each < end; each += 1) {
      if (line.totals[each] < line.totals[low]) low = each;
      if (line.totals[each] > line.totals[high]) high = each;
    }
    for (const each of [...new Set([at, low, high, end - 1])].sort((a, b) => a - b)) points.push([line.times[each], line.totals[each]]);
    at = end;
  }
  return points;
}

/**
 * The first index whose time is not before.
 * @param {number[]} times ascending
 * @param {number} time
 */
function from(times, time, low = 0) {
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Round numbers that span a range: about so many.
 * @param {number} low
 * @param {number} high
 * @param {number} about
 */
export function ticks(low, high, about) {
  const rough = (high - low || 1) / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((each) => each * power >= rough) ?? 10) * power;
  const found = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9; at += 1) found.push(Number((at * step).toPrecision(12)));
  return found;
}

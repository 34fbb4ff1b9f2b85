/** Profit over time: what every market realized, less fees, added up in the order of time. */

import { merge } from './merge_sorted.js';

/** @typedef {{ times: number[], totals: number[] }} Line totals in dollars, ascending times */
/** @typedef {Line & { falls: number[] }} Curve falls: dollars below the highest point before, zero or negative */
/** @typedef {{ depth: number, start: number | null, end: number | null, now: number }} Drawdown dollars below the highest point before; start, end: Unix seconds */

export class ProfitCurve {
  constructor() {
    /** @type {Curve} */
    this.line = { times: [], totals: [], falls: [] };
    /** @type {Drawdown} */
    this.drawdown = { depth: 0, start: null, end: null, now: 0 };
    this.top = -Infinity;
    this.topTime = 0;
    /** @type {import('./positions.js').Book | null} */
    this.book = null;
    this.revision = -1;
    /** @type {Map<string, { trades: number, settled: boolean }>} what of each market is in the line */
    this.taken = new Map();
    this.sum = 0;
  }

  /**
   * Return the line of a book, extended by what is new, made anew when the past has changed.
   * @param {import('./positions.js').Book} book
   * @returns {Curve}
   */
  of(book) {
    if (book !== this.book || book.revision !== this.revision) this.#begin(book);
    let fresh = this.#fresh();
    const last = this.line.times[this.line.times.length - 1] ?? -Infinity;
    if (fresh.times.length && fresh.times[0] < last) { // later than the others of its market, earlier than the line's end
      this.#begin(book);
      fresh = this.#fresh();
    }
    if (this.line.times.length === 0 && fresh.times.length) this.#push(fresh.times[0]);
    for (let at = 0; at < fresh.times.length; at += 1) {
      this.sum += fresh.gains[at];
      this.#push(fresh.times[at]);
    }
    return this.line;
  }

  /** @param {import('./positions.js').Book} book */
  #begin(book) {
    [this.book, this.revision] = [book, book.revision];
    this.line = { times: [], totals: [], falls: [] };
    this.drawdown = { depth: 0, start: null, end: null, now: 0 };
    this.top = -Infinity;
    this.taken.clear();
    this.sum = 0;
    for (const { opening } of book.markets.values()) if (opening) this.sum += Number(opening.realized - opening.fees);
    if (book.baseline) this.#push(book.baseline.timestamp);
  }

  /** @param {number} time */
  #push(time) {
    const total = this.sum / 1e8;
    if (total > this.top) [this.top, this.topTime] = [total, time];
    const fall = total - this.top;
    this.line.times.push(time);
    this.line.totals.push(total);
    this.line.falls.push(fall);
    this.drawdown.now = this.top - total;
    if (-fall > this.drawdown.depth) Object.assign(this.drawdown, { depth: -fall, start: this.topTime, end: time });
  }

  /** Return the moves that are not in the line yet, by time; those included in the baseline are left out. */
  #fresh() {
    /** @type {import('./merge_sorted.js').Series[]} */
    const series = [];
    for (const [ticker, market] of this.book?.markets ?? []) {
      const { times, gains, after, settled } = market.settle();
      const taken = this.taken.get(ticker) ?? { trades: 0, settled: false };
      let from = taken.trades;
      while (from < times.length && times[from] <= after) from += 1;
      const [newTimes, newGains] = [times.slice(from), gains.slice(from)];
      if (settled && !taken.settled) {
        newTimes.push(market.settlementTime);
        newGains.push(market.settlementGain);
      }
      if (newTimes.length) series.push({ times: newTimes, gains: newGains });
      this.taken.set(ticker, { trades: times.length, settled });
    }
    return merge(series);
  }
}

/**
 * Return the deepest fall of a line below its highest point before, and how far its end is below its highest point.
 * @param {Line} line
 * @returns {Drawdown}
 */
export function deepestDrawdown({ times, totals }) {
  /** @type {Drawdown} */
  const deepest = { depth: 0, start: null, end: null, now: 0 };
  let [top, topTime] = [-Infinity, 0];
  for (let at = 0; at < times.length; at += 1) {
    if (totals[at] > top) [top, topTime] = [totals[at], times[at]];
    else if (top - totals[at] > deepest.depth) Object.assign(deepest, { depth: top - totals[at], start: topTime, end: times[at] });
  }
  if (times.length) deepest.now = top - totals[times.length - 1];
  return deepest;
}

/**
 * Return as much of a line as a screen can show: between two times, and of each column of pixels its first, lowest, highest
 * and last point. The first point is the level at the begin of the range.
 * @param {Line} line
 * @param {number} since
 * @param {number} until
 * @param {number} columns
 * @returns {[number, number][]} time and dollars
 */
export function thin(line, since, until, columns) {
  const start = firstAtOrAfter(line.times, since);
  const stop = firstAtOrAfter(line.times, until + 1e-6, start);
  /** @type {[number, number][]} */
  const points = [];
  if (start > 0 && Number.isFinite(since)) points.push([since, line.totals[start - 1]]);
  const begin = points[0]?.[0] ?? line.times[start] ?? since;
  const width = Math.max(until - begin, 1e-9) / Math.max(columns, 1);
  for (let at = start; at < stop;) {
    const end = Math.min(stop, firstAtOrAfter(line.times, begin + (Math.floor((line.times[at] - begin) / width) + 1) * width, at + 1));
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
 * Return the first index whose time is not before.
 * @param {number[]} times ascending
 * @param {number} time
 */
export function firstAtOrAfter(times, time, low = 0) {
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

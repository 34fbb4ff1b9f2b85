/** Which entries are wanted: by ticker and by period. Pure. */

/** @typedef {import('./types').Entry} Entry */

/** Name and seconds; Infinity for everything. */
export const PERIODS = /** @type {const} */ ([['1 h', 3600], ['24 h', 86_400], ['7 d', 604_800], ['All', Infinity]]);

export class Filter {
  constructor() {
    this.text = '';
    this.seconds = Infinity;
  }

  /** @param {number} now Unix seconds */
  since(now) {
    return now - this.seconds;
  }

  get isOpen() {
    return this.text === '' && this.seconds === Infinity;
  }

  /**
   * @param {Entry} entry
   * @param {string} mode
   * @param {number} now
   * @param {(ticker: string) => string | undefined} title
   */
  takes(entry, mode, now, title) {
    if ('mode' in entry && entry.mode !== mode) return false;
    if (entry.timestamp < this.since(now)) return false;
    if (!this.text) return true;
    if (!('ticker' in entry)) return false;
    const wanted = this.text.toLowerCase();
    return entry.ticker.toLowerCase().includes(wanted) || (title(entry.ticker) ?? '').toLowerCase().includes(wanted);
  }
}

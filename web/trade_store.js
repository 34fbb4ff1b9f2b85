/** Every entry of the journal in columns, so that 100 000 trades take a few megabytes and sort within a frame. */

import { kindOf } from './decoder.js';
import { sortedIndices } from './sorting.js';

/** @typedef {import('./types').Entry} Entry */
/** @typedef {import('./types').Trade} Trade */
/** @typedef {{ kind: string, seq: number, timestamp: number, ticker: string, side: string, outcome: string, quantity: number, price: number, fee: number | null, source: string, origin: string, mode: string, corrected: boolean, entry: Entry | null }} StoredEntry entry: whole where it is no trade */
/** @typedef {{ tickers: Set<string> | null, from: number, to: number, mode: string }} Selection tickers: null for all */

const FIRST = 1024; // rows of the first columns; they double when they are full
const NUMBERS = /** @type {const} */ (['seq', 'timestamp', 'quantity', 'price', 'fee']);
const WORDS = /** @type {const} */ (['kind', 'ticker', 'side', 'outcome', 'source', 'origin', 'mode']);

export class TradeStore {
  constructor() {
    this.length = 0;
    this.numbers = numberColumns();
    this.codes = codeColumns();
    this.words = [''];
    /** @type {Map<string, number>} */
    this.code = new Map([['', 0]]);
    /** @type {Map<number, Entry>} entries that are no trades, by index */
    this.others = new Map();
    /** @type {Set<number>} indices of trades whose content was corrected */
    this.corrected = new Set();
    /** grows when rows changed that were there before */
    this.revision = 0;
  }

  clear() {
    this.length = 0;
    [this.numbers, this.codes] = [numberColumns(), codeColumns()];
    this.others.clear();
    this.corrected.clear();
    this.revision += 1;
  }

  /** @param {Entry} entry */
  add(entry) {
    const kind = kindOf(entry);
    if (kind === 'correction') this.#correct(/** @type {import('./types').Correction} */ (entry));
    this.#write(this.length, entry, kind);
    if (kind !== 'trade') this.others.set(this.length, entry);
    this.length += 1;
  }

  /**
   * @param {number} at
   * @returns {StoredEntry}
   */
  at(at) {
    const { numbers } = this;
    const word = (/** @type {string} */ name) => this.words[this.codes[name][at]];
    const fee = numbers.fee[at];
    return {
      kind: word('kind'), seq: numbers.seq[at], timestamp: numbers.timestamp[at], ticker: word('ticker'), side: word('side'),
      outcome: word('outcome'), quantity: numbers.quantity[at], price: numbers.price[at], fee: Number.isNaN(fee) ? null : fee,
      source: word('source'), origin: word('origin'), mode: word('mode'), corrected: this.corrected.has(at), entry: this.others.get(at) ?? null,
    };
  }

  /** Return every ticker that occurs. */
  tickers() {
    const seen = new Set(this.codes.ticker.subarray(0, this.length));
    seen.delete(0);
    return [...seen].map((code) => this.words[code]);
  }

  /**
   * Return the indices of the entries of a selection from an index on, oldest first. Entries without a mode belong to each.
   * @param {Selection} selection
   * @param {number} [start]
   */
  select({ tickers, from, to, mode }, start = 0) {
    const wanted = tickers && new Set([...tickers].map((ticker) => this.code.get(ticker)).filter((code) => code !== undefined));
    const modeCode = this.code.get(mode) ?? -1;
    const { timestamp } = this.numbers;
    const found = [];
    for (let at = start; at < this.length; at += 1) {
      const own = this.codes.mode[at];
      if (own !== 0 && own !== modeCode) continue;
      if (timestamp[at] < from || timestamp[at] > to) continue;
      if (wanted && !wanted.has(this.codes.ticker[at])) continue;
      found.push(at);
    }
    return Uint32Array.from(found);
  }

  /**
   * Return indices in the order of a column, ascending.
   * @param {Uint32Array} indices
   * @param {(at: number) => number | string | null} value
   */
  sort(indices, value) {
    const keys = new Float64Array(indices.length);
    /** @type {Map<string, number>} */
    const texts = new Map();
    for (let at = 0; at < keys.length; at += 1) {
      const found = value(indices[at]);
      if (typeof found === 'number') keys[at] = found;
      else if (found === null) keys[at] = NaN;
      else keys[at] = numberOf(found, texts);
    }
    if (texts.size > 0) toRanks(keys, texts);
    const sorted = sortedIndices(keys);
    for (let at = 0; at < sorted.length; at += 1) sorted[at] = indices[sorted[at]];
    return sorted;
  }

  /** @param {import('./types').Correction} entry */
  #correct(entry) {
    const at = this.#indexOf(entry.corrects);
    if (at < 0) return;
    const seq = this.numbers.seq[at];
    this.#write(at, { ...entry, seq }, 'trade');
    this.corrected.add(at);
    this.revision += 1;
  }

  /**
   * @param {number} seq of a trade, or of a correction, which stands for its trade
   * @returns {number}
   */
  #indexOf(seq) {
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.numbers.seq[middle] < seq) low = middle + 1;
      else high = middle;
    }
    if (low >= this.length || this.numbers.seq[low] !== seq) return -1;
    const other = this.others.get(low);
    return other && 'corrects' in other ? this.#indexOf(/** @type {import('./types').Correction} */ (other).corrects) : low;
  }

  /**
   * @param {number} at
   * @param {any} entry
   * @param {string} kind
   */
  #write(at, entry, kind) {
    if (at >= this.numbers.seq.length) this.#grow();
    for (const name of NUMBERS) this.numbers[name][at] = entry[name] ?? NaN;
    for (const name of WORDS) this.codes[name][at] = this.#codeOf(name === 'kind' ? kind : entry[name] ?? '');
  }

  /** @param {string} word */
  #codeOf(word) {
    let code = this.code.get(word);
    if (code === undefined) {
      code = this.words.length;
      this.words.push(word);
      this.code.set(word, code);
    }
    return code;
  }

  #grow() {
    for (const columns of [this.numbers, this.codes]) {
      for (const [name, column] of Object.entries(columns)) {
        const larger = new /** @type {any} */ (column.constructor)(column.length * 2);
        larger.set(column);
        columns[name] = larger;
      }
    }
  }
}

/** @returns {Record<string, Float64Array>} */
function numberColumns() {
  return Object.fromEntries(NUMBERS.map((name) => [name, new Float64Array(FIRST)]));
}

/** Indices into the words of a store. @returns {Record<string, Uint32Array>} */
function codeColumns() {
  return Object.fromEntries(WORDS.map((name) => [name, new Uint32Array(FIRST)]));
}

/**
 * Return the number of a text, a new one for a new text.
 * @param {string} text
 * @param {Map<string, number>} texts
 */
function numberOf(text, texts) {
  const number = texts.get(text) ?? texts.size;
  texts.set(text, number);
  return number;
}

/**
 * Replace the numbers of texts by their ranks in the alphabet.
 * @param {Float64Array} keys
 * @param {Map<string, number>} texts
 */
function toRanks(keys, texts) {
  const ranks = new Float64Array(texts.size);
  [...texts.keys()].sort().forEach((text, rank) => { ranks[texts.get(text) ?? 0] = rank; });
  for (let at = 0; at < keys.length; at += 1) keys[at] = ranks[keys[at]];
}

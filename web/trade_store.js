/** Every entry of the journal in columns, so that 100 000 trades take a few megabytes and sort within a frame. */

import { kindOf } from './decoder.js';
import { sortedIndices } from './sorting.js';

/** @typedef {import('./types').Entry} Entry */
/** @typedef {import('./types').Trade} Trade */
/** @typedef {{ kind: string, seq: number, timestamp: number, ticker: string, side: string, outcome: string, quantity: number, price: number, fee: number | null, source: string, origin: string, mode: string, strategy: string, decided: number, sent: number, acknowledged: number, corrected: boolean, entry: Entry | null }} StoredEntry entry: whole where it is no trade; decided, sent, acknowledged: Unix seconds, NaN where unknown */
/** @typedef {{ tickers: Set<string> | null, from: number, to: number, mode: string }} Selection tickers: null for all */

const FIRST = 1024; // rows of the first columns; they double when they are full
const NUMBERS = /** @type {const} */ (['seq', 'timestamp', 'quantity', 'price', 'fee', 'decided_at', 'sent_at', 'acknowledged_at']);
const WORDS = /** @type {const} */ (['kind', 'ticker', 'side', 'outcome', 'source', 'origin', 'mode', 'strategy']);

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
    /** @type {Set<number>} codes of the tickers that occur */
    this.tickerCodes = new Set();
    this.wordRanks = new Float64Array(0);
    /** grows when rows changed that were there before */
    this.revision = 0;
  }

  clear() {
    this.length = 0;
    [this.numbers, this.codes] = [numberColumns(), codeColumns()];
    this.others.clear();
    this.corrected.clear();
    this.tickerCodes.clear();
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
      source: word('source'), origin: word('origin'), mode: word('mode'), strategy: word('strategy'),
      decided: numbers.decided_at[at], sent: numbers.sent_at[at], acknowledged: numbers.acknowledged_at[at], corrected: this.corrected.has(at), entry: this.others.get(at) ?? null,
    };
  }

  /** Return every ticker that occurs. */
  tickers() {
    return [...this.tickerCodes].map((code) => this.words[code]);
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
    const found = new Uint32Array(Math.max(0, this.length - start));
    let count = 0;
    for (let at = start; at < this.length; at += 1) {
      const own = this.codes.mode[at];
      if (own !== 0 && own !== modeCode) continue;
      if (timestamp[at] < from || timestamp[at] > to) continue;
      if (wanted && !wanted.has(this.codes.ticker[at])) continue;
      found[count] = at;
      count += 1;
    }
    return found.subarray(0, count);
  }

  /** Return the ranks in the alphabet of all words, by their codes. */
  #ranks() {
    if (this.wordRanks.length !== this.words.length) {
      this.wordRanks = new Float64Array(this.words.length);
      [...this.words.keys()].sort((a, b) => (this.words[a] < this.words[b] ? -1 : 1)).forEach((code, rank) => { this.wordRanks[code] = rank; });
    }
    return this.wordRanks;
  }

  /**
   * Return the index of the entry with a seq, -1 when there is none.
   * @param {number} seq
   */
  indexOf(seq) {
    const { seq: seqs } = this.numbers;
    const dense = seq - seqs[0]; // the seqs of a journal have no gaps
    if (dense >= 0 && dense < this.length && seqs[dense] === seq) return dense;
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (seqs[middle] < seq) low = middle + 1;
      else high = middle;
    }
    return low < this.length && seqs[low] === seq ? low : -1;
  }

  /**
   * Return indices in the order of a column, ascending; NaN first.
   * @param {Uint32Array} indices
   * @param {Float64Array} column by index
   */
  sort(indices, column) {
    const keys = new Float64Array(indices.length);
    for (let at = 0; at < keys.length; at += 1) keys[at] = column[indices[at]];
    const sorted = sortedIndices(keys);
    for (let at = 0; at < sorted.length; at += 1) sorted[at] = indices[sorted[at]];
    return sorted;
  }

  /**
   * Return a column of words as their ranks in the alphabet.
   * @param {typeof WORDS[number]} name
   */
  ranked(name) {
    const [ranks, codes] = [this.#ranks(), this.codes[name]];
    const column = new Float64Array(this.length);
    for (let at = 0; at < column.length; at += 1) column[at] = ranks[codes[at]];
    return column;
  }

  /** @param {import('./types').Correction} entry */
  #correct(entry) {
    const at = this.#tradeOf(entry.corrects);
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
  #tradeOf(seq) {
    const at = this.indexOf(seq);
    const other = this.others.get(at);
    return other && 'corrects' in other ? this.#tradeOf(/** @type {import('./types').Correction} */ (other).corrects) : at;
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
    if (this.codes.ticker[at] !== 0) this.tickerCodes.add(this.codes.ticker[at]);
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

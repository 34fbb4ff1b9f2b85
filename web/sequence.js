/** Which entries are new, in order and without a hole: a reader's place in the journal. Pure; knows no network. */

/** @typedef {import('./types').Cursor} Cursor */

/**
 * @param {string | null | undefined} text
 * @returns {Cursor | null} null for anything that is not a cursor
 */
export function parse(text) {
  const found = /^([a-z0-9]+)-(\d{1,15})$/.exec(text ?? '');
  return found && { epoch: found[1], seq: Number(found[2]) };
}

/** @param {Cursor | null} cursor */
export function format(cursor) {
  return cursor && `${cursor.epoch}-${cursor.seq}`;
}

/**
 * @template {{ seq: number }} T
 */
export class Sequence {
  /** @param {number} room how many entries may wait beyond a hole; more are let go and asked for again */
  constructor(room = 5000) {
    this.room = room;
    /** @type {Cursor | null} everything up to here has been handed out */
    this.place = null;
    /** @type {Map<number, T>} entries that came before their turn */
    this.early = new Map();
    /** the highest seq known to exist */
    this.known = 0;
  }

  /**
   * Start at a place; entries that waited for it are handed out by the next offer.
   * @param {Cursor} cursor
   */
  start(cursor) {
    const waiting = this.place === null || this.place.epoch === cursor.epoch;
    if (!waiting) this.early.clear();
    this.place = { ...cursor };
    this.known = Math.max(cursor.seq, waiting ? this.known : 0);
  }

  /** Forget the place but keep what comes: the state is being read anew. */
  restart() {
    this.place = null;
    this.known = 0;
    this.early.clear();
  }

  /**
   * Take entries as they come, repeated or out of order, and get those whose turn it is, each exactly once.
   * @param {readonly T[]} entries
   * @returns {T[]}
   */
  offer(entries) {
    for (const entry of entries) {
      this.expect(entry.seq);
      if (this.place && entry.seq <= this.place.seq) continue;
      if (this.early.size < this.room || entry.seq === (this.place?.seq ?? -1) + 1) this.early.set(entry.seq, entry);
    }
    return this.#due();
  }

  /**
   * Somebody says that the journal reaches to there.
   * @param {number} seq
   */
  expect(seq) {
    this.known = Math.max(this.known, seq);
  }

  /** What is missing between the place and the next entry that is here, or the end; null when nothing is. */
  get hole() {
    if (!this.place || this.known <= this.place.seq) return null;
    let to = this.known;
    for (const seq of this.early.keys()) to = Math.min(to, seq - 1);
    return { after: this.place.seq, to };
  }

  /**
   * Nobody has what is missing: go on behind it. Returns what is due now.
   * @returns {T[]}
   */
  skip() {
    const hole = this.hole;
    if (!hole || !this.place) return [];
    this.place.seq = hole.to;
    return this.#due();
  }

  #due() {
    /** @type {T[]} */
    const due = [];
    if (!this.place) return due;
    for (const seq of this.early.keys()) if (seq <= this.place.seq) this.early.delete(seq);
    for (let next = this.early.get(this.place.seq + 1); next; next = this.early.get(this.place.seq + 1)) {
      this.early.delete(next.seq);
      this.place.seq = next.seq;
      due.push(next);
    }
    return due;
  }
}

/** A reader's place in the journal: which entries are new, in order and without one missing. Knows no network. */

/** @typedef {import('./types').Cursor} Cursor */

/**
 * Return the cursor in a text, null for anything else.
 * @param {string | null | undefined} text
 * @returns {Cursor | null}
 */
export function parse(text) {
  const found = /^([a-z0-9]+)-(\d{1,15})(?:-([0-9a-f]{4}))?$/.exec(text ?? '');
  return found && { epoch: found[1], seq: Number(found[2]), ...(found[3] ? { check: found[3] } : {}) };
}

/** @param {Cursor | null} cursor */
export function format(cursor) {
  return cursor && `${cursor.epoch}-${cursor.seq}${cursor.check ? `-${cursor.check}` : ''}`;
}

/**
 * Return true if two cursors name entries that cannot belong to one journal.
 * @param {Cursor} a
 * @param {Cursor} b
 */
export function conflict(a, b) {
  return a.epoch !== b.epoch || (a.seq === b.seq && a.check !== undefined && b.check !== undefined && a.check !== b.check);
}

/**
 * @template {{ seq: number }} T
 */
export class Sequence {
  /** @param {number} capacity how many entries wait behind missing ones; further ones are dropped and read again */
  constructor(capacity = 5000) {
    this.capacity = capacity;
    /** @type {Cursor | null} every entry up to here was returned */
    this.place = null;
    /** @type {Map<number, T>} entries that arrived before their turn */
    this.early = new Map();
    /** the highest seq that exists, as far as anyone has said */
    this.highest = 0;
  }

  /**
   * Start at a place; entries that waited for it are returned by the next offer.
   * @param {Cursor} cursor
   */
  start(cursor) {
    const same = this.place === null || this.place.epoch === cursor.epoch;
    if (!same) this.early.clear();
    this.place = { ...cursor };
    this.highest = Math.max(cursor.seq, same ? this.highest : 0);
  }

  /** Forget the place and what waits: the state is read anew. */
  restart() {
    this.place = null;
    this.highest = 0;
    this.early.clear();
  }

  /**
   * Take entries, repeated or out of order, and return those whose turn it is, each exactly once.
   * @param {readonly T[]} entries
   * @returns {T[]}
   */
  offer(entries) {
    for (const entry of entries) {
      this.expect(entry.seq);
      if (this.place && entry.seq <= this.place.seq) continue;
      if (this.early.size < this.capacity || entry.seq === (this.place?.seq ?? -1) + 1) this.early.set(entry.seq, entry);
    }
    return this.#due();
  }

  /**
   * Note that the journal reaches at least this far.
   * @param {number} seq
   */
  expect(seq) {
    this.highest = Math.max(this.highest, seq);
  }

  /**
   * Keep the checksum of the entry at the place, so that the cursor names exactly that entry.
   * @param {Cursor | null} cursor
   */
  confirm(cursor) {
    if (cursor && this.place && cursor.epoch === this.place.epoch && cursor.seq === this.place.seq) this.place = { ...cursor };
  }

  /** The range that is missing between the place and the next entry that is here, or the end; null when none is. */
  get missing() {
    if (!this.place || this.highest <= this.place.seq) return null;
    let to = this.highest;
    for (const seq of this.early.keys()) to = Math.min(to, seq - 1);
    return { after: this.place.seq, to };
  }

  /**
   * Give up the missing range and return the entries behind it.
   * @returns {T[]}
   */
  skip() {
    const range = this.missing;
    if (!range || !this.place) return [];
    this.place = { epoch: this.place.epoch, seq: range.to };
    return this.#due();
  }

  #due() {
    /** @type {T[]} */
    const due = [];
    if (!this.place) return due;
    for (const seq of this.early.keys()) if (seq <= this.place.seq) this.early.delete(seq);
    for (let next = this.early.get(this.place.seq + 1); next; next = this.early.get(this.place.seq + 1)) {
      this.early.delete(next.seq);
      this.place = { epoch: this.place.epoch, seq: next.seq };
      due.push(next);
    }
    return due;
  }
}

/** Messages of the stream as events: entries in order, status, heartbeats, resets. No network, no timers. */

import { Sequence, conflict, format, parse } from './sequence.js';

/** @typedef {import('./types').Entry} Entry */
/** @typedef {import('./types').Events} Events */

/** Stream events that carry one entry each; the event of the same name is emitted for it. */
const SINGLE = new Set(['settlement', 'correction', 'transfer', 'gap', 'baseline']);

/**
 * Return the kind of an entry, by the fields that only this kind has.
 * @param {Entry} entry
 * @returns {'trade' | 'correction' | 'settlement' | 'transfer' | 'gap' | 'baseline' | 'unknown'}
 */
export function kindOf(entry) {
  if ('corrects' in entry) return 'correction';
  if ('trade_id' in entry) return 'trade';
  if ('result' in entry) return 'settlement';
  if ('positions' in entry) return 'baseline';
  if ('why' in entry) return 'gap';
  return 'amount' in entry ? 'transfer' : 'unknown';
}

export class Decoder {
  /** @param {<N extends keyof Events>(name: N, detail: Events[N]) => void} emit */
  constructor(emit) {
    this.emit = emit;
    /** @type {Sequence<Entry>} */
    this.sequence = new Sequence();
    /** @type {string | null} data of the last bot_status, for tabs that join later */
    this.status = null;
    /** The state has to be read by REST before any entry is emitted. */
    this.unread = true;
  }

  get cursor() {
    return format(this.sequence.place);
  }

  /**
   * Begin at a place: the state that was read holds everything up to here.
   * @param {string} cursor
   */
  start(cursor) {
    const place = parse(cursor);
    if (!place) throw new TypeError(`cursor: expected <epoch>-<seq>, got ${cursor}`);
    this.sequence.start(place);
    this.unread = false;
    this.take([]);
  }

  /**
   * Take one message. An unreadable one is emitted as an error and changes nothing.
   * @param {import('./types').Message} message
   */
  receive(message) {
    try {
      this.#decode(message.name, JSON.parse(message.data), parse(message.id));
    } catch (error) {
      this.emit('error', { reason: 'message', message: `${message.name}: ${/** @type {Error} */ (error).message}`, retry: 0 });
    }
    if (message.name === 'bot_status') this.status = message.data;
  }

  /**
   * Take entries from anywhere and emit those whose turn it is.
   * @param {readonly Entry[]} entries
   */
  take(entries) {
    this.#emitAll(this.sequence.offer(entries));
  }

  /** Give up entries that cannot be read, emit an error, and go on behind them. */
  skipMissing() {
    const range = this.sequence.missing;
    if (!range) return;
    const due = this.sequence.skip();
    this.emit('error', { reason: 'missing', message: `Entries #${range.after + 1} to #${range.to} could not be read.`, retry: 0 });
    this.#emitAll(due);
  }

  /**
   * Compare with another place in the journal: this one has to reach as far, and be of the same journal.
   * @param {string | null} cursor
   */
  expect(cursor) {
    const other = parse(cursor);
    const { place } = this.sequence;
    if (!other) return;
    if (place && conflict(place, other)) this.lose('epoch', cursor);
    else this.sequence.expect(other.seq);
  }

  /**
   * Forget the place: it is of another journal. The state has to be read again.
   * @param {string} reason
   * @param {string | null} head
   */
  lose(reason, head) {
    this.sequence.restart();
    this.unread = true;
    this.emit('reset', { reason, head });
  }

  /**
   * @param {string} name
   * @param {any} data
   * @param {import('./types').Cursor | null} id
   */
  #decode(name, data, id) {
    if (name === 'reset') return this.lose(String(data.reason), data.head ?? null);
    if (name === 'bot_status') return this.emit('status', data);
    if (name === 'heartbeat') {
      this.emit('heartbeat', data);
      return this.expect(data.head ?? null);
    }
    // Entries of another epoch without a reset count as one.
    if (id && this.sequence.place && id.epoch !== this.sequence.place.epoch) this.lose('epoch', format(id));
    if (name === 'new_trades') this.take(data.trades);
    else if (SINGLE.has(name)) this.take([data]);
    this.sequence.confirm(id);
    return undefined;
  }

  /** @param {Entry[]} due */
  #emitAll(due) {
    for (let at = 0; at < due.length;) {
      const entry = due[at];
      const trades = tradesOfOneSource(due, at);
      at += Math.max(1, trades.length);
      for (const each of trades.length ? trades : [entry]) this.emit('entry', each);
      const kind = kindOf(entry);
      if (trades.length) this.emit('trades', { trades, count: trades.length, source: trades[0].source });
      else if (SINGLE.has(kind)) this.emit(/** @type {any} */ (kind), entry);
    }
  }
}

/**
 * Return the trades from an index on that have one source; empty when the entry there is no trade.
 * @param {Entry[]} entries
 * @param {number} from
 */
function tradesOfOneSource(entries, from) {
  /** @type {import('./types').Trade[]} */
  const trades = [];
  for (let at = from; at < entries.length && kindOf(entries[at]) === 'trade'; at += 1) {
    const trade = /** @type {import('./types').Trade} */ (entries[at]);
    if (trades.length && trade.source !== trades[0].source) break;
    trades.push(trade);
  }
  return trades;
}

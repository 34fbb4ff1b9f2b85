/** What the messages of the stream mean: entries in order, status, resets. Pure; the shell around it does the waiting. */

import { Sequence, format, parse } from './sequence.js';

/** @typedef {import('./types').Entry} Entry */
/** @typedef {import('./types').Events} Events */

export class Reader {
  /** @param {<N extends keyof Events>(name: N, detail: Events[N]) => void} emit */
  constructor(emit) {
    this.emit = emit;
    /** @type {Sequence<Entry>} */
    this.sequence = new Sequence();
    /** @type {string | null} the last bot_status, as it came: for tabs that join later */
    this.status = null;
    /** the state has to be read by REST before anything is handed out */
    this.unread = true;
  }

  get cursor() {
    return format(this.sequence.place);
  }

  /**
   * The state was read, and holds everything up to here.
   * @param {string} cursor
   */
  start(cursor) {
    const place = parse(cursor);
    if (!place) throw new TypeError(`cursor: ${cursor} is not <epoch>-<seq>`);
    this.sequence.start(place);
    this.unread = false;
    this.take([]);
  }

  /**
   * A message of the stream. Unreadable ones are told as an error and change nothing.
   * @param {import('./types').Message} message
   */
  hear(message) {
    try {
      this.#hear(message.name, JSON.parse(message.data), parse(message.id));
    } catch (error) {
      this.emit('error', { reason: 'message', message: `${message.name}: ${/** @type {Error} */ (error).message}`, retry: 0 });
    }
    if (message.name === 'bot_status') this.status = message.data;
  }

  /**
   * Entries from anywhere: those whose turn it is are handed out.
   * @param {readonly Entry[]} entries
   */
  take(entries) {
    this.#hand(this.sequence.offer(entries));
  }

  /** What is missing cannot be had: say so, and go on. */
  giveUp() {
    const hole = this.sequence.hole;
    if (!hole) return;
    const due = this.sequence.skip();
    this.emit('error', { reason: 'hole', message: `Entries #${hole.after + 1} to #${hole.to} could not be read.`, retry: 0 });
    this.#hand(due);
  }

  /**
   * Somebody's place in the journal: ours should reach as far, and be of the same journal.
   * @param {string | null} cursor
   */
  expect(cursor) {
    const place = parse(cursor);
    const epoch = this.sequence.place?.epoch;
    if (!place) return;
    if (epoch && epoch !== place.epoch) this.lose('epoch', cursor);
    else this.sequence.expect(place.seq);
  }

  /**
   * Our place is worth nothing: the state has to be read again.
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
  #hear(name, data, id) {
    const entry = name === 'settlement' || name === 'gap' || name === 'baseline';
    if (name === 'reset') return this.lose(String(data.reason), data.head ?? null);
    if (name === 'bot_status') return this.emit('status', data);
    if (name === 'heartbeat') return this.expect(data.head ?? null);
    // Another epoch without a reset: as if it had been said.
    if (id && this.sequence.place && id.epoch !== this.sequence.place.epoch) this.lose('epoch', format(id));
    if (name === 'new_trades') return this.take(data.trades);
    return entry ? this.take([data]) : undefined;
  }

  /** @param {Entry[]} due */
  #hand(due) {
    for (let at = 0; at < due.length;) {
      const entry = due[at];
      const trades = [];
      for (let next = entry; next && 'trade_id' in next && next.source === entry.source; next = due[at + trades.length]) trades.push(next);
      at += Math.max(1, trades.length);
      for (const each of trades.length ? trades : [entry]) this.emit('entry', each);
      if (trades.length) this.emit('trades', { trades, count: trades.length, source: entry.source });
      else if ('result' in entry) this.emit('settlement', entry);
      else if ('positions' in entry) this.emit('baseline', entry);
      else if ('why' in entry) this.emit('gap', entry);
    }
  }
}

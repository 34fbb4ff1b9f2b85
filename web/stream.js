/** The stream for a browser: every entry once and in order, over one connection for all its tabs.
 *
 *     import { connect } from './api/python/web/stream.js';
 *     const stream = connect();
 *     stream.on('trades', ({ trades }) => trades.forEach(show));
 */

import { Catchup } from './catchup.js';
import { Connection } from './connection.js';
import { Decoder } from './decoder.js';
import { get } from './rest.js';
import { TabGroup } from './tabs.js';
import { Watchdog } from './watchdog.js';

const SILENCE = 4; // seconds without a message of the leading tab after which it is asked to answer; after about ten it loses the lead

/** The events that `on` accepts. */
export const EVENTS = /** @type {const} */ ([
  'state', 'entry', 'trades', 'correction', 'settlement', 'transfer', 'baseline', 'gap', 'status', 'heartbeat', 'freshness', 'reset', 'error',
]);

/** @typedef {import('./types').Events} Events */
/** @typedef {(stream: Stream) => Promise<string>} Load reads the state and returns the cursor that came with it */

/**
 * Open the stream.
 *
 * base: where the API lies; the parent of this module's folder when left out. load: reads the state by REST, at the start
 * and after each reset; the stream begins at the cursor that it returns. Without it the last trades are read and emitted as "state".
 * @param {{ base?: string | URL, load?: Load }} [options]
 */
export function connect(options = {}) {
  const stream = new Stream(new URL(options.base ?? '../', import.meta.url), options.load ?? lastTrades);
  stream.start();
  return stream;
}

export class Stream {
  /**
   * @param {URL} base
   * @param {Load} load
   */
  constructor(base, load) {
    this.base = base;
    this.load = load;
    /** @type {Map<string, Set<(detail: any) => void>>} */
    this.listeners = new Map();
    this.decoder = new Decoder((name, detail) => this.emit(name, detail));
    this.catchup = new Catchup(base, this.decoder, (message, retry) => this.emit('error', { reason: 'load', message, retry }));
    /** @type {Connection | null} while this tab leads */
    this.connection = null;
    this.tabs = this.#tabGroup();
    this.watchdog = new Watchdog(SILENCE);
    /** @type {import('./types').State} */
    this.state = 'starting';
    this.retry = 0;
    /** Unix seconds of the last message, by this machine's clock */
    this.received = 0;
    this.emitted = '';
    this.ticker = 0;
  }

  /**
   * Listen to an event; returns a function that ends it. Throws TypeError for a name that is no event.
   * @template {keyof Events} N
   * @param {N} name
   * @param {(detail: Events[N]) => void} listener
   */
  on(name, listener) {
    if (!EVENTS.includes(name)) throw new TypeError(`event: expected one of ${EVENTS.join(', ')}, got ${JSON.stringify(name)}`);
    const set = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, set.add(listener));
    return () => { set.delete(listener); };
  }

  /**
   * @template {keyof Events} N
   * @param {N} name
   * @param {Events[N]} detail
   */
  emit(name, detail) {
    for (const listener of this.listeners.get(name) ?? []) {
      try {
        listener(detail);
      } catch (error) {
        reportError(error); // an exception in one listener does not reach the others
      }
    }
  }

  start() {
    window.addEventListener('pagehide', () => this.pause());
    window.addEventListener('pageshow', (event) => event.persisted && this.#join());
    void this.#readState().then(() => this.#join());
  }

  /** Leave the connection to the other tabs; the place is kept. */
  pause() {
    window.clearInterval(this.ticker);
    this.connection?.close();
    this.connection = null;
    this.tabs.leave();
  }

  /** End for good. */
  close() {
    this.pause();
    this.catchup.closed = true;
    this.#setState('closed', 0);
    this.listeners.clear();
  }

  /** @returns {import('./types').Freshness} */
  get freshness() {
    const { sequence } = this.decoder;
    const complete = this.state === 'live' && !this.decoder.unread && sequence.missing === null;
    return {
      state: this.state, cursor: this.decoder.cursor, seq: sequence.place?.seq ?? 0, complete,
      leader: this.tabs.leading, received: this.received, retry: this.retry,
    };
  }

  #join() {
    if (this.state === 'closed') return;
    if (this.state === 'live') this.#setState('connecting', 0); // it was, before the page went into the browser's cache
    this.tabs.join();
    this.tabs.send({ kind: 'hello' });
    this.watchdog.arm(performance.now() / 1000);
    this.ticker = window.setInterval(() => this.#checkLeader(), 1000);
    this.#update();
  }

  #tabGroup() {
    return new TabGroup(`prediction-investor ${this.base.href}`, {
      lead: () => this.#lead(),
      follow: () => { this.connection?.close(); this.connection = null; },
      receive: (message) => this.#receiveFromTab(message),
    });
  }

  #lead() {
    this.connection = new Connection(new URL('sse/trading', this.base).href, {
      message: (message) => { this.tabs.send({ kind: 'message', message }); this.#receive(message); },
      state: (state, retry, reason) => {
        this.#setState(state, retry);
        this.tabs.send({ kind: 'state', state, retry });
        if (state === 'waiting') this.emit('error', { reason: reason === 'full' ? 'full' : 'connection', message: `The stream ended (${reason}).`, retry });
      },
      cursor: () => this.decoder.cursor,
    });
    this.connection.open();
  }

  /** @param {any} message */
  #receiveFromTab(message) {
    if (message.kind === 'hello') {
      if (this.tabs.leading) this.tabs.send({ kind: 'welcome', state: this.state, cursor: this.decoder.cursor, status: this.decoder.status });
      return;
    }
    this.watchdog.feed(performance.now() / 1000);
    if (message.kind === 'message') return this.#receive(message.message);
    if (message.kind === 'welcome') {
      if (message.status && message.status !== this.decoder.status) this.decoder.receive({ name: 'bot_status', data: message.status, id: '' });
      this.decoder.expect(message.cursor);
    }
    this.#setState(message.state, message.retry ?? 0);
  }

  /** @param {import('./types').Message} message */
  #receive(message) {
    this.received = Date.now() / 1000;
    this.decoder.receive(message);
    this.#update();
  }

  /**
   * Ask a silent leader to answer, once a second. It does not speak up by itself, because timers of a hidden tab run once
   * a minute, while messages reach it at once.
   */
  #checkLeader() {
    if (this.tabs.leading || this.tabs.alone) return;
    const now = performance.now() / 1000;
    const verdict = this.watchdog.check(now);
    if (now - this.watchdog.received > SILENCE) this.tabs.send({ kind: 'hello' });
    if (verdict !== 'dead') return;
    this.watchdog.arm(now);
    this.tabs.steal();
  }

  /**
   * @param {import('./types').State} state
   * @param {number} retry
   */
  #setState(state, retry) {
    [this.state, this.retry] = [state, retry];
    this.#update();
  }

  /** After every change: emit how current this page is, and read what is missing. */
  #update() {
    const { received, ...current } = this.freshness;
    if (JSON.stringify(current) !== this.emitted) {
      this.emitted = JSON.stringify(current);
      this.emit('freshness', { ...current, received });
    }
    if (this.catchup.busy || this.state === 'starting' || this.state === 'closed') return;
    if (this.decoder.unread) void this.#readState();
    else if (this.decoder.sequence.missing) void this.#fillMissing();
  }

  async #readState() {
    await this.catchup.readState(() => this.load(this));
    if (this.state !== 'starting') this.#update();
  }

  async #fillMissing() {
    await this.catchup.fillMissing();
    this.#update();
  }
}

/** @param {Stream} stream */
async function lastTrades(stream) {
  const body = await get(new URL('portfolio/trades/live', stream.base));
  stream.emit('state', { trades: body.trades, cursor: body.cursor });
  return body.cursor;
}

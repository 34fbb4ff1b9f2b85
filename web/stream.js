/** The stream of a browser: every entry once and in order, over one connection for all its tabs.
 *
 *     import { connect } from './api/python/web/stream.js';
 *     const stream = connect();
 *     stream.on('trades', ({ trades }) => trades.forEach(show));
 */

import { Catchup } from './catchup.js';
import { Reader } from './reader.js';
import { get } from './rest.js';
import { Source } from './source.js';
import { Tabs } from './tabs.js';
import { Watchdog } from './watchdog.js';

const SILENCE = 4; // seconds without a word of the leader after which it is asked; some ten of them, and it has lost the lead

/** @typedef {import('./types').Events} Events */
/** @typedef {(stream: Stream) => Promise<string>} Load reads the state and returns the cursor that came with it */

/**
 * Open the stream. base: where the API lies (beside this module's folder). load: reads the state by REST, at the start
 * and after each reset; what it returns is where the stream begins. It gives the last trades as event "state" if left out.
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
    this.reader = new Reader((name, detail) => this.emit(name, detail));
    this.catchup = new Catchup(base, this.reader, (message, retry) => this.emit('error', { reason: 'load', message, retry }));
    /** @type {Source | null} ours while this tab leads */
    this.source = null;
    this.tabs = this.#tabs();
    this.watchdog = new Watchdog(SILENCE);
    /** @type {import('./types').State} */
    this.state = 'starting';
    this.retry = 0;
    this.heard = 0;
    this.told = '';
    this.ticker = 0;
  }

  /**
   * Listen. Returns what ends it.
   * @template {keyof Events} N
   * @param {N} name
   * @param {(detail: Events[N]) => void} listener
   */
  on(name, listener) {
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
        reportError(error); // one listener's mistake is not the next one's, nor the stream's
      }
    }
  }

  start() {
    window.addEventListener('pagehide', () => this.pause());
    window.addEventListener('pageshow', (event) => event.persisted && this.#join());
    void this.#read().then(() => this.#join());
  }

  /** Leave the connection to the other tabs; the place is kept. */
  pause() {
    window.clearInterval(this.ticker);
    this.source?.close();
    this.source = null;
    this.tabs.leave();
  }

  /** For good. */
  close() {
    this.pause();
    this.catchup.closed = true;
    this.#turn('closed', 0);
    this.listeners.clear();
  }

  /** @returns {import('./types').Freshness} */
  get freshness() {
    const { sequence } = this.reader;
    const complete = this.state === 'live' && !this.reader.unread && sequence.hole === null;
    return {
      state: this.state, cursor: this.reader.cursor, seq: sequence.place?.seq ?? 0, complete,
      leader: this.tabs.leading, heard: this.heard, retry: this.retry,
    };
  }

  #join() {
    if (this.state === 'closed') return;
    if (this.state === 'live') this.#turn('connecting', 0); // it was, before the page was put away
    this.tabs.join();
    this.tabs.say({ kind: 'hello' });
    this.watchdog.arm(performance.now() / 1000, Date.now() / 1000);
    this.ticker = window.setInterval(() => this.#look(), 1000);
    this.#settle();
  }

  #tabs() {
    return new Tabs(`prediction-investor ${this.base.href}`, {
      lead: () => this.#lead(),
      follow: () => { this.source?.close(); this.source = null; },
      hear: (word) => this.#word(word),
    });
  }

  #lead() {
    this.source = new Source(new URL('sse/trading', this.base).href, {
      message: (message) => { this.tabs.say({ kind: 'message', message }); this.#message(message); },
      state: (state, retry, reason) => {
        this.#turn(state, retry);
        this.tabs.say({ kind: 'state', state, retry });
        if (state === 'waiting') this.emit('error', { reason: reason === 'full' ? 'full' : 'connection', message: `The stream ended (${reason}).`, retry });
      },
      cursor: () => this.reader.cursor,
    });
    this.source.open();
  }

  /** @param {any} word of another tab */
  #word(word) {
    if (word.kind === 'hello') {
      if (this.tabs.leading) this.tabs.say({ kind: 'welcome', state: this.state, cursor: this.reader.cursor, status: this.reader.status });
      return;
    }
    this.watchdog.hear(performance.now() / 1000);
    if (word.kind === 'message') return this.#message(word.message);
    if (word.kind === 'welcome') {
      if (word.status && word.status !== this.reader.status) this.reader.hear({ name: 'bot_status', data: word.status, id: '' });
      this.reader.expect(word.cursor);
    }
    this.#turn(word.state, word.retry ?? 0);
  }

  /** @param {import('./types').Message} message */
  #message(message) {
    this.heard = Date.now() / 1000;
    this.reader.hear(message);
    this.#settle();
  }

  /**
   * Once a second, a tab that follows asks whether a silent leader still lives. It is asked, and does not speak up by
   * itself, because a hidden tab's timers run once a minute, while what it is told reaches it at once.
   */
  #look() {
    if (this.tabs.leading || this.tabs.alone) return;
    const now = performance.now() / 1000;
    const verdict = this.watchdog.check(now, Date.now() / 1000);
    if (now - this.watchdog.heard > SILENCE) this.tabs.say({ kind: 'hello' });
    if (verdict !== 'dead') return;
    this.watchdog.arm(now, Date.now() / 1000);
    this.tabs.steal();
  }

  /**
   * @param {import('./types').State} state
   * @param {number} retry
   */
  #turn(state, retry) {
    [this.state, this.retry] = [state, retry];
    this.#settle();
  }

  /** After every change: tell how current we are, and read what is missing. */
  #settle() {
    const { heard, ...said } = this.freshness;
    if (JSON.stringify(said) !== this.told) {
      this.told = JSON.stringify(said);
      this.emit('freshness', { ...said, heard });
    }
    if (this.catchup.busy || this.state === 'starting' || this.state === 'closed') return;
    if (this.reader.unread) void this.#read();
    else if (this.reader.sequence.hole) void this.#fill();
  }

  async #read() {
    await this.catchup.state(() => this.load(this));
    if (this.state !== 'starting') this.#settle();
  }

  async #fill() {
    await this.catchup.hole();
    this.#settle();
  }
}

/** @param {Stream} stream */
async function lastTrades(stream) {
  const body = await get(new URL('portfolio/trades/live', stream.base));
  stream.emit('state', { trades: body.trades, cursor: body.cursor });
  return body.cursor;
}

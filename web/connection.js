/** One EventSource that is opened again from the last cursor after an error, a 503, a bye or silence. */

import { Backoff } from './backoff.js';
import { Watchdog } from './watchdog.js';

const NAMES = ['new_trades', 'correction', 'settlement', 'transfer', 'gap', 'baseline', 'reset', 'bot_status', 'heartbeat', 'bye'];
const STABLE = 5; // seconds after which a connection counts as good
const OPENING = 10; // seconds that opening may take

/**
 * @typedef {object} Handler
 * @property {(message: import('./types').Message) => void} message
 * @property {(state: import('./types').State, retry: number, reason: string) => void} state
 * @property {() => string | null} cursor returns where to go on
 */

export class Connection {
  /**
   * @param {string} url of the stream, without a cursor
   * @param {Handler} handler
   */
  constructor(url, handler) {
    this.url = url;
    this.handler = handler;
    this.backoff = new Backoff();
    this.watchdog = new Watchdog();
    /** @type {EventSource | null} */
    this.events = null;
    this.timer = 0;
    this.opened = 0;
    this.begun = 0;
    this.closed = false;
    this.ticker = window.setInterval(() => this.check(), 1000);
    this.wake = () => this.#wake();
    document.addEventListener('visibilitychange', this.wake);
    window.addEventListener('online', this.wake);
  }

  open() {
    if (this.closed) return;
    window.clearTimeout(this.timer);
    this.timer = 0;
    this.events?.close();
    const cursor = this.handler.cursor();
    const events = new EventSource(cursor ? `${this.url}?last_event_id=${encodeURIComponent(cursor)}` : this.url);
    this.events = events;
    this.opened = 0;
    this.begun = seconds();
    this.handler.state('connecting', 0, '');
    events.onopen = () => this.#opened(events);
    // The browser's own reconnection ends for ever at the first 503, so it is not used.
    events.onerror = () => this.#reopen(events, 'error');
    for (const name of NAMES) events.addEventListener(name, (event) => this.#receive(events, name, /** @type {MessageEvent} */ (event)));
  }

  close() {
    this.closed = true;
    window.clearInterval(this.ticker);
    window.clearTimeout(this.timer);
    document.removeEventListener('visibilitychange', this.wake);
    window.removeEventListener('online', this.wake);
    this.events?.close();
    this.events = null;
  }

  /** Check for silence, sleep and slow opening; runs once a second. */
  check() {
    const now = seconds();
    const verdict = this.watchdog.check(now, Date.now() / 1000);
    if (verdict !== 'ok') return this.#reopen(this.events, verdict);
    if (this.events && !this.opened && now - this.begun > OPENING) return this.#reopen(this.events, 'error');
    if (this.opened && now - this.opened > STABLE) this.backoff.reset();
    return undefined;
  }

  /** @param {EventSource} events */
  #opened(events) {
    if (events !== this.events) return;
    this.opened = seconds();
    this.watchdog.arm(this.opened, Date.now() / 1000);
    this.handler.state('live', 0, '');
  }

  /**
   * @param {EventSource} events
   * @param {string} name
   * @param {MessageEvent} event
   */
  #receive(events, name, event) {
    if (events !== this.events) return;
    this.watchdog.feed(seconds(), name === 'heartbeat');
    this.handler.message({ name, data: String(event.data), id: event.lastEventId });
    if (name === 'bye') this.#reopen(events, byeReason(event.data));
  }

  /**
   * @param {EventSource | null} events the one that ended; another may be in its place already
   * @param {string} reason
   */
  #reopen(events, reason) {
    if (this.closed || events !== this.events || !events) return;
    events.close();
    this.events = null;
    this.opened = 0;
    this.watchdog.disarm();
    const wait = reason === 'slept' ? 0.1 : this.backoff.next(reason);
    this.handler.state('waiting', wait, reason);
    this.timer = window.setTimeout(() => this.open(), wait * 1000);
  }

  /** The tab is visible again or the network is back: try now, and give an open connection a full term. */
  #wake() {
    if (document.visibilityState === 'hidden' || this.closed) return;
    this.check();
    if (this.events && this.opened) this.watchdog.feed(seconds());
    else if (!this.events && this.timer) this.open();
  }
}

/** Monotonic seconds. */
function seconds() {
  return performance.now() / 1000;
}

/** @param {string} data of a bye */
function byeReason(data) {
  try {
    return String(JSON.parse(data).reason);
  } catch {
    return 'error'; // an unreadable bye counts as an ordinary end
  }
}

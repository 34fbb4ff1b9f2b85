/** One EventSource that does not give up: reopened from the reader's place after an error, a 503, a bye or silence. */

import { Backoff } from './backoff.js';
import { Watchdog } from './watchdog.js';

const NAMES = ['new_trades', 'settlement', 'gap', 'baseline', 'reset', 'bot_status', 'heartbeat', 'bye'];
const HELD = 5; // seconds after which a connection counts as good
const OPENING = 10; // seconds that opening may take

/**
 * @typedef {object} Ear what a source tells
 * @property {(message: import('./types').Message) => void} message
 * @property {(state: import('./types').State, retry: number, reason: string) => void} state
 * @property {() => string | null} cursor where to go on
 */

export class Source {
  /**
   * @param {string} url of the stream, without a cursor
   * @param {Ear} ear
   */
  constructor(url, ear) {
    this.url = url;
    this.ear = ear;
    this.backoff = new Backoff();
    this.watchdog = new Watchdog();
    /** @type {EventSource | null} */
    this.events = null;
    this.timer = 0;
    this.opened = 0;
    this.closed = false;
    this.ticker = window.setInterval(() => this.look(), 1000);
    this.wake = () => this.#wake();
    document.addEventListener('visibilitychange', this.wake);
    window.addEventListener('online', this.wake);
  }

  open() {
    if (this.closed) return;
    window.clearTimeout(this.timer);
    this.timer = 0;
    this.events?.close();
    const cursor = this.ear.cursor();
    const events = new EventSource(cursor ? `${this.url}?last_event_id=${encodeURIComponent(cursor)}` : this.url);
    this.events = events;
    this.opened = 0;
    this.begun = seconds();
    this.ear.state('connecting', 0, '');
    events.onopen = () => this.#opened(events);
    // Native reconnection is not waited for: it ends for ever at the first 503, and its pace cannot be seen.
    events.onerror = () => this.#again(events, 'error');
    for (const name of NAMES) events.addEventListener(name, (event) => this.#hear(events, name, /** @type {MessageEvent} */ (event)));
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

  /** Once a second: has it gone silent, did the machine sleep, is it good by now? */
  look() {
    const now = seconds();
    const verdict = this.watchdog.check(now, Date.now() / 1000);
    if (verdict !== 'ok') return this.#again(this.events, verdict);
    if (this.events && !this.opened && now - (this.begun ?? now) > OPENING) return this.#again(this.events, 'error');
    if (this.opened && now - this.opened > HELD) this.backoff.reset();
    return undefined;
  }

  /** @param {EventSource} events */
  #opened(events) {
    if (events !== this.events) return;
    this.opened = seconds();
    this.watchdog.arm(this.opened, Date.now() / 1000);
    this.ear.state('live', 0, '');
  }

  /**
   * @param {EventSource} events
   * @param {string} name
   * @param {MessageEvent} event
   */
  #hear(events, name, event) {
    if (events !== this.events) return;
    this.watchdog.hear(seconds(), name === 'heartbeat');
    this.ear.message({ name, data: String(event.data), id: event.lastEventId });
    if (name === 'bye') this.#again(events, reason(event.data));
  }

  /**
   * @param {EventSource | null} events the one that ended; another may have taken its place
   * @param {string} why
   */
  #again(events, why) {
    if (this.closed || events !== this.events || !events) return;
    events.close();
    this.events = null;
    this.watchdog.disarm();
    const wait = why === 'slept' ? 0.1 : this.backoff.next(why);
    this.ear.state('waiting', wait, why);
    this.timer = window.setTimeout(() => this.open(), wait * 1000);
  }

  /** The tab is seen again or the network is back: a full term for the connection, or the next try now. */
  #wake() {
    if (document.visibilityState === 'hidden' || this.closed) return;
    this.look();
    if (this.events && this.opened) this.watchdog.hear(seconds());
    else if (!this.events && this.timer) this.open();
  }
}

/** Monotonic seconds. */
function seconds() {
  return performance.now() / 1000;
}

/** @param {string} data of a bye */
function reason(data) {
  try {
    return String(JSON.parse(data).reason);
  } catch {
    return 'error'; // an unreadable farewell is an ordinary end
  }
}

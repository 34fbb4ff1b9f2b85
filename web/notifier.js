/** Notifications: desktop notices, a tone and a count in the title, each on request and remembered by the browser. */

import { byId } from './dom.js';
import { price, quantity } from './format.js';

/** @typedef {'trades' | 'bot' | 'gap' | 'server'} Topic */

const QUIET = 400; // milliseconds between two tones
const AWAY = 5000; // milliseconds without the server before a notice
const GROUPED = 1500; // milliseconds for which trades are collected into one notice

export class Notifier {
  /**
   * @param {(text: string) => void} announce speaks to screen readers
   * @param {(ticker: string) => import('./market_names.js').Name} nameOf
   */
  constructor(announce, nameOf) {
    this.announce = announce;
    this.nameOf = nameOf;
    this.unseen = 0;
    /** @type {AudioContext | null} */
    this.audio = null;
    this.rang = 0;
    /** @type {import('./types').Trade[]} */
    this.trades = [];
    this.timer = 0;
    /** monotonic milliseconds since when the server does not answer; 0 while it does */
    this.away = 0;
    this.saidAway = false;
    for (const name of ['sound', 'notify']) this.#bind(name);
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.unseen = 0; });
  }

  /** @param {import('./types').Trade[]} trades */
  add(trades) {
    if (document.hidden) this.unseen += trades.length;
    if (this.#isOn('sound') && performance.now() - this.rang > QUIET) this.#ring();
    if (!this.#isOn('notify')) return;
    this.trades.push(...trades);
    this.timer ||= window.setTimeout(() => this.#noticeTrades(), GROUPED);
  }

  /**
   * Say an event aloud and show it on the desktop.
   * @param {Topic} topic a later notice of the same topic replaces it
   * @param {string} text
   */
  notify(topic, text) {
    this.announce(text);
    this.#notice(topic, text);
  }

  /**
   * Notify once when the server is away for some seconds, and once when it is back. Called about once a second.
   * @param {boolean} away
   */
  watchServer(away) {
    const now = performance.now();
    this.away = away ? this.away || now : 0;
    const long = away && (this.saidAway || now - this.away >= AWAY);
    if (long === this.saidAway) return;
    this.saidAway = long;
    this.notify('server', long ? 'The server does not answer.' : 'The server answers again.');
  }

  #noticeTrades() {
    const trades = this.trades;
    [this.trades, this.timer] = [[], 0];
    this.#notice('trades', describeTrades(trades, this.nameOf));
  }

  /** @param {Topic} topic @param {string} text */
  #notice(topic, text) {
    if (!this.#isOn('notify') || !('Notification' in window) || Notification.permission !== 'granted' || !document.hidden) return;
    try {
      const { mode } = document.body.dataset;
      const notice = new Notification(mode === 'live' ? 'Prediction Investor' : `Prediction Investor · ${mode} mode`, { body: text, tag: topic });
      notice.onclick = () => window.focus();
    } catch { /* some mobile browsers allow notices from a service worker only */ }
  }

  /** @param {string} name */
  #isOn(name) {
    return byId(name).getAttribute('aria-pressed') === 'true';
  }

  /** @param {string} name */
  #bind(name) {
    const button = byId(name);
    try { button.setAttribute('aria-pressed', localStorage.getItem(name) ?? 'false'); } catch { /* storage may be forbidden: off */ }
    button.addEventListener('click', () => void this.#toggle(name));
  }

  /** @param {string} name */
  async #toggle(name) {
    const on = !this.#isOn(name);
    if (on && name === 'notify' && 'Notification' in window && await Notification.requestPermission() !== 'granted') {
      this.announce('The browser does not allow notifications for this page.');
    }
    byId(name).setAttribute('aria-pressed', String(on));
    try { localStorage.setItem(name, String(on)); } catch { /* kept for this page only */ }
    if (on && name === 'sound') this.#ring(); // a click allows the browser to play later
  }

  #ring() {
    this.rang = performance.now();
    this.audio ??= new AudioContext();
    const [tone, volume, now] = [this.audio.createOscillator(), this.audio.createGain(), this.audio.currentTime];
    tone.frequency.setValueAtTime(660, now);
    tone.frequency.setValueAtTime(880, now + 0.07);
    volume.gain.setValueAtTime(0.06, now);
    volume.gain.exponentialRampToValueAtTime(0.0001, now + 0.22);
    tone.connect(volume).connect(this.audio.destination);
    tone.start(now);
    tone.stop(now + 0.24);
  }
}

/**
 * Return trades in words: the last one, with the number of all where there are more.
 * @param {import('./types').Trade[]} trades
 * @param {(ticker: string) => import('./market_names.js').Name} nameOf
 */
export function describeTrades(trades, nameOf) {
  const last = trades[trades.length - 1];
  const { lead, event } = nameOf(last.ticker);
  const words = `${last.side} ${quantity(last.quantity)} ${String(last.outcome).toUpperCase()} at ${price(last.price)} · ${lead}${event ? ` · ${event}` : ''}`;
  return trades.length === 1 ? words : `${trades.length} trades, the last: ${words}`;
}

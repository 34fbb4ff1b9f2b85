/** The markets: a list with a search over titles and tickers, and a look-up at the exchange for a ticker not in it. */

import { mark, stampOf } from './age.js';
import { at, empty, h, one } from './dom.js';
import { ago, exactly, plain, price } from './format.js';
import { get } from './rest.js';

/** @typedef {{ ticker: string, title: string, status: string, yes_bid: number | null, yes_ask: number | null, last_price: number | null, volume_24h: number | null, close_time: number | null }} Market */

const HEADS = [['Market', ''], ['Bid', 'n'], ['Ask', 'n'], ['Last', 'n'], ['24 h volume', 'n low'], ['Closes', 'low'], ['State', 'low']];
const ROWS = 60;

export class Markets {
  /**
   * @param {URL} base
   * @param {(markets: Market[]) => void} heard
   */
  constructor(base, heard) {
    this.base = base;
    this.heard = heard;
    /** @type {Market[] | null} */
    this.markets = null;
    /** @type {Market | null} found by its ticker, though not in the list */
    this.found = null;
    this.place = one('#markets .table');
    this.input = /** @type {HTMLInputElement} */ (at('search'));
    this.input.addEventListener('input', () => { this.found = null; this.draw(); });
    this.input.addEventListener('keydown', (event) => { if (event.key === 'Enter') void this.#look(); });
    this.place.replaceChildren(empty('Reading the markets…', ''));
  }

  /** Throws Problem. */
  async read() {
    const answer = await get(new URL('markets/?status=open&limit=200', this.base));
    this.markets = answer.markets;
    this.heard(answer.markets);
    mark(at('markets-age'), stampOf(answer, 200), at('markets'));
    this.draw();
  }

  /** @param {string} why */
  fail(why) {
    if (!this.markets) this.place.replaceChildren(empty('The markets cannot be read', `${why} It is tried again by itself.`));
  }

  draw() {
    if (!this.markets) return;
    const words = this.input.value.trim().toLowerCase().split(/\s+/);
    const matching = this.markets.filter((market) => words.every((word) => `${market.ticker} ${market.title}`.toLowerCase().includes(word)));
    const shown = this.found ? [this.found] : matching.slice(0, ROWS);
    if (shown.length === 0) {
      const hint = this.input.value ? 'Press Enter to ask the exchange for exactly this ticker.' : 'The exchange lists none that are open.';
      this.place.replaceChildren(empty('No such market here', hint));
      return;
    }
    this.place.replaceChildren(h('table', {}, h('caption', { class: 'unseen' }, 'Markets'),
      h('thead', {}, h('tr', {}, ...HEADS.map(([text, kind]) => h('th', { scope: 'col', class: kind || undefined }, text)))),
      h('tbody', {}, ...shown.map(listed))));
  }

  async #look() {
    const ticker = this.input.value.trim().toUpperCase();
    if (!/^[A-Z0-9._-]{1,100}$/.test(ticker)) return;
    try {
      this.found = await get(new URL(`markets/${encodeURIComponent(ticker)}`, this.base));
      this.draw();
    } catch (error) {
      this.place.replaceChildren(empty(`${ticker} was not found`, /** @type {Error} */ (error).message));
    }
  }
}

/** @param {Market} market */
function listed(market) {
  const left = (market.close_time ?? 0) - Date.now() / 1000;
  return h('tr', {},
    h('td', { class: 'market', title: `${market.title} (${market.ticker})` }, h('b', {}, market.title), h('span', { class: 'minor' }, market.ticker)),
    h('td', { class: 'n' }, price(market.yes_bid)), h('td', { class: 'n' }, price(market.yes_ask)), h('td', { class: 'n' }, price(market.last_price)),
    h('td', { class: 'n low' }, plain(market.volume_24h)),
    h('td', { class: 'low', title: market.close_time ? exactly(market.close_time) : undefined }, market.close_time ? (left > 0 ? `in ${ago(left)}` : 'past') : '–'),
    h('td', { class: 'low minor' }, market.status));
}

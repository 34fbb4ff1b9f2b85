/** The account as the exchange tells it, asked now and then: cash, positions with their marks, titles of what is held. */

import * as age from './age.js';
import { Poll } from './poll.js';
import { get } from './rest.js';
import { alert } from './states.js';

export const TERM = 65; // seconds without an answer after which a number of the exchange is old

export class Account {
  /**
   * @param {URL} base
   * @param {import('./model.js').Model} model
   * @param {import('./figures.js').Figures} figures
   * @param {() => boolean} doubt whether the exchange is known to be ill
   * @param {(titles: boolean) => void} changed titles: whether there are new ones
   */
  constructor(base, model, figures, doubt, changed) {
    this.poll = new Poll(20, () => this.#read(), (error) => figures.fail('cash', error.message));
    this.base = base;
    this.model = model;
    this.figures = figures;
    this.doubt = doubt;
    this.changed = changed;
    /** @type {Set<string>} asked for once; what the exchange does not know is not asked for again */
    this.asked = new Set();
  }

  /**
   * Ask in so many seconds, if not sooner already.
   * @param {number} seconds
   */
  in(seconds) {
    this.poll.in(seconds);
  }

  async #read() {
    const { model } = this;
    const known = model.titles.size;
    const { balance, positions, bot } = await get(new URL('portfolio/summary', this.base));
    this.#cash(balance);
    if (positions?.positions) this.#hold(positions);
    await this.#name();
    if (bot && !model.status) model.status = bot;
    const failed = balance?.error ?? positions?.error;
    alert('exchange', failed ? 'The exchange does not answer' : '', `${failed?.detail ?? ''}. Positions and profit come from the journal and stay right; cash and marks are the last that were known.`);
    this.changed(model.titles.size !== known);
  }

  /** @param {any} balance a part of the summary */
  #cash(balance) {
    if (!balance || balance.error) return this.figures.fail('cash', balance?.error?.detail ?? 'not told');
    const why = this.model.mode === 'paper' ? 'The cash of the real account; paper trades do not move it.' : '';
    return this.figures.set('cash', balance.balance, { ...age.stampOf(balance, TERM), doubt: this.doubt, why });
  }

  /** @param {any} positions a part of the summary */
  #hold(positions) {
    const got = Date.now() / 1000;
    this.model.hold(positions.positions, positions.as_of);
    [this.model.exchangeStale, this.model.exchangeGot] = [positions.stale, got];
    this.model.marked = { as_of: positions.marks_as_of ?? positions.as_of, got, stale: positions.stale || positions.marks_stale === true };
  }

  /** Titles and quotes of what is held and not in the exchange's answer: paper positions above all. */
  async #name() {
    const { model, asked } = this;
    const open = [...model.book.ledgers.values()].filter(({ ticker, lots }) => (lots.quantity !== 0 && !model.marks.has(ticker)) || !model.titles.has(ticker));
    const tickers = open.map((ledger) => ledger.ticker).filter((ticker) => !asked.has(ticker) || model.quotes.has(ticker)).slice(0, 50);
    for (const ticker of tickers) asked.add(ticker);
    if (tickers.length === 0) return;
    model.quote((await get(new URL(`markets/?tickers=${tickers.map(encodeURIComponent).join(',')}&limit=200`, this.base))).markets);
  }
}

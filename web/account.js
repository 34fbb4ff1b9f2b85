/** Reading of the account at an interval: cash, positions with their marks, the reconciliation, names of what was traded. */

import { clock } from './clock.js';
import { Poll } from './poll.js';
import { get } from './rest.js';
import { ACCOUNT_TERM, factOf } from './staleness.js';

const INTERVAL = 20; // seconds
const AGAIN = 1; // seconds after an answer that the server calls stale
const NAMES = 50; // markets that are looked up at once

export class Account {
  /**
   * @param {URL} base
   * @param {import('./model.js').Model} model
   * @param {() => void} changed
   */
  constructor(base, model, changed) {
    this.base = base;
    this.model = model;
    this.changed = changed;
    this.poll = new Poll(INTERVAL, () => this.#read(), (error) => { model.accountError = error.message; changed(); }, { late: changed });
    this.reconciliation = new Poll(INTERVAL, () => this.#reconcile(), () => {});
    /** @type {Set<string>} looked up already */
    this.lookedUp = new Set();
  }

  start() {
    this.poll.start();
    this.reconciliation.start();
  }

  /**
   * Read again in so many seconds: a trade or a settlement has moved the account.
   * @param {number} seconds
   */
  soon(seconds) {
    this.poll.soon(seconds);
    this.reconciliation.soon(seconds);
  }

  async #read() {
    const { model } = this;
    const { balance, positions, bot } = await get(new URL('portfolio/summary', this.base));
    const received = clock.now();
    if (balance && !balance.error) model.cash = { amount: balance.balance ?? null, fact: factOf(balance, received, ACCOUNT_TERM) };
    if (positions?.positions) model.holdAccount(positions, received);
    if (bot?.status && !model.status) model.status = bot;
    model.accountError = (balance?.error ?? positions?.error)?.detail ?? null;
    if (balance?.stale || positions?.stale || positions?.marks_stale) this.poll.soon(AGAIN);
    this.changed();
    await this.#lookUp();
  }

  async #reconcile() {
    try {
      const answer = await get(new URL('portfolio/reconciliation', this.base));
      this.model.reconciliation = answer;
      // The journal was compared with the exchange's account, so the exchange confirms it.
      this.model.reconciliationFact = { ...factOf({ source: 'journal', as_of: clock.now(), stale: false, ...answer }, clock.now(), ACCOUNT_TERM), exchange: true };
      if (answer.stale) this.reconciliation.soon(AGAIN);
      this.changed();
    } catch (error) {
      if (/** @type {any} */ (error).status !== 404) throw error; // an older server has none
    }
  }

  /** Read names and quotes of markets that were traded and are not in the exchange's answer. */
  async #lookUp() {
    const { model } = this;
    const received = (/** @type {string} */ ticker) => model.accountMarks.get(ticker)?.fact.received ?? -Infinity;
    const marked = (/** @type {string} */ ticker) => clock.now() - received(ticker) < ACCOUNT_TERM; // keys may be taken away
    const open = [...model.book.markets.values()].filter(({ ticker, lots }) => !model.names.has(ticker) || (lots.quantity !== 0 && !marked(ticker)));
    const again = (/** @type {string} */ ticker) => (model.quotes.has(ticker) || model.accountMarks.has(ticker)) && model.book.markets.get(ticker)?.lots.quantity !== 0;
    const tickers = open.map(({ ticker }) => ticker).filter((ticker) => !this.lookedUp.has(ticker) || again(ticker)).slice(0, NAMES);
    if (tickers.length === 0) return;
    const answer = await get(new URL(`markets/?tickers=${tickers.map(encodeURIComponent).join(',')}&limit=200`, this.base));
    for (const ticker of tickers) this.lookedUp.add(ticker);
    model.quote(answer.markets, factOf(answer, clock.now(), ACCOUNT_TERM));
    this.changed();
    if (open.length > tickers.length) this.poll.soon(2);
  }
}
